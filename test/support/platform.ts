import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRooms, type Rooms } from '../../src/main/rooms.ts';
import { type Platform, serve } from '../../src/main/serve.ts';
import type { BankSettings, Settings } from '../../src/main/settings.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { createLog } from '../../src/platform/log.ts';
import { type Authority, type CertificateOptions, createAuthority, type Issued } from './certificates.ts';
import { type CoreBank, startCoreBank } from './core-bank.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { freePorts } from './ports.ts';
import { newStatementSigner, type StatementSigner } from './statements.ts';
import { createThirdParty, type ThirdParty } from './third-party.ts';

/** A whole platform in this process, over real TLS and a real database, with a bank behind it. */
export interface TestPlatform {
  readonly authority: Authority;
  readonly settings: Settings;
  readonly rooms: Rooms;
  readonly core: CoreBank;
  readonly statements: StatementSigner;
  /** Speaks to the browser's door: trusts the test authority, has no certificate. */
  readonly browserAgent: Agent;
  /** An approved participant with certificate, keys and statement, entered into the directory. */
  thirdParty(
    id: string,
    roles: readonly string[],
    options?: { readonly status?: string; readonly certificate?: CertificateOptions },
  ): Promise<ThirdParty>;
  /** Stops and starts again on the same database and keys. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What a test wants different. */
export interface PlatformOptions {
  readonly clientCertificate?: 'handshake' | 'request';
  readonly banks?: readonly Partial<BankSettings>[];
  /** Instead of the machine's own. */
  readonly clock?: Clock;
  /** The proxy before the mTLS door. */
  readonly forwarded?: Settings['doors']['mtls']['forwarded'];
  readonly limits?: Settings['limits'];
  /** Banks with files or servers of their own, made once the authority and the directory are there; instead of `banks`. */
  readonly prepare?: (authority: Authority, directory: string) => Promise<readonly Partial<BankSettings>[]>;
}

/** A database that outlives the platform on top of it: a restart must not lose what is in memory only for the test's sake. */
function outliving(database: TestDatabase): TestDatabase {
  return { ...database, close: async () => undefined };
}

/** Starts everything on free ports and a directory of its own, which goes with it. */
export async function startPlatform(options: PlatformOptions = {}): Promise<TestPlatform> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-flow-'));
  const authority = createAuthority('Test Root');
  const database = await openTestDatabase();
  const core = await startCoreBank(authority.issueServer(), authority.certificatePem);
  const statements = await newStatementSigner();
  const settings = await settingsOf(options, directory, authority, core, statements);
  const log = createLog({ level: process.env.PORTCULLIS_TEST_LOG ?? 'silent' });
  const clock = options.clock === undefined ? {} : { clock: options.clock };
  const open = async () => {
    const rooms = await openRooms(settings, { databaseUrl: undefined, database: outliving(database), log, ...clock });
    const platform = await serve(settings, rooms, log);
    for (const bank of settings.banks)
      core.trustKeys(bank.id, async () => (await rooms.vault.keyring(bank.id)).publicKeys);
    return { rooms, platform };
  };
  let running: { rooms: Rooms; platform: Platform } = await open();
  const agents: Agent[] = [];
  const agentOf = (identity?: Issued) => {
    const agent = new Agent({
      keepAlive: true,
      ca: authority.certificatePem,
      ...(identity === undefined ? {} : { cert: identity.chainPem, key: identity.keyPem }),
    });
    agents.push(agent);
    return agent;
  };
  return {
    authority,
    settings,
    get rooms() {
      return running.rooms;
    },
    core,
    statements,
    browserAgent: agentOf(),
    thirdParty: async (id, roles, { status = 'approved', certificate } = {}) => {
      const party = await createThirdParty({ id, roles, authority, statements, settings, agentOf, certificate });
      const entry = {
        id,
        name: `${id} Ltd`,
        registrationNumber: party.registrationNumber,
        email: `ops@${id}.example`,
        roles,
        status,
      };
      await running.rooms.directory.importParticipants([entry], { kind: 'staff', reference: 'test' });
      return party;
    },
    restart: async () => {
      await running.platform.close();
      running = await open();
    },
    close: async () => {
      for (const agent of agents) agent.destroy();
      await running.platform.close();
      await core.close();
      await database.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function settingsOf(
  options: PlatformOptions,
  directory: string,
  authority: Authority,
  core: CoreBank,
  statements: StatementSigner,
): Promise<Settings> {
  const [issuer = 0, mtls = 0, plain = 0, operators = 0, portal = 0, management = 0] = await freePorts(6);
  const at = (name: string) => join(directory, name);
  const server = authority.issueServer({ keyType: 'rsa' });
  const identity = authority.issue({ commonName: 'gateway' });
  const files: Readonly<Record<string, string>> = {
    'server.pem': server.chainPem,
    'server.key': server.keyPem,
    'gateway.pem': identity.chainPem,
    'gateway.key': identity.keyPem,
    'root.pem': authority.certificatePem,
    'statement-keys.json': JSON.stringify(statements.publicKeys),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content, { mode: 0o600 });
  const door = (port: number) => ({
    host: '127.0.0.1',
    port,
    origin: `https://localhost:${port}`,
    certificate: at('server.pem'),
    key: at('server.key'),
  });
  const bank = (own: Partial<BankSettings>): BankSettings => ({
    id: 'gobank',
    name: 'Go Bank',
    regime: 'generic',
    profile: 'fapi2',
    accessTokens: 'opaque',
    management: { participant: `${own.id ?? 'gobank'}-core`, changesDirectory: (own.id ?? 'gobank') === 'gobank' },
    trust: { anchors: [at('root.pem')], revocation: 'off' },
    connector: {
      origin: core.origin,
      certificate: at('gateway.pem'),
      key: at('gateway.key'),
      authorities: [at('root.pem')],
    },
    ...own,
  });
  const banks = (await options.prepare?.(authority, directory)) ??
    options.banks ?? [
      { id: 'gobank', name: 'Go Bank' },
      { id: 'jwtbank', name: 'Token Bank', accessTokens: 'jwt' },
      { id: 'labbank', name: 'Lab Bank', profile: 'baseline', accessTokens: 'jwt', routesByScopeAlone: true },
    ];
  return {
    sandbox: true,
    doors: {
      issuer: door(issuer),
      mtls: {
        ...door(mtls),
        clientCertificate: options.clientCertificate ?? 'request',
        ...(options.forwarded === undefined ? {} : { forwarded: options.forwarded }),
      },
      plain: door(plain),
      portal: door(portal),
      management: door(management),
      operators: { host: '127.0.0.1', port: operators },
    },
    database: {},
    keys: { directory: at('keys') },
    directory: { statementIssuer: statements.issuer, statementKeys: at('statement-keys.json') },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    banks: banks.map(bank),
  };
}
