import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { freePort } from './ports.ts';
import { type Running, startOwn } from './processes.ts';
import type { Caller, Target } from './scenario.ts';
import { BANKS, type Format, type Method, metadataOf, type Party, type World } from './world.ts';

/** Connections that ask for tokens at the same time: as many as ask the gateway, several for each party. */
const CONNECTIONS = 64;

/** How a pair of targets is called: what is asked, and of whom. */
export function tokenTargetName(method: Method, format: Format, who: 'platform' | 'bare'): string {
  return `${who}, ${method}, ${format}`;
}

/** The engine alone, with the same clients. */
export async function startBareProvider(
  world: World,
  format: Format,
): Promise<{ readonly running: Running; readonly port: number }> {
  const port = await freePort();
  const clients = world.parties.map(({ client, method }) => metadataOf(client, method, world.clientKeys));
  const file = world.at(`provider-${format}.json`);
  const setup = { port, audience: world.audience(format), format, clients, keys: newProviderKeys() };
  await writeFile(file, JSON.stringify(setup), { mode: 0o600 });
  const files = ['server.pem', 'server.key', 'root.pem'].map(world.at);
  const running = await startOwn('bare-provider', 'measured', 'bare-provider.ts', [...files, file]);
  return { running, port };
}

/** The kinds of key that our own banks have. */
function newProviderKeys(): readonly Readonly<Record<string, unknown>>[] {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return [
    { ...rsa, alg: 'PS256', use: 'sig', kid: 'rsa' },
    { ...ec, alg: 'ES256', use: 'sig', kid: 'ec' },
  ];
}

/** The platform and the bare engine, for each way a client proves itself. */
export function tokenTargets(
  world: World,
  format: Format,
  bare: { readonly running: Running; readonly port: number },
  methods: readonly Method[],
): readonly Target[] {
  return methods.flatMap((method) => {
    const parties = world.parties.filter((party) => party.method === method);
    const callers = (path: string, port: number, audience: string): readonly Caller[] => {
      const all = parties.map((party) => callerOf(world, party, path, port, audience));
      return Array.from({ length: Math.ceil(CONNECTIONS / all.length) }, () => all)
        .flat()
        .slice(0, CONNECTIONS);
    };
    const own = callers(`/${BANKS[format]}/token`, world.port, world.issuer(format));
    const other = callers('/token', bare.port, `https://localhost:${bare.port}`);
    const platform = tokenTargetName(method, format, 'platform');
    return [
      { name: platform, port: world.port, pid: world.platform.pid, callers: own },
      { name: tokenTargetName(method, format, 'bare'), port: bare.port, pid: bare.running.pid, callers: other },
    ];
  });
}

function callerOf(world: World, party: Party, path: string, port: number, audience: string): Caller {
  const { client, method, identity } = party;
  const form = `grant_type=client_credentials&scope=payments.create${method === 'tls_client_auth' ? `&client_id=${client}` : ''}`;
  const request = [
    `POST ${path} HTTP/1.1`,
    `host: localhost:${port}`,
    'content-type: application/x-www-form-urlencoded',
    'accept: application/json',
    `content-length: ${form.length}`,
    '',
    form,
  ].join('\r\n');
  const own = { certificate: identity.certificate, key: identity.key, requests: [request] };
  if (method === 'tls_client_auth') return own;
  const { pem } = world.clientKeys[method];
  return { ...own, assertion: { client, algorithm: method, key: pem, kid: method, audience } };
}
