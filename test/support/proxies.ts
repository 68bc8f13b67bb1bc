import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Authority, Issued } from './certificates.ts';
import { freePorts } from './ports.ts';
import { findProxies } from './programs.ts';

/** Where the proxies of tests call from; participants come from 127.0.0.1. */
export const PROXY_ADDRESS = '127.0.0.2';
/** What proves the proxy of the documented configuration that has a secret. */
export const PROXY_SECRET = 'a secret that is long enough for a proxy';

const DOCUMENTED = join(import.meta.dirname, '..', '..', 'docs', 'operate', 'proxies');
/** A proxy that is not there by then does not come. */
const START_LIMIT_MS = 10_000;

/** A proxy as operators configure it. */
export type ProxyKind = 'nginx.conf' | 'haproxy.cfg' | 'haproxy-base64.cfg';

/** What a proxy stands before, and who it is. */
export interface ProxyOptions {
  /** An empty directory of its own. */
  readonly directory: string;
  /** The authority of the door, of the proxy's certificates and, in tests, of participants. */
  readonly authority: Authority;
  /** The proxy's own client certificate. */
  readonly identity: Issued;
  readonly doorPort: number;
  /** What an operator got wrong. */
  readonly change?: (documented: string) => string;
}

/** A running nginx or HAProxy. */
export interface RunningProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** The settings of the door that stand at the head of a documented configuration, as a file beside which its own files lie. */
export async function documentedSettings(kind: ProxyKind, options: Omit<ProxyOptions, 'doorPort'>): Promise<string> {
  const { directory, authority } = options;
  await mkdir(directory, { recursive: true });
  const text = await readFile(join(DOCUMENTED, kind), 'utf8');
  const lines = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, line]) => line);
  const file = join(directory, 'door.yaml');
  await writeFile(file, `${lines.join('\n')}\n`.replaceAll('10.1.0.7', PROXY_ADDRESS));
  await writeFile(join(directory, 'proxy-authority.pem'), authority.certificatePem);
  await writeFile(join(directory, 'proxy-secret'), `${PROXY_SECRET}\n`, { mode: 0o600 });
  return file;
}

/** Starts a real proxy with the documented configuration, the example's addresses and paths replaced. @throws Error with what it said */
export async function startProxy(kind: ProxyKind, options: ProxyOptions): Promise<RunningProxy> {
  const { directory } = options;
  const [port = 0] = await freePorts(1);
  await mkdir(directory, { recursive: true });
  await writeIdentities(options);
  const documented = adapt(await readFile(join(DOCUMENTED, kind), 'utf8'), { ...options, port });
  const file = join(directory, kind);
  const changed = options.change?.(documented) ?? documented;
  if (options.change !== undefined && changed === documented) throw new Error('the change changes nothing');
  await writeFile(file, kind === 'nginx.conf' ? inWholeNginx(changed, directory) : changed);
  const { nginx, haproxy } = findProxies();
  const [program, words] =
    kind === 'nginx.conf'
      ? [nginx, ['-p', directory, '-c', file, '-e', 'stderr']]
      : [haproxy, ['-db', '-q', '-f', file]];
  const child = spawn(program, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PORTCULLIS_PROXY_SECRET: PROXY_SECRET },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)));
  const ended = once(child, 'exit');
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const close = async (): Promise<void> => {
    process.off('exit', kill);
    kill();
    await ended;
  };
  const limit = Date.now() + START_LIMIT_MS;
  while (!(await answers(port))) {
    if (child.exitCode === null && Date.now() < limit) continue;
    await close();
    throw new Error(`${kind} did not start: ${said}`);
  }
  return { port, close };
}

async function writeIdentities({ directory, authority, identity }: ProxyOptions): Promise<void> {
  const server = authority.issueServer({ keyType: 'rsa' });
  const files = {
    'server.pem': server.chainPem,
    'server.key': server.keyPem,
    'server-with-key.pem': server.chainPem + server.keyPem,
    'proxy.pem': identity.chainPem,
    'proxy.key': identity.keyPem,
    'proxy-with-key.pem': identity.chainPem + identity.keyPem,
    'authority.pem': authority.certificatePem,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o600 });
}

/** The example's values; each must be there, or the documentation and the test have parted. */
function adapt(text: string, { directory, doorPort, port }: ProxyOptions & { readonly port: number }): string {
  const listen = text.includes('listen 443')
    ? ['listen 443', `listen 127.0.0.1:${port}`]
    : ['bind :443', `bind 127.0.0.1:${port}`];
  const values = [
    listen,
    ['10.1.0.20:8444', `127.0.0.1:${doorPort}`],
    ['10.1.0.7', PROXY_ADDRESS],
    ['/etc/portcullis-proxy', directory],
    ['mtls.bank.example', 'localhost'],
  ];
  return values.reduce((changed, [example = '', real = '']) => {
    if (!changed.includes(example)) throw new Error(`the documented configuration has no ${example}`);
    return changed.replaceAll(example, real);
  }, text);
}

/** The documented part goes into the http context; the rest keeps to the directory and to this process's child. */
function inWholeNginx(documented: string, directory: string): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(directory, name)};`,
  );
  const process = `daemon off; master_process off; pid ${join(directory, 'nginx.pid')}; error_log stderr warn;`;
  return `${process}\nevents { worker_connections 64; }\nhttp {\naccess_log off;\n${scratch.join('\n')}\n${documented}\n}\n`;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    await delay(20);
    return false;
  } finally {
    socket.destroy();
  }
}
