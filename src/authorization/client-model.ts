import type { Adapter, AdapterPayload } from 'oidc-provider';
import Provider from 'oidc-provider';
import type { Actor } from '../audit/index.ts';
import type { Consents } from '../consent/index.ts';
import type { Directory, Standing } from '../directory/index.ts';
import { sha256 } from '../platform/random.ts';
import type { Tokens } from '../tokens/index.ts';
import type { ClientCertificate } from '../trust/index.ts';
import type { Vault } from '../vault/index.ts';
import { endConsent } from './grant-model.ts';
import { peerOf } from './peer.ts';
import { mayHaveTokens, type RegisterBank } from './register-check.ts';
import { registrationOf } from './registration-context.ts';

/** Routes that a browser walks: a client that may do nothing is unknown there, so that the answer is a page and no redirect. */
const BROWSER_ROUTES = new Set(['authorization', 'resume']);

/** Consents ended between two looks at the store. */
const CONSENTS_AT_ONCE = 100;

/** What the engine's clients need. */
export interface ClientModelParts {
  readonly bank: string;
  readonly directory: Directory;
  /** The competent authorities' register, and who need not be in it. */
  readonly confirming: RegisterBank;
  readonly vault: Vault;
  readonly tokens: Tokens;
  readonly consents: Consents;
}

/**
 * The engine's clients: the directory's, as they stand now. A participant that is not approved keeps its clients, but they may
 * do nothing: the engine then answers `unauthorized_client` once the client has proved who it is (LAB-15, LAB-16).
 */
export function createClientAdapter(parts: ClientModelParts): Adapter {
  const { bank, directory } = parts;
  return {
    find: async (id) => {
      const standing = await directory.standing(bank, id);
      const ctx = Provider.ctx;
      // The caller comes first; a token's owner, looked up later in the same request, does not take its place.
      if (ctx !== undefined) peerOf(ctx.req).standing ??= standing;
      if (standing === undefined || standing.participant.status === 'removed') return undefined;
      const approved = standing.participant.status === 'approved';
      const active =
        approved &&
        (ctx === undefined || (await mayHaveTokens(parts.confirming, peerOf(ctx.req), standing, ctx.oidc.route)));
      if (!active && ctx !== undefined && BROWSER_ROUTES.has(ctx.oidc.route)) return undefined;
      return active ? metadataOf(standing) : { ...metadataOf(standing), grant_types: [], response_types: [] };
    },
    upsert: (id, payload) => save(parts, id, payload),
    destroy: async (id) => {
      const actor = requestActor();
      await directory.removeClient(bank, id, actor);
      await parts.tokens.deny({ bank, client: id }, actor);
      await endConsents(parts.consents, bank, id, actor);
    },
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => {
      throw new Error('clients are not consumed');
    },
    revokeByGrantId: async () => undefined,
  };
}

/** What a deleted client was allowed is over: the customers see it ended (N-135). Page by page, as long as there is one. */
async function endConsents(consents: Consents, bank: string, client: string, actor: Actor): Promise<void> {
  for (;;) {
    const page = await consents.list({ bank, client, state: 'Authorised', limit: CONSENTS_AT_ONCE });
    for (const { id } of page) await endConsent(consents, bank, id, actor);
    if (page.length < CONSENTS_AT_ONCE) return;
  }
}

/** Made once for each client as the directory has it. */
const payloads = new WeakMap<Standing['client'], AdapterPayload>();

/** Metadata in the engine's form. The engine wants some secret for a client that uses one; it is a mark of the stored hash, never compared. */
function metadataOf({ client }: Standing): AdapterPayload {
  const known = payloads.get(client);
  if (known !== undefined) return known;
  const [hash] = client.secretHashes;
  const payload = { ...client.metadata, ...(hash === undefined ? {} : { client_secret: sha256(hash) }) };
  payloads.set(client, withDigest(payload));
  return payload;
}

/**
 * The engine knows a client it has built by the hash of its metadata as JSON, made anew for every request: a digest of that
 * text stands for it as well, and is made once.
 */
function withDigest(payload: AdapterPayload): AdapterPayload {
  const digest = sha256(JSON.stringify(payload));
  return Object.defineProperty(payload, 'toJSON', { value: () => digest });
}

/** Registration and update arrive here from the engine, after it has checked RFC 7591's own rules. */
async function save(parts: ClientModelParts, id: string, payload: AdapterPayload): Promise<void> {
  const { bank, directory, vault } = parts;
  const { client_secret: secret, client_secret_expires_at: _expiry, ...metadata } = payload;
  const ctx = Provider.ctx;
  const registration = ctx === undefined ? undefined : registrationOf(ctx.req);
  if (registration === undefined) throw new Error('a client can only be written by a checked registration');
  if (registration.replaces !== undefined) {
    await replace(parts, id, metadata, registration.certificate);
    return;
  }
  await directory.registerClient(
    {
      bank,
      id,
      participant: registration.participant,
      softwareId: registration.softwareId,
      metadata,
      certificate: registration.certificate,
      secretHash: typeof secret === 'string' ? await vault.hashSecret(secret) : undefined,
    },
    requestActor(),
  );
}

/** CA-18: an update that comes with a renewed certificate is the audited re-bind; the old one and its tokens end at once. */
async function replace(
  { bank, directory, tokens }: ClientModelParts,
  id: string,
  metadata: Readonly<Record<string, unknown>>,
  certificate: ClientCertificate,
): Promise<void> {
  const before = (await directory.standing(bank, id))?.certificates ?? [];
  await directory.replaceClient(bank, id, metadata, requestActor(), certificate);
  if (before.some((bound) => bound.thumbprint === certificate.thumbprint)) return;
  for (const { thumbprint } of before) await tokens.deny({ bank, client: id, thumbprint }, requestActor());
}

/** Who acts in the request at hand: the participant whose client or registration it is. */
export function requestActor(): Actor {
  const ctx = Provider.ctx;
  if (ctx === undefined) return { kind: 'system', reference: 'authorization' };
  const registration = registrationOf(ctx.req);
  const reference = registration?.participant ?? peerOf(ctx.req).standing?.client.id ?? 'unknown';
  return { kind: 'participant', reference, interaction: peerOf(ctx.req).interaction };
}
