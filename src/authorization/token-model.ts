import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Actor } from '../audit/index.ts';
import type { TokenFacts } from '../tokens/index.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { hasGrant } from './store.ts';

/** Who ends a token when the engine does: the request was a participant's, or the engine found a replay. */
const ENGINE: Actor = { kind: 'system', reference: 'authorization' };

/** Turns what the engine knows of an access token into the facts both sides use. @throws Error when a bound or owned token lacks its facts: a defect */
export function factsOf(
  bank: AuthorizationBank,
  format: TokenFacts['format'],
  payload: AdapterPayload,
  subject: string,
): TokenFacts {
  const { clientId, accountId, grantId, iat, exp, aud, scope, extra } = payload;
  const participant = extra?.participant_id;
  if (clientId === undefined || iat === undefined || exp === undefined || typeof participant !== 'string') {
    throw new Error('the engine issued an access token without client, participant or lifetime');
  }
  return {
    bank: bank.id,
    format,
    kind: accountId === undefined ? 'participant' : 'customer',
    client: clientId,
    participant,
    customer: accountId,
    subject,
    scopes: scope === undefined || scope === '' ? [] : scope.split(' '),
    consent: grantId,
    audience: typeof aud === 'string' ? aud : (aud?.[0] ?? bank.mtlsBase),
    thumbprint: payload['x5t#S256'],
    issuedAt: new Date(iat * 1000),
    expiresAt: new Date(exp * 1000),
  };
}

/** What issued tokens are kept with. */
export type TokenKeeping = Pick<AuthorizationRooms, 'database' | 'tokens'>;

/**
 * Keeps an issued token, which is handed out only while its grant stands. Whoever ends a grant and leaves its consent ends the
 * tokens afterwards, and here the grant is looked for once the token is kept: whatever comes first, one of the two sees the other.
 * @throws InvalidGrant when the grant was ended meanwhile
 */
export async function keepToken(
  { database, tokens }: TokenKeeping,
  id: string,
  facts: TokenFacts,
  payload: AdapterPayload | undefined,
): Promise<void> {
  await tokens.save(id, facts, payload && { ...payload });
  const { bank, consent: grant } = facts;
  if (grant === undefined || (await hasGrant(database, bank, grant))) return;
  await tokens.deny({ bank, token: id }, ENGINE);
  throw new errors.InvalidGrant('the grant was ended meanwhile');
}

/** The engine's opaque access tokens, of both kinds: written through the room `tokens`, which the gateway reads too. */
export function createTokenAdapter(
  bank: AuthorizationBank,
  rooms: TokenKeeping,
  subjectOf: (payload: AdapterPayload) => Promise<string>,
): Adapter {
  const { tokens } = rooms;
  return {
    upsert: async (id, payload) => {
      await keepToken(rooms, id, factsOf(bank, 'opaque', payload, await subjectOf(payload)), payload);
    },
    find: (id) => tokens.findPayload(bank.id, id),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => {
      throw new Error('access tokens are not consumed');
    },
    destroy: async (id) => {
      await tokens.deny({ bank: bank.id, token: id }, ENGINE);
    },
    // Kills tokens of both formats: every issued token has its row.
    revokeByGrantId: async (grant) => {
      await tokens.deny({ bank: bank.id, consent: grant }, ENGINE);
    },
  };
}
