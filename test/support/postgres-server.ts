import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { freePorts } from './ports.ts';

const USER = 'portcullis';
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
/** Every test file opens pools of its own. */
const CONNECTIONS = 400;

/** A PostgreSQL server for this run alone. */
export interface PostgresServer {
  /** Its administrator's address. */
  readonly url: string;
  /** Stops it and removes everything it wrote. */
  stop(): Promise<void>;
}

/** Who runs it: PostgreSQL refuses to be root. */
type Owner = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** Makes a cluster in a temporary directory and starts it on a free port of the loopback address. */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-postgres-'));
  try {
    return await start(programs, directory);
  } catch (cause) {
    await rm(directory, { recursive: true, force: true });
    throw cause;
  }
}

async function start(programs: string, directory: string): Promise<PostgresServer> {
  const owner = findOwner();
  const cluster = join(directory, 'cluster');
  const password = randomBytes(16).toString('hex');
  await initialise(programs, { directory, cluster, owner, password });
  const [port = 0] = await freePorts(1);
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: CONNECTIONS };
  // What it keeps lives as long as this run: nothing need survive a crash.
  const careless = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', shared_buffers: '64MB' };
  const words = Object.entries({ ...settings, ...careless }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(programs, 'postgres'), ['-D', cluster, ...words], {
    ...owner,
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const url = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  if (await answers(url, child)) return { url, stop };
  await stop();
  throw new Error(`PostgreSQL did not start: ${said.join('').trim()}`);
}

interface Cluster {
  readonly directory: string;
  readonly cluster: string;
  readonly owner: Owner;
  readonly password: string;
}

async function initialise(programs: string, { directory, cluster, owner, password }: Cluster): Promise<void> {
  const secret = join(directory, 'password');
  await mkdir(cluster, { mode: 0o700 });
  await writeFile(secret, password, { mode: 0o600 });
  if (owner.uid !== undefined) for (const path of [directory, cluster, secret]) chownSync(path, owner.uid, owner.gid);
  const words = [
    '-D',
    cluster,
    '-U',
    USER,
    `--pwfile=${secret}`,
    '-A',
    'scram-sha-256',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  const { status, stderr } = spawnSync(join(programs, 'initdb'), words, { ...owner, cwd: directory, encoding: 'utf8' });
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
}

function findOwner(): Owner {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((word) => spawnSync('id', [word, user], { encoding: 'utf8' }));
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody');
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  const until = Date.now() + START_LIMIT_MS;
  while (Date.now() < until && child.exitCode === null) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return true;
    } catch {
      await wait(50);
    }
  }
  return false;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  // SIGINT: a fast shutdown that does not wait for clients.
  child.kill('SIGINT');
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}
