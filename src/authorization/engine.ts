import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';
import Provider from 'oidc-provider';
import { createArtifactAdapter } from './adapter.ts';
import { completeAnswers } from './answers.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { acceptedAudiences, secretComparison } from './client-authentication.ts';
import { createClientAdapter, requestActor } from './client-model.ts';
import { configurationOf } from './configuration.ts';
import { checkForm } from './form-body.ts';
import { createGrantAdapter, endConsent } from './grant-model.ts';
import { peerOf } from './peer.ts';
import { registrationGate } from './registration.ts';
import { limitRequests } from './request-limit.ts';
import { createArtifactStore } from './store.ts';
import { createTokenAdapter } from './token-model.ts';
import { noteRedeemed } from './unredeemed-store.ts';

const TOKEN_MODELS = new Set(['AccessToken', 'ClientCredentials']);
/** The engine asks for these when features are off that we never turn on; they hold nothing. */
const UNUSED_MODELS = new Set([
  'InitialAccessToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
]);

/** One bank's engine: an `oidc-provider` with our storage, rules and answers. */
export async function createEngine(bank: AuthorizationBank, rooms: AuthorizationRooms): Promise<Provider> {
  const { vault } = rooms;
  const [keyring, cookieKey, pairwise, hash] = await Promise.all([
    vault.keyring(bank.id),
    vault.secret(bank.id, 'cookies'),
    vault.hasher(bank.id, 'pairwise'),
    vault.hasher(bank.id, 'artifacts'),
  ]);
  const cookieKeys = [Buffer.from(cookieKey).toString('base64url')];
  let provider: Provider | undefined;
  const subjectOf = async (payload: AdapterPayload): Promise<string> => {
    const { accountId, clientId } = payload;
    if (clientId === undefined) throw new Error('the engine issued an access token without a client');
    if (accountId === undefined) return clientId;
    const client = await provider?.Client.find(clientId);
    return pairwise(`${client?.sectorIdentifier ?? clientId} ${accountId}`);
  };
  const adapter = adapterFactory(bank, rooms, hash, subjectOf);
  provider = construct(bank, () => configurationOf({ bank, rooms, keyring, adapter, cookieKeys, pairwise }));
  provider.on('server_error', (ctx, cause) => {
    peerOf(ctx.req).failure = cause;
  });
  override(provider, bank, rooms);
  provider.use(completeAnswers(bank, rooms));
  provider.use(limitRequests(bank, rooms));
  provider.use(checkForm(bank.profile));
  if (bank.statements !== undefined) provider.use(registrationGate(provider, bank, rooms, bank.statements));
  return provider;
}

/** A malformed key makes the engine throw an error that carries the private key: it must not travel further (engine.md B7). */
function construct(bank: AuthorizationBank, configuration: () => ConstructorParameters<typeof Provider>[1]): Provider {
  try {
    return new Provider(bank.issuer, configuration());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown';
    throw new Error(`bank ${bank.id}: the authorization server refused its configuration: ${reason}`);
  }
}

function adapterFactory(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  hash: (value: string) => string,
  subjectOf: (payload: AdapterPayload) => Promise<string>,
): AdapterFactory {
  const store = createArtifactStore(rooms.database, bank.id);
  const revokeGrant = async (grant: string): Promise<void> => {
    await store.removeGrant(grant);
    const actor = { kind: 'system', reference: 'replay' } as const;
    await rooms.tokens.deny({ bank: bank.id, consent: grant }, actor);
    await endConsent(rooms.consents, bank.id, grant, actor);
  };
  const redeemed = (grant: string) =>
    noteRedeemed(rooms.database, { bank: bank.id, consent: grant }, rooms.clock.now());
  const parts = { bank: bank.id, store, vault: rooms.vault, clock: rooms.clock, hash, redeemed, revokeGrant };
  return (model): Adapter => {
    if (model === 'Client') return createClientAdapter({ bank: bank.id, confirming: bank, ...rooms });
    if (TOKEN_MODELS.has(model)) return endingAlone(createTokenAdapter(bank, rooms, subjectOf));
    if (UNUSED_MODELS.has(model)) return nothing;
    const rows = endingAlone(createArtifactAdapter(model, parts));
    return model === 'Grant' ? createGrantAdapter(rows, rooms.consents, bank.id, requestActor) : rows;
  };
}

/**
 * A revoked access token ends alone, in either format (RFC 7009 §2.1 leaves it open): the engine would end every token of the
 * grant and leave the consent standing, which the customer would then see without effect.
 */
function endingAlone(adapter: Adapter): Adapter {
  return {
    ...adapter,
    revokeByGrantId: async (grant) => {
      const oidc = Provider.ctx?.oidc;
      const alone = oidc?.route === 'revocation' && oidc.entities.AccessToken !== undefined;
      if (!alone) await adapter.revokeByGrantId(grant);
    },
  };
}

const nothing: Adapter = {
  upsert: async () => {
    throw new Error('this platform does not use that grant');
  },
  find: async () => undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => undefined,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
};

/** The two typed methods this platform replaces (engine.md §5); contract tests hold them in place. */
function override(provider: Provider, bank: AuthorizationBank, rooms: AuthorizationRooms): void {
  const audiences = acceptedAudiences(bank);
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = () => new Set(audiences);
  const compare = secretComparison(bank, rooms.directory, rooms.vault);
  provider.Client.prototype.compareClientSecret = function compareClientSecret(actual: string) {
    return compare(this.clientId, Provider.ctx, actual);
  };
}
