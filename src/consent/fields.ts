import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AccountChange, Authorisation, Consent, ConsentFilter, NewConsent } from './consent.ts';
import { consentAt } from './transitions.ts';

/** Characters of an id or reference: opaque text, as banks and registers give it; an index entry must stay below 2,700 octets. */
const MAXIMUM_REFERENCE = 256;
/** Scopes of one consent; a regime has a few dozen. */
export const MAXIMUM_SCOPES = 100;
/** Accounts of one consent; more than any customer has. */
export const MAXIMUM_ACCOUNTS = 1_000;
/** Characters of `authorization_details` as JSON: a payment order is below 4 kB. */
const MAXIMUM_DETAILS = 32_768;

/** True when `value` can be an id: some text, without control characters, of bounded length. */
export function isReference(value: string): boolean {
  return value.trim() !== '' && value.length <= MAXIMUM_REFERENCE && value.isWellFormed() && !/\p{Cc}/u.test(value);
}

/** True for a list of distinct references, so many at most. */
export function isReferenceList(value: unknown, maximum: number): value is readonly string[] {
  if (!Array.isArray(value) || value.length > maximum || new Set(value).size !== value.length) return false;
  return value.every((item) => typeof item === 'string' && isReference(item));
}

/** True for `authorization_details`: a list of objects, of bounded size (RFC 9396 §2). */
export function isDetails(value: unknown): value is Consent['authorizationDetails'] {
  const objects = Array.isArray(value) && value.every(isRecord);
  return objects && JSON.stringify(value).length <= MAXIMUM_DETAILS;
}

/** @throws Refusal `field_invalid` 400 naming the field: a blank one is never a wildcard (N-205) */
export function checkReference(name: string, value: string): void {
  if (!isReference(value)) throw invalid(name, `must be 1 to ${MAXIMUM_REFERENCE} printable characters`);
}

/** @throws Refusal `field_invalid` 400 when something asked for is blank, too long or too many */
export function checkNewConsent(consent: NewConsent, now: Date): void {
  const { id, bank, participant, client, customer } = consent;
  for (const [name, value] of Object.entries({ id, bank, participant, client, customer })) {
    if (value !== undefined) checkReference(name, value);
  }
  checkList('scopes', consent.scopes, MAXIMUM_SCOPES);
  if (JSON.stringify(consent.authorizationDetails).length > MAXIMUM_DETAILS)
    throw invalid('authorizationDetails', `must be ${MAXIMUM_DETAILS} characters of JSON at most`);
  checkAhead('decideBefore', consent.decideBefore, now);
}

/** @throws Refusal `field_invalid` 400 when what was agreed is blank, too many, or over before it begins */
export function checkAuthorisation(authorisation: Authorisation, now: Date): void {
  checkReference('customer', authorisation.customer);
  checkList('scopes', authorisation.scopes, MAXIMUM_SCOPES);
  checkList('accounts', authorisation.accounts, MAXIMUM_ACCOUNTS);
  checkAhead('expiresAt', authorisation.expiresAt, now);
}

/** @throws Refusal `field_invalid` 400 when there is no account left, a blank one, or too many: no consent without accounts comes of a change */
export function checkAccountChange({ customer, accounts }: AccountChange): void {
  checkReference('customer', customer);
  checkList('accounts', accounts, MAXIMUM_ACCOUNTS);
  if (accounts.length === 0) throw invalid('accounts', 'must keep one; to share none, revoke it');
}

/** @throws Refusal `field_invalid` 400 when a member of the filter is blank or its limit is no count */
export function checkFilter(filter: ConsentFilter): void {
  const { bank, customer, participant, client, limit } = filter;
  for (const [name, value] of Object.entries({ bank, customer, participant, client })) {
    if (value !== undefined) checkReference(name, value);
  }
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) throw invalid('limit', 'must be 1 or more');
}

/** @throws Refusal `consent_wrong_user` 403 for another customer's consent, `field_invalid` 400 for more than was asked */
export function checkAgreed(consent: Consent, { customer, scopes }: Authorisation): void {
  if (consent.customer !== undefined && consent.customer !== customer)
    throw new Refusal('consent_wrong_user', 403, 'The consent was asked of another customer.');
  if (!scopes.every((scope) => consent.scopes.includes(scope)))
    throw invalid('scopes', 'must have been asked for; agreeing can only narrow them');
}

/**
 * The same page opened twice asks twice for one consent: `kept` again while it waits.
 * @throws Refusal `consent_status_invalid` 400 for anything else under a taken id (CLD-54)
 */
export function sameAsAsked(kept: Consent | undefined, asked: NewConsent, now: Date): Consent {
  const same =
    kept !== undefined &&
    consentAt(kept, now).state === 'Awaiting' &&
    (['participant', 'client', 'customer'] as const).every((member) => kept[member] === asked[member]) &&
    JSON.stringify(kept.scopes) === JSON.stringify(asked.scopes) &&
    kept.authorizationDetails.length === 0 &&
    asked.authorizationDetails.length === 0;
  if (same) return kept;
  throw new Refusal('consent_status_invalid', 400, 'A consent with this id exists already.', { detail: 'id_taken' });
}

/** The refusal of a field. */
export function invalid(name: string, rule: string): Refusal {
  return new Refusal('field_invalid', 400, `The consent's ${name} ${rule}.`, { detail: name });
}

function checkList(name: string, values: readonly string[], maximum: number): void {
  if (values.length > maximum) throw invalid(name, `must have ${maximum} entries at most`);
  if (new Set(values).size !== values.length) throw invalid(name, 'must not repeat an entry');
  for (const value of values) checkReference(name, value);
}

function checkAhead(name: string, at: Date, now: Date): void {
  // Written so that an invalid date, which compares as false, is refused.
  if (!(at.getTime() > now.getTime())) throw invalid(name, 'must be a moment that is still to come');
}
