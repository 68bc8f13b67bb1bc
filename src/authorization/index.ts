import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Actor } from '../audit/index.ts';
import { uuid } from '../platform/random.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { type CreatedClient, createBankClient, type NewBankClient } from './bank-client.ts';
import { FORM_ROUTES, ROUTES } from './configuration.ts';
import { createEngine } from './engine.ts';
import { certificateRefused } from './events.ts';
import type { Interactions } from './interaction.ts';
import { createInteractions } from './interactions.ts';
import { type DoorKind, setPeer } from './peer.ts';
import { sweepArtifacts } from './store.ts';

export type { AuthorizationBank, AuthorizationRooms, StatementSource } from './bank.ts';
export type { CreatedClient, NewBankClient } from './bank-client.ts';
export { type Interaction, type Interactions, PASSWORD_ACR } from './interaction.ts';
export { isManagementScope, MANAGEMENT_ROLE, MANAGEMENT_SCOPES, type ManagementScope } from './management.ts';
export type { DoorKind } from './peer.ts';
export { type ClientAuthenticationMethod, profiles, type SecurityProfile } from './profile.ts';
export { removeGrants } from './store.ts';
export {
  findUnredeemed,
  noteUnredeemed,
  removeAgreed,
  sweepUnredeemed,
  takeUnredeemed,
  type Unredeemed,
} from './unredeemed-store.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Endpoints that machines call with a client certificate: the only ones of ours at the mTLS door. */
const MACHINE_PATHS: readonly string[] = [...FORM_ROUTES.keys(), ROUTES.registration];
const SWEEP_INTERVAL_MS = 60_000;

/** One bank's authorization server. */
export interface Authorization {
  readonly interactions: Interactions;
  /** True when the path below the bank's prefix is ours at this door. */
  owns(path: string, door: DoorKind): boolean;
  /** Answers a request whose path, without the bank's prefix, is `path` (with its query). */
  handle(request: IncomingMessage, response: ServerResponse, path: string, door: DoorKind): Promise<void>;
  /** Makes the request known before the pages use the engine's cookies. */
  prepare(request: IncomingMessage, path: string, door: DoorKind): Promise<void>;
  /** A client the bank's staff makes: Lab 03's, or a resource server. @throws Refusal `field_invalid`, `participant_unknown` */
  createClient(client: NewBankClient, actor: Actor): Promise<CreatedClient>;
  close(): void;
}

/** Starts a bank's authorization server: its keys are loaded, its engine is ready. */
export async function createAuthorization(bank: AuthorizationBank, rooms: AuthorizationRooms): Promise<Authorization> {
  // First: keys that change while the engine is made may not be in it.
  let changedEarly = false;
  let keysChanged = (): void => {
    changedEarly = true;
  };
  rooms.vault.onRotation((rotated) => {
    if (rotated === bank.id) keysChanged();
  });
  let engine: Provider = await createEngine(bank, rooms);
  let callback = engine.callback();
  const renew = async (): Promise<void> => {
    try {
      engine = await createEngine(bank, rooms);
      callback = engine.callback();
    } catch (cause) {
      rooms.report('the authorization server could not take the new keys', cause);
    }
  };
  // One after the other: of two quick rotations the first could be built last, and its keys would stay.
  let renewal = changedEarly ? renew() : Promise.resolve();
  keysChanged = () => {
    renewal = renewal.then(renew);
  };
  await renewal;
  const consentId = await rooms.vault.hasher(bank.id, 'consent');
  const prepare = (request: IncomingMessage, path: string, door: DoorKind) =>
    prepareRequest(bank, rooms, request, path, door);
  const sweep = setInterval(() => {
    sweepArtifacts(rooms.database, rooms.clock.now()).catch((cause: unknown) => rooms.report('sweep failed', cause));
  }, SWEEP_INTERVAL_MS);
  sweep.unref();
  return {
    interactions: createInteractions(
      bank,
      rooms,
      () => engine,
      (uid) => `consent-${consentId(uid).slice(0, 32)}`,
    ),
    owns: (path, door) => ownsPath(path.split('?')[0] ?? '', door),
    prepare,
    handle: async (request, response, path, door) => {
      await prepare(request, path, door);
      await callback(request, response);
    },
    createClient: (client, actor) => createBankClient(bank, rooms, engine, client, actor),
    close: () => clearInterval(sweep),
  };
}

/**
 * Our paths have one spelling: the engine's router would take capitals and a slash at the end as well, and lead past the gates
 * that stand before it.
 */
const SPELLING = /^\/[a-z.-]+(?:\/[^/]+)*$/;

function ownsPath(path: string, door: DoorKind): boolean {
  if (!SPELLING.test(path)) return false;
  if (door === 'issuer') return true;
  const machine = MACHINE_PATHS.some(
    (own) => path === own || (own === ROUTES.registration && path.startsWith(`${own}/`)),
  );
  return machine || (door === 'plain' && (path === ROUTES.jwks || path.startsWith('/.well-known/')));
}

/** Everything the engine's synchronous hooks ask is known before it runs: the certificate's verdict, the interaction id. */
async function prepareRequest(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  request: IncomingMessage,
  path: string,
  door: DoorKind,
): Promise<void> {
  const sent = request.headers['x-fapi-interaction-id'];
  const interaction = typeof sent === 'string' && UUID.test(sent) ? sent : uuid();
  const verdict = door === 'mtls' ? await rooms.trust.clientCertificate(request, bank.id) : undefined;
  const peer = { door, verdict, interaction, standing: undefined, refusal: undefined, failure: undefined };
  setPeer(request, peer);
  if (verdict?.ok === false) rooms.audit.enqueue(certificateRefused(bank.id, peer));
  // The engine routes below the prefix and builds its addresses with it (engine.md §6.5).
  const routed: IncomingMessage & { originalUrl?: string } = request;
  routed.originalUrl = `/${bank.id}${path}`;
  routed.url = path;
}
