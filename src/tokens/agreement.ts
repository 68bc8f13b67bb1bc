import { isRecord } from '../platform/json.ts';
import type { TokenFacts } from './token.ts';

/** The members in which a verified JWT and the row of its id can contradict each other. */
export type Disagreement = 'client_id' | 'scope' | 'cnf' | 'aud' | 'consent_id';

/**
 * Compares a verified JWT with the row of its id: the facts come from the row, and a token that claims anything else is
 * none of ours. A confirmation of a kind we do not know disagrees as well (RFC 7800 §3.1).
 */
export function findDisagreement(
  claims: Readonly<Record<string, unknown>>,
  facts: TokenFacts,
): Disagreement | undefined {
  if (claims.client_id !== facts.client) return 'client_id';
  if (!sameScopes(claims.scope, facts.scopes)) return 'scope';
  if (!sameBinding(claims.cnf, facts.thumbprint)) return 'cnf';
  if (!sameAudience(claims.aud, facts.audience)) return 'aud';
  if (claims.consent_id !== undefined && claims.consent_id !== facts.consent) return 'consent_id';
  return undefined;
}

function sameScopes(claim: unknown, scopes: readonly string[]): boolean {
  if (claim === undefined) return scopes.length === 0;
  if (typeof claim !== 'string') return false;
  const claimed = new Set(claim.split(' ').filter((scope) => scope !== ''));
  return claimed.size === new Set(scopes).size && scopes.every((scope) => claimed.has(scope));
}

function sameBinding(claim: unknown, thumbprint: string | undefined): boolean {
  if (claim === undefined) return thumbprint === undefined;
  if (!isRecord(claim)) return false;
  return thumbprint !== undefined && Object.keys(claim).length === 1 && claim['x5t#S256'] === thumbprint;
}

function sameAudience(claim: unknown, audience: string): boolean {
  return claim === audience || (Array.isArray(claim) && claim.length === 1 && claim[0] === audience);
}
