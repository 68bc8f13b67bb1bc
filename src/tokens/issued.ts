import { shapeOf } from './shape.ts';
import type { TokenFacts } from './token.ts';

/** The engine's own record of an opaque token. */
export type Payload = Readonly<Record<string, unknown>>;

/** @throws Error when the engine hands over what contradicts itself (LAB-02): a defect */
export function checkIssued(id: string, facts: TokenFacts, payload: Payload | undefined): void {
  const { kind, customer, subject, client, format } = facts;
  if (shapeOf(id) !== 'opaque') throw new Error('an access token needs an id of base64url characters');
  if ((kind === 'customer') !== (customer !== undefined))
    throw new Error('a customer token has a customer, no other has');
  if (kind === 'participant' && subject !== client) throw new Error('the subject of a participant token is its client');
  if ((format === 'opaque') !== (payload !== undefined)) throw new Error('an opaque token has a payload, no other has');
}

/**
 * The engine's payload as it is kept, in JSON: without the token, which it repeats as `jti`. No row may hold a token.
 * @throws Error for a payload that repeats it elsewhere: a defect
 */
export function keptPayload(id: string, payload: Payload | undefined): string | undefined {
  if (payload === undefined) return undefined;
  const { jti: _token, ...rest } = payload;
  const text = JSON.stringify(rest);
  if (text.includes(id)) throw new Error('the payload repeats the token');
  return text;
}
