import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorizationBank } from './bank.ts';

/** Scopes of a bank's own staff and services at the management API (CLD-52, CLD-55, N-234). */
export const MANAGEMENT_SCOPES = [
  'management.consents.read',
  'management.consents.revoke',
  'management.participants',
  'management.audit',
  'management.tokens',
] as const;

/** One of them. */
export type ManagementScope = (typeof MANAGEMENT_SCOPES)[number];

/** The directory role of a bank's own entry (PSD2 account servicing payment service provider). */
export const MANAGEMENT_ROLE = 'ASPSP';

/** Who asks for management scopes. */
export interface ManagementAsker {
  readonly participant: string;
  readonly roles: readonly string[];
}

/** True for a text that names a management scope, exactly. */
export function isManagementScope(scope: string): scope is ManagementScope {
  return MANAGEMENT_SCOPES.some((known) => known === scope);
}

/** Scopes of the management API for an asker: all for the bank's own entry in the directory, none for anybody else. */
export function managementScopesOf(
  { management }: AuthorizationBank,
  { participant, roles }: ManagementAsker,
): readonly string[] {
  const own = management !== undefined && participant === management.participant && roles.includes(MANAGEMENT_ROLE);
  return own ? MANAGEMENT_SCOPES : [];
}

/** True for a token request by client credentials: no customer can hand out what is the bank's own. */
export function isOwnAccount(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.route === 'token' && ctx.oidc.params?.grant_type === 'client_credentials';
}

/** The API a token is for when the request names none (RFC 8707 §2): management when nothing else is asked for. */
export function defaultAudience(bank: AuthorizationBank, ctx: KoaContextWithOIDC): string {
  const { management, mtlsBase } = bank;
  const asked = String(ctx.oidc.params?.scope ?? '')
    .split(' ')
    .filter((scope) => scope !== '');
  const alone = management !== undefined && asked.length > 0 && asked.every(isManagementScope);
  return alone && isOwnAccount(ctx) ? management.audience : mtlsBase;
}
