import type { AccessToken, Client, ClientCredentials, KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import type { Directory, Standing } from '../directory/index.ts';
import { epochSeconds } from '../platform/clock.ts';
import type { TokenFacts } from '../tokens/index.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { MANAGEMENT_ROLE } from './management.ts';
import { peerOf } from './peer.ts';
import { isAuthorised } from './register-check.ts';

type EngineToken = AccessToken | ClientCredentials | RefreshToken;

/** The owner of a token asks about its own; the bank's own resource servers about all of this bank (CLD-32, CLD-35). */
function mayAsk(bank: AuthorizationBank, caller: Standing | undefined, callerId: string, owner: string): boolean {
  if (callerId === owner) return true;
  const { management } = bank;
  if (management === undefined || caller?.participant.id !== management.participant) return false;
  return caller.participant.roles.some((role) => role === MANAGEMENT_ROLE);
}

/**
 * A token is worth no more here than at the gateway: nothing with a certificate that is its client's no longer, also when it was
 * made at the very moment the certificate ended (CA-18, CA-19), and nothing without one where tokens must be bound.
 */
function isOfClient(bank: AuthorizationBank, { certificates }: Standing, thumbprint: string | undefined): boolean {
  if (!bank.profile.requireBoundTokens && (thumbprint === undefined || certificates.length === 0)) return true;
  return certificates.some((bound) => bound.thumbprint === thumbprint);
}

/** RFC 7662 §2.1: who may ask, and whose tokens still mean something. False makes the answer exactly `{"active":false}`. */
export function mayIntrospect(bank: AuthorizationBank, directory: Directory) {
  return async (ctx: KoaContextWithOIDC, client: Client, token: EngineToken): Promise<boolean> => {
    const caller = peerOf(ctx.req).standing;
    if (caller?.participant.status !== 'approved' || token.clientId === undefined) return false;
    const owner = token.clientId === client.clientId ? caller : await directory.standing(bank.id, token.clientId);
    if (owner?.participant.status !== 'approved' || !isOfClient(bank, owner, token['x5t#S256'])) return false;
    return mayAsk(bank, caller, client.clientId, token.clientId) && isAuthorised(bank, peerOf(ctx.req), owner);
  };
}

/** RFC 7009 §2.1: a client revokes its own tokens only; for others the answer tells nothing (N-74). */
export async function mayRevoke(_ctx: KoaContextWithOIDC, client: Client, token: EngineToken): Promise<boolean> {
  return token.clientId === client.clientId;
}

/**
 * Completes what the engine leaves out: it authenticates the caller and then refuses every self-contained token, because it
 * keeps none; this platform keeps a row for each, so RFC 7662 and RFC 7009 hold for both formats. Runs after the engine.
 */
export async function answerStructuredToken(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  const { route, client, params } = ctx.oidc;
  if (client === undefined || typeof params?.token !== 'string') return;
  const resolution = await rooms.tokens.resolve(bank.id, bank.issuer, params.token);
  if (route === 'revocation') {
    if (resolution.state === 'active' && resolution.facts.client === client.clientId) {
      const actor = {
        kind: 'participant',
        reference: client.clientId,
        interaction: peerOf(ctx.req).interaction,
      } as const;
      await rooms.tokens.deny({ bank: bank.id, token: params.token }, actor);
    }
    ctx.status = 200;
    ctx.body = '';
    return;
  }
  ctx.status = 200;
  ctx.body =
    resolution.state === 'active' && (await maySee(bank, rooms, ctx, client.clientId, resolution.facts))
      ? activeAnswer(bank, resolution.facts)
      : { active: false };
}

async function maySee(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  ctx: KoaContextWithOIDC,
  caller: string,
  facts: TokenFacts,
): Promise<boolean> {
  const standing = peerOf(ctx.req).standing;
  if (standing?.participant.status !== 'approved' || !mayAsk(bank, standing, caller, facts.client)) return false;
  const owner = facts.client === caller ? standing : await rooms.directory.standing(bank.id, facts.client);
  if (owner?.participant.status !== 'approved' || !isOfClient(bank, owner, facts.thumbprint)) return false;
  if (!(await isAuthorised(bank, peerOf(ctx.req), owner))) return false;
  if (facts.consent === undefined) return true;
  const consent = await rooms.consents.current(bank.id, facts.consent);
  return consent?.state === 'Authorised' && consent.client === facts.client;
}

function activeAnswer(bank: AuthorizationBank, facts: TokenFacts): Record<string, unknown> {
  return {
    active: true,
    iss: bank.issuer,
    sub: facts.subject,
    client_id: facts.client,
    aud: facts.audience,
    exp: epochSeconds(facts.expiresAt),
    iat: epochSeconds(facts.issuedAt),
    token_type: 'Bearer',
    participant_id: facts.participant,
    ...(facts.scopes.length === 0 ? {} : { scope: facts.scopes.join(' ') }),
    ...(facts.consent === undefined ? {} : { consent_id: facts.consent }),
    ...(facts.thumbprint === undefined ? {} : { cnf: { 'x5t#S256': facts.thumbprint } }),
  };
}
