import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { type Clock, secondsAfter } from '../platform/clock.ts';
import type { Vault } from '../vault/index.ts';
import type { ArtifactStore, NewArtifact, WriteMode } from './store.ts';

/** How a model's rows are kept. */
interface ModelRule {
  /** True: the id is a secret, so only its keyed hash is kept. */
  readonly hashed: boolean;
  /** True: the payload tells too much (the whole authorization request, the session), so it is sealed. */
  readonly sealed: boolean;
  readonly write: WriteMode;
  /** True: `revokeByGrantId` must find its rows. */
  readonly grantable: boolean;
  /** How long a row is kept when the engine gives it no end. */
  readonly seconds?: number;
}

/** A registration access token lives as long as its client (RFC 7592 §5): longer than any certificate it renews. */
const REGISTRATION_SECONDS = 10 * 365 * 86_400;

const RULES: Readonly<Record<string, ModelRule>> = {
  Session: { hashed: true, sealed: true, write: 'replace', grantable: false },
  Interaction: { hashed: true, sealed: true, write: 'replace', grantable: false },
  Grant: { hashed: false, sealed: false, write: 'replace', grantable: false },
  AuthorizationCode: { hashed: true, sealed: true, write: 'insert', grantable: true },
  RefreshToken: { hashed: true, sealed: true, write: 'insert', grantable: true },
  PushedAuthorizationRequest: { hashed: true, sealed: true, write: 'insert', grantable: false },
  ReplayDetection: { hashed: false, sealed: false, write: 'insert-once', grantable: false },
  RegistrationAccessToken: {
    hashed: true,
    sealed: true,
    write: 'replace',
    grantable: false,
    seconds: REGISTRATION_SECONDS,
  },
};

/** The engine checks `exp` itself with this tolerance, so rows outlive it by as much (engine.md §8). */
const CLOCK_TOLERANCE_SECONDS = 15;
/** A pushed request is consumed when the authorization completes; its row must still be there then. */
const PUSHED_REQUEST_EXTRA_SECONDS = 600;
/** Artifacts always have an end, also where the engine leaves it out against expectation. */
const DEFAULT_SECONDS = 600;
/** What the vault seals at most. A pushed request reaches it first: the engine keeps it as a JWT, which is a third longer. */
const MAXIMUM_SEALED_BYTES = 65_536;

/** What the adapter needs beyond the rows. */
export interface AdapterParts {
  readonly bank: string;
  readonly store: ArtifactStore;
  readonly vault: Pick<Vault, 'seal' | 'open'>;
  readonly clock: Clock;
  /** Keyed hash of ids, under a key of this bank. */
  readonly hash: (value: string) => string;
  /** Notes that the code of a grant was redeemed. */
  readonly redeemed: (grant: string) => Promise<void>;
  /** Ends everything a grant carries: called when a code or refresh token is presented twice. */
  readonly revokeGrant: (grant: string) => Promise<void>;
}

/** The engine's storage for one model that is not a client, a grant or an access token: atomic by conditional statements (engine.md §8). */
export function createArtifactAdapter(model: string, parts: AdapterParts): Adapter {
  const rule = RULES[model];
  if (rule === undefined) throw new Error(`the engine asked for a model this platform does not keep: ${model}`);
  const { store, clock } = parts;
  const idOf = (id: string) => (rule.hashed ? parts.hash(id) : id);
  const read = async (artifact: Awaited<ReturnType<ArtifactStore['find']>>, id: string | undefined) =>
    artifact === undefined ? undefined : open(parts, model, artifact, id);
  return {
    upsert: async (id, payload, expiresIn) => {
      const artifact = await artifactOf(parts, model, rule, id, payload, expiresIn ?? rule.seconds ?? DEFAULT_SECONDS);
      const written = await store.write(model, artifact, rule.write, clock.now());
      if (!written) throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
    },
    // A replay mark is decided by its insertion alone: an answer here would only open the race between the two.
    find: async (id) =>
      model === 'ReplayDetection' ? undefined : read(await store.find(model, idOf(id), clock.now()), id),
    findByUid: async (uid) => read(await store.findByUid(model, parts.hash(uid), clock.now()), undefined),
    findByUserCode: async () => undefined,
    consume: (id) => consume(parts, model, idOf(id)),
    destroy: (id) => store.remove(model, idOf(id)),
    revokeByGrantId: (grant) => store.removeByGrant(model, grant),
  };
}

async function consume(parts: AdapterParts, model: string, id: string): Promise<void> {
  const { won, grant } = await parts.store.consume(model, id, parts.clock.now());
  if (won && model === 'AuthorizationCode' && grant !== undefined) await parts.redeemed(grant);
  if (won) return;
  if (model === 'PushedAuthorizationRequest') throw new errors.InvalidRequestUri('request_uri was already used');
  // The engine's own cascade runs only when it reads a consumed row: here the race was lost after reading.
  if (grant !== undefined) await parts.revokeGrant(grant);
  throw new errors.InvalidGrant('it was already used');
}

async function artifactOf(
  parts: AdapterParts,
  model: string,
  rule: ModelRule,
  id: string,
  payload: AdapterPayload,
  expiresIn: number,
): Promise<NewArtifact> {
  const { jti: _jti, ...rest } = payload;
  const kept = rest.session === undefined ? rest : { ...rest, session: { ...rest.session, cookie: undefined } };
  const json = JSON.stringify(kept);
  if (rule.sealed && Buffer.byteLength(json) > MAXIMUM_SEALED_BYTES) {
    throw new errors.InvalidRequest('the request is too large to be kept');
  }
  const extra = model === 'PushedAuthorizationRequest' ? PUSHED_REQUEST_EXTRA_SECONDS : CLOCK_TOLERANCE_SECONDS;
  return {
    id: rule.hashed ? parts.hash(id) : id,
    grant: rule.grantable ? payload.grantId : undefined,
    uid: model === 'Session' && payload.uid !== undefined ? parts.hash(payload.uid) : undefined,
    payload: rule.sealed ? await parts.vault.seal(contextOf(parts, model), new TextEncoder().encode(json)) : json,
    sealed: rule.sealed,
    expiresAt: secondsAfter(parts.clock.now(), expiresIn + extra),
  };
}

async function open(
  parts: AdapterParts,
  model: string,
  artifact: { payload: string; sealed: boolean; consumedAt: Date | undefined },
  id: string | undefined,
): Promise<AdapterPayload> {
  const json = artifact.sealed
    ? new TextDecoder().decode(await parts.vault.open(contextOf(parts, model), artifact.payload))
    : artifact.payload;
  const payload: AdapterPayload = JSON.parse(json);
  const consumed =
    artifact.consumedAt === undefined ? {} : { consumed: Math.floor(artifact.consumedAt.getTime() / 1000) };
  return { ...payload, ...(id === undefined ? {} : { jti: id }), ...consumed };
}

function contextOf(parts: AdapterParts, model: string): string {
  return `oauth/${parts.bank}/${model}`;
}
