import type { AdapterPayload, Configuration, KoaContextWithOIDC, ResourceServer } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { isOwnAccount, managementScopesOf } from './management.ts';
import { peerOf } from './peer.ts';
import { mayBeIssued } from './register-check.ts';
import { rolesAtIssuance } from './roles.ts';
import { factsOf, keepToken } from './token-model.ts';

/** Scopes that OpenID Connect itself knows, and no API (OpenID Connect Core §3.1.2.1 and §11). */
export const OIDC_SCOPES: ReadonlySet<string> = new Set(['openid', 'offline_access']);

/** Access tokens as this bank issues them: format, audience, scopes by role, and the facts they carry. */
export function createIssuance(bank: AuthorizationBank, rooms: AuthorizationRooms) {
  return {
    resourceServer: (ctx: KoaContextWithOIDC, indicator: string) => resourceServer(bank, ctx, indicator),
    options: {
      extraTokenClaims: async (ctx, token) => ({
        participant_id: (await participantOf(bank, rooms, ctx, token.clientId)).id,
        ...('grantId' in token && token.grantId !== undefined ? { consent_id: token.grantId } : {}),
      }),
      // A refresh token lives with its consent; whether one is wanted is the client's registration (CLD-29).
      issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
      formats: {
        bitsOfOpaqueRandomness: 256,
        customizers: {
          // A self-contained token has its row too: written before it is handed out, so that it can be denied (engine.md B13).
          jwt: async (_ctx, token, parts) => {
            const { payload } = parts;
            const facts = factsOf(bank, 'jwt', recordOf(payload, token), String(payload.sub));
            await keepToken(rooms, String(payload.jti), facts, undefined);
          },
        },
      },
    } satisfies Partial<Configuration>,
  };
}

/** The payload's members in the engine's own names, as an opaque token's payload has them. */
function recordOf(
  payload: Readonly<Record<string, unknown>>,
  token: Pick<AdapterPayload, 'clientId' | 'accountId' | 'aud' | 'x5t#S256'>,
): AdapterPayload {
  const { iat, exp, scope, consent_id: grantId, participant_id: participant } = payload;
  if (typeof iat !== 'number' || typeof exp !== 'number') throw new Error('the engine built a token without lifetime');
  return {
    clientId: token.clientId,
    accountId: token.accountId,
    aud: token.aud,
    'x5t#S256': token['x5t#S256'],
    iat,
    exp,
    scope: typeof scope === 'string' ? scope : undefined,
    grantId: typeof grantId === 'string' ? grantId : undefined,
    extra: { participant_id: participant },
  };
}

async function resourceServer(
  bank: AuthorizationBank,
  ctx: KoaContextWithOIDC,
  indicator: string,
): Promise<ResourceServer> {
  if (!(await mayBeIssued(bank, peerOf(ctx.req), ctx.oidc.route))) throw new errors.UnauthorizedClient();
  return {
    scope: scopesAt(bank, ctx, indicator).join(' '),
    audience: indicator,
    accessTokenTTL: bank.profile.accessTokenSeconds,
    accessTokenFormat: bank.accessTokens,
    jwt: { sign: { alg: 'ES256' } },
  };
}

/** What may be asked for at one of our APIs; the management API does not exist for anybody but the bank itself. */
function scopesAt(bank: AuthorizationBank, ctx: KoaContextWithOIDC, indicator: string): readonly string[] {
  if (indicator === bank.mtlsBase) {
    const own = allowedScopes(bank, ctx);
    // Without a customer there is nobody to tell about, and nothing to do while they are away.
    return ctx.oidc.params?.grant_type === 'client_credentials' ? own : [...OIDC_SCOPES, ...own];
  }
  const peer = peerOf(ctx.req);
  const participant = peer.standing?.participant.id;
  const own =
    participant === undefined ? [] : managementScopesOf(bank, { participant, roles: rolesAtIssuance(bank, peer) });
  if (indicator !== bank.management?.audience || own.length === 0 || !isOwnAccount(ctx))
    throw new errors.InvalidTarget();
  return own;
}

/** API scopes that the roles of directory, certificate and register allow right now (WSN-21). */
function allowedScopes(bank: AuthorizationBank, ctx: KoaContextWithOIDC): readonly string[] {
  const roles = rolesAtIssuance(bank, peerOf(ctx.req));
  const allowed = bank.scopes.filter((scope) =>
    (bank.rolesByScope[scope] ?? []).some((role) => roles.some((own) => own === role)),
  );
  checkAsked(bank, ctx, allowed);
  return allowed;
}

/** The engine would leave out what is not allowed and issue a token for nothing; a customer's grant may hold less than it did. */
function checkAsked(bank: AuthorizationBank, ctx: KoaContextWithOIDC, allowed: readonly string[]): void {
  if (!isOwnAccount(ctx)) return;
  const asked = String(ctx.oidc.params?.scope ?? '').split(' ');
  const foreign = asked.find((scope) => bank.scopes.includes(scope) && !allowed.includes(scope));
  if (foreign !== undefined)
    throw new errors.InvalidScope('the roles of the participant do not allow a scope', foreign);
}

async function participantOf(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  ctx: KoaContextWithOIDC,
  client: string | undefined,
) {
  const known = peerOf(ctx.req).standing;
  const standing =
    known?.client.id === client || client === undefined ? known : await rooms.directory.standing(bank.id, client);
  if (standing === undefined) throw new errors.InvalidClientAuth('client has no standing');
  if (standing.participant.status !== 'approved') throw new errors.UnauthorizedClient();
  return standing.participant;
}
