import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Authorization, DoorKind, Interactions } from '../authorization/index.ts';
import type { BankConnector } from '../bank/index.ts';
import { createGateway, type Gateway, type GatewayBank } from '../gateway/index.ts';
import { type Door, openDoor } from '../platform/door.ts';
import { createUpstream, type Upstream } from '../platform/fetch.ts';
import { healthHandler } from '../platform/health.ts';
import type { Log } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { isMigrated } from '../platform/migrate.ts';
import { uuid } from '../platform/random.ts';
import { regimes } from '../regimes/index.ts';
import { createPages, type Pages } from '../web/index.ts';
import { openAuthorization, openConnector } from './authorization.ts';
import { openControl } from './control.ts';
import { handshakeRefused } from './events.ts';
import { pageBankOf } from './pages.ts';
import type { Rooms } from './rooms.ts';
import { addressesOf, type BankSettings, type Settings } from './settings.ts';

/** Which edges this process serves: one process may serve all, several may share a database. */
export type ServeRole = 'authorization' | 'gateway' | 'web';

/** The running platform. */
export interface Platform {
  readonly doors: ReadonlyMap<string, Door>;
  close(): Promise<void>;
}

/** What one bank is made of at the edges of this process. */
interface Edge {
  readonly settings: BankSettings;
  readonly authorization: Authorization | undefined;
}

/** Opens every door of the configuration over open rooms. */
export async function serve(
  settings: Settings,
  rooms: Rooms,
  log: Log,
  roles: ReadonlySet<ServeRole> = new Set(['authorization', 'gateway', 'web']),
): Promise<Platform> {
  await enterParticipants(settings, rooms, log);
  const report = (message: string, cause: unknown) => log.error({ cause }, message);
  const connectors = new Map<string, BankConnector>();
  for (const bank of settings.banks) connectors.set(bank.id, await openConnector(bank));
  const connectorOf = (bank: string) => present(connectors.get(bank), `bank ${bank}`);
  const edges = new Map<string, Edge>();
  const pages = await openPages(settings, rooms, edges, connectorOf, log);
  for (const bank of settings.banks) {
    const surroundings = {
      connector: connectorOf(bank.id),
      renderError: (problem: Parameters<Pages['renderError']>[1]) => pages.renderError(bank.id, problem),
      report,
    };
    const authorization = roles.has('authorization')
      ? await openAuthorization(bank, settings, rooms, surroundings)
      : undefined;
    edges.set(bank.id, { settings: bank, authorization });
  }
  const upstreams: Upstream[] = [];
  const gateway = roles.has('gateway') ? await openGateway(settings, rooms, connectorOf, log, upstreams) : undefined;
  const doors = await openDoors(settings, rooms, log, { edges, gateway, pages });
  return {
    doors,
    close: async () => {
      await Promise.all([...doors.values()].map((door) => door.close()));
      for (const edge of edges.values()) edge.authorization?.close();
      await Promise.all(upstreams.map((upstream) => upstream.close()));
      await rooms.close();
    },
  };
}

interface Edges {
  readonly edges: ReadonlyMap<string, Edge>;
  readonly gateway: Gateway | undefined;
  readonly pages: Pages;
}

async function enterParticipants(settings: Settings, rooms: Rooms, log: Log): Promise<void> {
  const { participants } = settings.directory;
  if (participants === undefined) return;
  const parsed: unknown = JSON.parse(await readFile(participants, 'utf8'));
  if (!Array.isArray(parsed)) throw new Error('directory.participants: the file holds no list');
  const entered = await rooms.directory.importParticipants(parsed, { kind: 'system', reference: 'start' });
  if (entered.length > 0) log.info({ participants: entered }, 'participants entered');
}

async function openGateway(
  settings: Settings,
  rooms: Rooms,
  connectorOf: (bank: string) => BankConnector,
  log: Log,
  upstreams: Upstream[],
): Promise<Gateway> {
  const banks: GatewayBank[] = [];
  for (const bank of settings.banks) {
    const regime = present(regimes.get(bank.regime), `regime ${bank.regime}`);
    const { certificate, key, authorities, origin } = bank.connector;
    const upstream = createUpstream({
      origin,
      certificate: await readFile(certificate, 'utf8'),
      key: await readFile(key, 'utf8'),
      authorities: await Promise.all(authorities.map((path) => readFile(path, 'utf8'))),
    });
    upstreams.push(upstream);
    const { issuer, mtlsBase } = addressesOf(bank, settings);
    banks.push({
      id: bank.id,
      issuer,
      audience: mtlsBase,
      regime,
      upstream,
      requireBoundTokens: bank.profile !== 'baseline',
      routesByScopeAlone: bank.routesByScopeAlone === true,
      requireClientCertificate: bank.profile !== 'baseline',
      accountNumber: (customer, account) => connectorOf(bank.id).accountNumber(customer, account),
    });
  }
  return createGateway({ ...rooms, banks, log });
}

async function openPages(
  settings: Settings,
  rooms: Rooms,
  edges: ReadonlyMap<string, Edge>,
  connectorOf: (bank: string) => BankConnector,
  log: Log,
): Promise<Pages> {
  return createPages({
    ...rooms,
    banks: await Promise.all(settings.banks.map((bank) => pageBankOf(bank, settings))),
    interactions: (bank) => interactionsOf(() => present(edges.get(bank)?.authorization, `authorization of ${bank}`)),
    connector: connectorOf,
    log,
  });
}

/** The pages are made before the engines, which need their error page: each call finds the engine when it is there. */
function interactionsOf(authorization: () => Authorization): Interactions {
  return {
    load: (request, response) => authorization().interactions.load(request, response),
    signedIn: (request, response, customer) => authorization().interactions.signedIn(request, response, customer),
    agreed: (request, response, decision) => authorization().interactions.agreed(request, response, decision),
    cancelled: (request, response) => authorization().interactions.cancelled(request, response),
  };
}

async function openDoors(settings: Settings, rooms: Rooms, log: Log, parts: Edges): Promise<ReadonlyMap<string, Door>> {
  const { issuer, mtls, plain, operators, control } = settings.doors;
  const doors = new Map<string, Door>();
  const tls = async (door: { readonly certificate: string; readonly key: string }) => ({
    certificate: await readFile(door.certificate, 'utf8'),
    key: await readFile(door.key, 'utf8'),
  });
  const handlerOf = (kind: DoorKind) => (request: IncomingMessage, response: ServerResponse) => {
    route(parts, kind, request, response).catch((cause: unknown) => {
      log.error({ cause }, 'a request failed');
      if (response.headersSent) response.destroy();
      else answerError(response, 500, 'internal_error', 'something went wrong here; the trace id finds it in our log');
    });
  };
  const authorityOf = (origin: string) => new URL(origin).host;
  try {
    doors.set(
      'operators',
      await openDoor({
        name: 'operators',
        host: operators.host,
        port: operators.port,
        authorities: ['localhost', '127.0.0.1', '[::1]'].map((host) => `${host}:${operators.port}`),
        handler: healthHandler({ checks: readiness(settings, rooms), metrics: createMetrics() }),
      }),
    );
    doors.set(
      'issuer',
      await openDoor({
        name: 'issuer',
        host: issuer.host,
        port: issuer.port,
        authorities: [authorityOf(issuer.origin)],
        tls: { ...(await tls(issuer)), clientCertificate: 'none' },
        handler: handlerOf('issuer'),
      }),
    );
    doors.set(
      'mtls',
      await openDoor({
        name: 'mtls',
        host: mtls.host,
        port: mtls.port,
        authorities: [authorityOf(mtls.origin)],
        tls: {
          ...(await tls(mtls)),
          clientCertificate: mtls.clientCertificate,
          acceptPeer: acceptPeer(settings, rooms),
        },
        handler: handlerOf('mtls'),
        onRefusedHandshake: (refused) => rooms.audit.enqueue(handshakeRefused(refused)),
      }),
    );
    if (plain !== undefined) {
      doors.set(
        'plain',
        await openDoor({
          name: 'plain',
          host: plain.host,
          port: plain.port,
          authorities: [authorityOf(plain.origin)],
          tls: { ...(await tls(plain)), clientCertificate: 'none' },
          handler: handlerOf('plain'),
        }),
      );
    }
    if (control !== undefined) doors.set('control', await openControl(control, rooms, settings));
  } catch (cause) {
    await Promise.all([...doors.values()].map((door) => door.close()));
    throw cause;
  }
  return doors;
}

/** Anything longer is no chain that trust would read. */
const MAXIMUM_CHAIN = 8;

/** In handshake mode a certificate that no bank here trusts ends the handshake (LAB-41); each request is judged anew all the same. */
function acceptPeer(settings: Settings, rooms: Rooms) {
  return async (socket: TLSSocket): Promise<boolean> => {
    const chain: Uint8Array[] = [];
    for (
      let next = socket.getPeerX509Certificate();
      next !== undefined && chain.length < MAXIMUM_CHAIN;
      next = next.issuerCertificate
    ) {
      chain.push(next.raw);
    }
    for (const bank of settings.banks) if ((await rooms.trust.judge(chain, bank.id)).ok) return true;
    return false;
  };
}

const WELL_KNOWN = /^\/\.well-known\/(oauth-authorization-server|openid-configuration)\/([a-z][a-z0-9-]*)$/;
const BANK_PATH = /^\/([a-z][a-z0-9-]*)(\/.*)?$/s;

/** `/{bank}/…` to the room that owns the rest of the path at this door; RFC 8414 §3.1 puts the bank behind `.well-known`. */
async function route(parts: Edges, door: DoorKind, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '/';
  const discovery = WELL_KNOWN.exec(url);
  const [, id, rest] =
    discovery === null ? (BANK_PATH.exec(url) ?? []) : [undefined, discovery[2], `/.well-known/${discovery[1]}`];
  const edge = id === undefined ? undefined : parts.edges.get(id);
  const path = rest ?? '/';
  if (edge === undefined || id === undefined || (door === 'plain' && edge.settings.profile !== 'baseline')) {
    answerError(response, 404, 'not_found', 'there is nothing at this address: paths begin with the id of a bank');
    return;
  }
  if (
    door === 'issuer' &&
    (path.startsWith('/interaction/') || path.startsWith('/assets/')) &&
    parts.pages !== undefined
  ) {
    if (edge.authorization !== undefined) await edge.authorization.prepare(request, path, door);
    await parts.pages.handle(request, response, id, path);
    return;
  }
  if (edge.authorization?.owns(path, door) === true) {
    await edge.authorization.handle(request, response, path, door);
    return;
  }
  if (door !== 'issuer' && parts.gateway !== undefined) {
    await parts.gateway.handle(request, response, id, path, door);
    return;
  }
  answerError(response, 404, 'not_found', 'this process does not serve this path');
}

function answerError(response: ServerResponse, status: number, reason: string, message: string): void {
  const traceId = uuid();
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-fapi-interaction-id': traceId,
  });
  response.end(JSON.stringify({ error: { reason, message, traceId } }));
}

/** Ready means: the database answers, every migration is applied, every bank's keys are loaded. */
function readiness(settings: Settings, rooms: Rooms): ReadonlyMap<string, () => Promise<boolean>> {
  return new Map<string, () => Promise<boolean>>([
    ['database', async () => (await rooms.database.query('SELECT 1')).length === 1],
    ['migrations', () => isMigrated(rooms.database, rooms.migrations)],
    [
      'keys',
      async () => {
        const rings = await Promise.all(settings.banks.map((bank) => rooms.vault.keyring(bank.id)));
        return rings.every((ring) => ring.privateKeys.length > 0);
      },
    ],
    [
      'audit',
      async () => {
        rooms.audit.checkWritable();
        return true;
      },
    ],
  ]);
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not there`);
  return value;
}
