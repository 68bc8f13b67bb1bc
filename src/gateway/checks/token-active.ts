import type { Clock } from '../../platform/clock.ts';
import { Refusal } from '../../platform/refusal.ts';
import type { TokenResolution } from '../../tokens/index.ts';
import { type Call, known, learn, withAnswer } from '../call.ts';
import type { Check } from '../check.ts';

/** The token is one of this bank's, unaltered, unexpired and not revoked. */
export const tokenActive: Check = {
  id: 'token-active',
  clause: 'acceptance.md §1.3 (4); LAB-11, LAB-22, WSN-39, N-75',
  run(call, { tokens, clock }) {
    const { bank } = call;
    const resolution = tokens.resolve(bank.id, bank.issuer, known(call, 'bearer'));
    return withAnswer(resolution, (answer) => accept(call, answer, clock));
  },
};

function accept(call: Call, resolution: TokenResolution, clock: Clock): void {
  if (resolution.state !== 'invalid') learn(call, 'token', resolution.facts);
  if (resolution.state !== 'active') throw refusalOf(resolution);
  const { facts } = resolution;
  if (facts.bank !== call.bank.id)
    throw new Refusal('token_invalid', 401, 'The access token is not valid here.', { detail: 'foreign_bank' });
  if (facts.expiresAt.getTime() <= clock.now().getTime()) throw expired();
}

function expired(): Refusal {
  return new Refusal('token_expired', 401, 'The access token has expired; ask for a new one.');
}

function refusalOf(resolution: Exclude<TokenResolution, { state: 'active' }>): Refusal {
  switch (resolution.state) {
    case 'expired':
      return expired();
    case 'revoked':
      return new Refusal('token_revoked', 401, 'The access token was revoked.');
    case 'invalid':
      return new Refusal('token_invalid', 401, 'The access token is not valid here.', { detail: resolution.detail });
    default:
      return resolution satisfies never;
  }
}
