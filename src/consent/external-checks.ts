import { isDeepStrictEqual } from 'node:util';
import type { Authorisation, Consent, NewConsent } from './consent.ts';

/** What no step of a consent's life changes (CLD-54). */
const FIXED = ['id', 'participant', 'client', 'createdAt', 'authorizationDetails'] as const;

/** The consent as it was asked for. @throws Error when the store made something else of it */
export function checkCreated(consent: Consent, asked: NewConsent): Consent {
  const { id, participant, client, customer, scopes, authorizationDetails, decideBefore: expiresAt } = asked;
  const wanted = {
    id,
    participant,
    client,
    customer,
    scopes,
    authorizationDetails,
    expiresAt,
    state: 'Awaiting',
    accounts: [],
  };
  insist(consent, wanted, 'a new consent');
  return consent;
}

/** @throws Error unless the answer is the same consent with exactly what was agreed, and Authorised */
export function checkAuthorised(before: Consent, after: Consent, agreed: Authorisation): void {
  const { customer, scopes, accounts, expiresAt } = agreed;
  insist(after, { ...fixed(before), state: 'Authorised', customer, scopes, accounts, expiresAt }, 'an agreement');
}

/** @throws Error unless the answer is the same consent in the state that was asked for, and nothing else changed */
export function checkUntouched(before: Consent, after: Consent, state: Consent['state']): void {
  const { customer, scopes, accounts, expiresAt } = before;
  insist(after, { ...fixed(before), state, customer, scopes, accounts, expiresAt }, 'a change');
}

function fixed(consent: Consent): Readonly<Record<string, unknown>> {
  return Object.fromEntries(FIXED.map((member) => [member, consent[member]]));
}

function insist(consent: Consent, wanted: Readonly<Record<string, unknown>>, what: string): void {
  const given = new Map<string, unknown>(Object.entries(consent));
  const wrong = Object.entries(wanted).find(([member, value]) => !isDeepStrictEqual(given.get(member), value));
  if (wrong !== undefined) throw new Error(`the consent store answered ${what} with another ${wrong[0]}`);
}
