import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRooms, type Rooms } from '../src/main/rooms.ts';
import type { BankSettings, Settings } from '../src/main/settings.ts';
import { createLog } from '../src/platform/log.ts';
import { type BenchAuthority, createBenchAuthority, type Identity, publicPem } from './identities.ts';
import { freePort } from './ports.ts';
import { type BenchPostgres, startBenchPostgres } from './postgres.ts';
import { profiling, type Running, start, startOwn } from './processes.ts';
import { consentOf, newIds, openRows, type Rows } from './rows.ts';

/** The banks: the same but for the form of their access tokens. */
export const BANKS = { opaque: 'opaque', jwt: 'signed' } as const;
export type Format = keyof typeof BANKS;

/** The ways a client proves itself at the token endpoint. */
export type Method = 'PS256' | 'ES256' | 'tls_client_auth';
const METHODS: readonly Method[] = ['PS256', 'ES256', 'tls_client_auth'];
const PLATFORM_START_MS = 250;

/** A participant that calls, with one client of the same id at every bank. */
export interface Party {
  readonly participant: string;
  readonly client: string;
  readonly method: Method;
  readonly identity: Identity;
}

/** The signing keys all clients share. */
export interface ClientKeys {
  readonly PS256: { readonly pem: string; readonly jwk: Readonly<Record<string, unknown>> };
  readonly ES256: { readonly pem: string; readonly jwk: Readonly<Record<string, unknown>> };
}

/** Everything that stands before the first measurement. */
export interface World {
  readonly directory: string;
  readonly authority: BenchAuthority;
  readonly parties: readonly Party[];
  readonly clientKeys: ClientKeys;
  readonly postgres: BenchPostgres;
  readonly rows: Rows;
  readonly platform: Running;
  readonly upstream: Running;
  readonly upstreamOrigin: string;
  readonly port: number;
  /** PEM file of the key that signs a bank's access tokens. */
  readonly tokenKey: string;
  at(name: string): string;
  /** Writes a file beside the others and gives its path. */
  write(name: string, content: string): Promise<string>;
  audience(format: Format): string;
  issuer(format: Format): string;
  /** The built-in store's own look-up, past every cache. */
  findConsent(format: Format, id: string): Promise<unknown>;
  /** Tokens of a customer for a party, with their consents in the database. */
  grant(format: Format, party: Party, count: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** More than any run reaches, so that requests are counted and none is refused. */
const REQUESTS_PER_MINUTE = 1_000_000;

/** Starts database, upstream and platform, and enters the parties. */
export async function openWorld(directory: string, parties: number): Promise<World> {
  const at = (name: string): string => join(directory, name);
  await mkdir(at('postgres'), { recursive: true });
  const authority = createBenchAuthority();
  await writeFiles(authority, at);
  const postgres = await startBenchPostgres(at('postgres'));
  const upstream = await startOwn(
    'upstream',
    'around',
    'upstream.ts',
    ['server.pem', 'server.key', 'root.pem'].map(at),
  );
  const upstreamOrigin = `https://localhost:${upstream.ready.split(' ')[1]}`;
  const ports = { issuer: await freePort(), mtls: await freePort(), operators: await freePort() };
  const settings = settingsOf(at, ports, upstreamOrigin);
  await writeFile(at('portcullis.json'), JSON.stringify({ ...settings, log: { level: 'warn' } }));
  // Everything the preparation asks of the rooms goes through rooms of this process, closed before the platform starts.
  const rooms = await openRooms(settings, { databaseUrl: postgres.url, log: createLog({ level: 'warn' }) });
  const clientKeys = newClientKeys();
  const entered = await enter(rooms, authority, clientKeys, parties);
  const ring = await rooms.vault.keyring(BANKS.jwt);
  const tokenKey = ring.publicKeys.keys.find(({ alg }) => alg === 'ES256');
  if (tokenKey === undefined) throw new Error('the bank has no ES256 key');
  await writeFile(at('token-key.pem'), publicPem({ ...tokenKey }));
  const rows = await openRows(postgres.url);
  const platform = await startPlatform(at, ports.operators, postgres.url);
  const audience = (format: Format): string => `https://localhost:${ports.mtls}/${BANKS[format]}`;
  const issuer = (format: Format): string => `https://localhost:${ports.issuer}/${BANKS[format]}`;
  return {
    directory,
    authority,
    parties: entered,
    clientKeys,
    postgres,
    rows,
    platform,
    upstream,
    upstreamOrigin,
    port: ports.mtls,
    tokenKey: at('token-key.pem'),
    at,
    write: async (name, content) => {
      await writeFile(at(name), content, { mode: 0o600 });
      return at(name);
    },
    audience,
    issuer,
    findConsent: (format, id) => rooms.consents.find(BANKS[format], id),
    grant: (format, party, count) => grant({ rooms, rows, issuer, audience }, format, party, count),
    close: async () => {
      await platform.stop();
      await upstream.stop();
      await rows.close();
      await rooms.close();
      await postgres.stop();
    },
  };
}

async function writeFiles(authority: BenchAuthority, at: (name: string) => string): Promise<void> {
  const server = authority.issue('localhost', 'serverAuth');
  const gateway = authority.issue('gateway', 'clientAuth');
  const files = {
    'root.pem': authority.root,
    'server.pem': server.certificate,
    'server.key': server.key,
    'server-both.pem': server.certificate + server.key,
    'gateway.pem': gateway.certificate,
    'gateway.key': gateway.key,
    'gateway-both.pem': gateway.certificate + gateway.key,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content, { mode: 0o600 });
}

interface Ports {
  readonly issuer: number;
  readonly mtls: number;
  readonly operators: number;
}

function settingsOf(at: (name: string) => string, ports: Ports, upstream: string): Settings {
  const door = (port: number) => ({
    host: '127.0.0.1',
    port,
    origin: `https://localhost:${port}`,
    certificate: at('server.pem'),
    key: at('server.key'),
  });
  const bank = (format: Format): BankSettings => ({
    id: BANKS[format],
    name: `Bank ${format}`,
    regime: 'generic',
    profile: 'fapi2',
    accessTokens: format,
    // No authority outside this run knows these certificates; a verdict is remembered whatever it was made of.
    // Roles come from the directory: the certificates of this run state none.
    trust: {
      rolesFrom: 'directory',
      anchors: [at('root.pem')],
      revocation: 'off',
    },
    connector: {
      origin: upstream,
      certificate: at('gateway.pem'),
      key: at('gateway.key'),
      authorities: [at('root.pem')],
    },
  });
  return {
    // Revocation may be off there alone; nothing else that is measured depends on it.
    sandbox: true,
    doors: {
      issuer: door(ports.issuer),
      mtls: { ...door(ports.mtls), clientCertificate: 'handshake' },
      operators: { host: '127.0.0.1', port: ports.operators },
    },
    database: {},
    keys: { directory: at('keys') },
    directory: {},
    limits: { oauthRequestsPerMinute: 100 * REQUESTS_PER_MINUTE },
    banks: [bank('opaque'), bank('jwt')],
  };
}

function newClientKeys(): ClientKeys {
  const of = (privateKey: KeyObject, publicKey: KeyObject, alg: 'PS256' | 'ES256') => ({
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: alg, alg, use: 'sig' },
  });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { PS256: of(rsa.privateKey, rsa.publicKey, 'PS256'), ES256: of(ec.privateKey, ec.publicKey, 'ES256') };
}

/** Client metadata as the engine keeps it; the bare provider of the comparison gets the same. */
export function metadataOf(client: string, method: Method, keys: ClientKeys): Readonly<Record<string, unknown>> {
  const own =
    method === 'tls_client_auth'
      ? { token_endpoint_auth_method: method, tls_client_auth_san_dns: `${client}.example` }
      : {
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: method,
          jwks: { keys: [keys[method].jwk] },
        };
  return {
    client_id: client,
    client_name: client,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope: 'payments.create',
    subject_type: 'pairwise',
    id_token_signed_response_alg: 'PS256',
    tls_client_certificate_bound_access_tokens: true,
    ...own,
  };
}

async function enter(
  rooms: Rooms,
  authority: BenchAuthority,
  keys: ClientKeys,
  count: number,
): Promise<readonly Party[]> {
  const actor = { kind: 'staff', reference: 'bench' } as const;
  const parties = Array.from({ length: count }, (_, index): Party => {
    const name = `party-${String(index).padStart(4, '0')}`;
    const method = METHODS[index % METHODS.length] ?? 'PS256';
    return { participant: name, client: name, method, identity: authority.issue(name, 'clientAuth') };
  });
  const entries = parties.map(({ participant }, index) => ({
    id: participant,
    name: participant,
    registrationNumber: `PSDXX-PARTY-${index}`,
    email: `ops@${participant}.example`,
    roles: ['AISP', 'PISP'],
    status: 'approved',
    requestsPerMinute: REQUESTS_PER_MINUTE,
  }));
  await rooms.directory.importParticipants(entries, actor);
  for (const { participant, client, method, identity } of parties) {
    for (const bank of Object.values(BANKS)) {
      const verdict = await rooms.trust.judge([identity.der], bank);
      if (!verdict.ok) throw new Error(`a certificate of the benchmark is refused: ${verdict.message}`);
      const { certificate } = verdict;
      const metadata = metadataOf(client, method, keys);
      await rooms.directory.registerClient(
        { bank, id: client, participant, softwareId: undefined, metadata, certificate },
        actor,
      );
    }
  }
  return parties;
}

interface Granting {
  readonly rooms: Rooms;
  readonly rows: Rows;
  readonly issuer: (format: Format) => string;
  readonly audience: (format: Format) => string;
}

async function grant(parts: Granting, format: Format, party: Party, count: number): Promise<readonly string[]> {
  const { rooms, rows } = parts;
  const bank = BANKS[format];
  const { client, participant, identity } = party;
  const [audience, issuer, ids] = [parts.audience(format), parts.issuer(format), newIds(count)];
  const hash = await rooms.vault.hasher(bank, 'access-token');
  await rows.addGrants({ bank, client, participant, thumbprint: identity.thumbprint, audience }, format, ids, hash);
  if (format === 'opaque') return ids;
  const now = Math.floor(Date.now() / 1000);
  const signed = ids.map((jti) =>
    rooms.vault.signJwt(bank, 'at+jwt', {
      iss: issuer,
      aud: audience,
      sub: 'subject-1',
      client_id: client,
      scope: 'accounts',
      cnf: { 'x5t#S256': identity.thumbprint },
      consent_id: consentOf(jti),
      participant_id: participant,
      jti,
      iat: now,
      exp: now + 80_000,
    }),
  );
  return Promise.all(signed);
}

async function startPlatform(at: (name: string) => string, operators: number, url: string): Promise<Running> {
  const main = new URL('../src/main.ts', import.meta.url).pathname;
  return start({
    name: 'platform',
    place: 'measured',
    command: process.execPath,
    words: [...profiling('platform'), main, 'serve', '--config', at('portcullis.json')],
    env: { DATABASE_URL: url },
    isReady: async () => {
      const limit = AbortSignal.timeout(PLATFORM_START_MS * 4);
      return (await fetch(`http://127.0.0.1:${operators}/health/ready`, { signal: limit })).ok;
    },
  });
}
