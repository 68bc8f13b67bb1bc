import { shapeOf } from './shape.ts';
import type { TokenFacts } from './token.ts';

/** The engine's own record of an opaque token. */
export type Payload = Readonly<Record<string, unknown>>;

/** @throws Error when the engine hands over what contradicts itself (LAB-02), or a payload that repeats the token: a defect */
export function checkIssued(id: string, facts: TokenFacts, payload: Payload | undefined): void {
  const { kind, customer, subject, client, format } = facts;
  if (shapeOf(id) !== 'opaque') throw new Error('an access token needs an id of base64url characters');
  if ((kind === 'customer') !== (customer !== undefined))
    throw new Error('a customer token has a customer, no other has');
  if (kind === 'participant' && subject !== client) throw new Error('the subject of a participant token is its client');
  if ((format === 'opaque') !== (payload !== undefined)) throw new Error('an opaque token has a payload, no other has');
  if (JSON.stringify(withoutId(payload) ?? {}).includes(id)) throw new Error('the payload repeats the token');
}

/** The engine's payload repeats the token as `jti`; no row may hold a token. */
export function withoutId(payload: Payload | undefined): Payload | undefined {
  if (payload === undefined) return undefined;
  const { jti: _token, ...rest } = payload;
  return rest;
}
