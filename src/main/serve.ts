import { readFile } from 'node:fs/promises';
import type { Authorization, Interactions } from '../authorization/index.ts';
import type { BankConnector } from '../bank/index.ts';
import { createGateway, type Gateway, type GatewayBank } from '../gateway/index.ts';
import type { Door } from '../platform/door.ts';
import { createUpstream, type Upstream } from '../platform/fetch.ts';
import type { Log } from '../platform/log.ts';
import { regimes } from '../regimes/index.ts';
import { createPages, type Pages } from '../web/index.ts';
import { openAuthorization, openConnector } from './authorization.ts';
import { startBackground } from './background.ts';
import { openConsentCallback } from './consent-stores.ts';
import { openDoors } from './doors.ts';
import { openManagement } from './management.ts';
import { pageBankOf } from './pages.ts';
import { openPortal } from './portal.ts';
import type { Rooms } from './rooms.ts';
import type { Edge } from './router.ts';
import { addressesOf, type Settings } from './settings.ts';
import { readAll } from './text-files.ts';
import { warnOfTrust } from './trust.ts';

/** Which edges this process serves: one process may serve all, several may share a database. */
export type ServeRole = 'authorization' | 'gateway' | 'web';

/** The running platform. */
export interface Platform {
  readonly doors: ReadonlyMap<string, Door>;
  close(): Promise<void>;
}

/** Opens every door of the configuration over open rooms. */
export async function serve(
  settings: Settings,
  rooms: Rooms,
  log: Log,
  roles: ReadonlySet<ServeRole> = new Set(['authorization', 'gateway', 'web']),
): Promise<Platform> {
  warnOfTrust(settings, log);
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
  const gateway = roles.has('gateway')
    ? await openGateway(settings, { ...rooms, log }, connectorOf, upstreams)
    : undefined;
  const consentCallback = roles.has('gateway') ? await openConsentCallback(settings, rooms, log) : undefined;
  const management = roles.has('web') ? await openManagement(settings, rooms, log) : undefined;
  const portal = roles.has('web') ? await openPortal(settings, rooms, connectorOf, log) : undefined;
  const served = { edges, gateway, consentCallback, pages, management, portal };
  const doors = await openDoors(settings, rooms, log, served);
  rooms.trustedLists.start();
  const background = startBackground(rooms, [...edges.keys()], [pages, portal], report);
  return {
    doors,
    close: async () => {
      await background.stop();
      await Promise.all([...doors.values()].map((door) => door.close()));
      for (const edge of edges.values()) edge.authorization?.close();
      await Promise.all(upstreams.map((upstream) => upstream.close()));
      await rooms.close();
    },
  };
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
  rooms: Rooms & { readonly log: Log },
  connectorOf: (bank: string) => BankConnector,
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
      authorities: await readAll(authorities),
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
      rolesFromDirectory: bank.trust.rolesFrom === 'directory',
      register: rooms.registers.get(bank.id),
      readsWithoutRevocation: bank.trust.readsWithoutRevocation,
      accountNumber: (customer, account) => connectorOf(bank.id).accountNumber(customer, account),
    });
  }
  return createGateway({ ...rooms, banks });
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

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not there`);
  return value;
}
