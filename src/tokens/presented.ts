import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Vault } from '../vault/index.ts';
import { findDisagreement } from './agreement.ts';
import { shapeOf, unverifiedClaims } from './shape.ts';
import { findToken, type TokenRow } from './store.ts';

/** The type of our self-contained access tokens (RFC 9068 §2.1). */
const JWT_TYPE = 'at+jwt';

/** What reading a presented token takes; `hash` gives the keyed hash of an id. */
export interface Reading {
  readonly database: Database;
  readonly vault: Pick<Vault, 'verifyJwt' | 'hasher'>;
  readonly hash: (bank: string, id: string) => Promise<string>;
  readonly log: TokensLog | undefined;
}

/** Where contradictions are told that should not be there. */
export interface TokensLog {
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** A kept token with the moment that ends it, or why it is none of ours. */
export type Found = { readonly row: TokenRow; readonly endsAt: Date } | { readonly invalid: string };

/** Finds out what a presented text is, by its form and then by what is known of it. */
export async function findPresented(reading: Reading, bank: string, issuer: string, token: string): Promise<Found> {
  const shape = shapeOf(token);
  switch (shape) {
    case 'opaque':
      return findOpaque(reading, bank, token);
    case 'jwt':
      return findStructured(reading, bank, issuer, token);
    case undefined:
      return { invalid: 'malformed' };
    default:
      return shape satisfies never;
  }
}

async function findOpaque({ database, hash }: Reading, bank: string, token: string): Promise<Found> {
  const row = await findToken(database, bank, await hash(bank, token), 'opaque');
  return row === undefined ? { invalid: 'unknown' } : { row, endsAt: row.facts.expiresAt };
}

/** Verifies a JWT and looks up the row of its id: without a row it was never issued, whoever signed it. */
async function findStructured(reading: Reading, bank: string, issuer: string, token: string): Promise<Found> {
  const verified = await verify(reading.vault, bank, issuer, token);
  if ('invalid' in verified) return verified;
  const { jti, exp } = verified.claims;
  if (typeof jti !== 'string' || jti === '' || typeof exp !== 'number') return { invalid: 'claim_missing' };
  const row = await findToken(reading.database, bank, await reading.hash(bank, jti), 'jwt');
  if (row === undefined) return { invalid: 'unknown' };
  const disagreement = findDisagreement(verified.claims, row.facts);
  if (disagreement !== undefined) {
    logDisagreement(reading.log, row, disagreement);
    return { invalid: `${disagreement}_differs` };
  }
  return { row, endsAt: new Date(Math.min(exp * 1000, row.facts.expiresAt.getTime())) };
}

/** The id of a JWT that this bank signed, whatever it says of its issuer: to deny it, not to believe it. */
export async function findJwtId(vault: Reading['vault'], bank: string, token: string): Promise<string | undefined> {
  const issuer = unverifiedClaims(token)?.iss;
  if (typeof issuer !== 'string') return undefined;
  const verified = await verify(vault, bank, issuer, token);
  return 'claims' in verified && typeof verified.claims.jti === 'string' ? verified.claims.jti : undefined;
}

type Verified = { readonly claims: Readonly<Record<string, unknown>> } | { readonly invalid: string };

async function verify(vault: Reading['vault'], bank: string, issuer: string, token: string): Promise<Verified> {
  try {
    const claims = await vault.verifyJwt(bank, token, { type: JWT_TYPE, issuer, audience: undefined });
    return { claims };
  } catch (cause) {
    // Only a verdict about the token is an answer; a vault that cannot judge must not make one.
    if (!(cause instanceof Refusal) || cause.status !== 401) throw cause;
    // Expiry is judged last, over a good signature: the row of its id can tell whose it was.
    const claims = cause.code === 'token_expired' ? unverifiedClaims(token) : undefined;
    return claims === undefined ? { invalid: cause.detail ?? cause.code } : { claims };
  }
}

/** A verified token that contradicts its own row: tampering with the database, or a defect of ours. */
function logDisagreement(log: TokensLog | undefined, { facts }: TokenRow, member: string): void {
  log?.warn({ bank: facts.bank, client: facts.client, member }, 'an access token contradicts its row and was refused');
}
