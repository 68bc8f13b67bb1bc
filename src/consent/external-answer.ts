import { isRecord } from '../platform/json.ts';
import type { Consent, ConsentStep } from './consent.ts';
import { isDetails, isReference, isReferenceList, MAXIMUM_ACCOUNTS, MAXIMUM_SCOPES } from './fields.ts';
import { MAXIMUM_WORDS } from './history.ts';
import { ACTOR_KINDS, oneOf } from './store.ts';
import { CONSENT_ACTIONS, CONSENT_STATES } from './transitions.ts';

/** Steps of one consent that are read; its life has four, a bank's own notes may add some. */
const MAXIMUM_STEPS = 100;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;
/** States that only a customer can have brought about. */
const OF_SOMEBODY = ['Authorised', 'Consumed', 'Expired'];

/** A consent as the bank's store gives it. @throws Error naming the member that is wrong: nothing of it is believed then */
export function parseConsent(value: unknown, bank: string): Consent {
  const record = recordOf(value, 'the consent');
  const consent: Consent = {
    id: reference(record, 'id'),
    bank,
    participant: reference(record, 'participant'),
    client: reference(record, 'client'),
    customer: optional(record, 'customer', reference),
    state: oneOf(CONSENT_STATES, text(record, 'state')),
    scopes: references(record, 'scopes', MAXIMUM_SCOPES),
    accounts: references(record, 'accounts', MAXIMUM_ACCOUNTS),
    authorizationDetails: details(record, 'authorizationDetails'),
    createdAt: instant(record, 'createdAt'),
    changedAt: instant(record, 'changedAt'),
    expiresAt: instant(record, 'expiresAt'),
    lastUsedAt: optional(record, 'lastUsedAt', instant),
  };
  if (consent.customer === undefined && OF_SOMEBODY.includes(consent.state))
    throw new Error(`a consent is ${consent.state} and nobody's`);
  return consent;
}

/** `{"consents": […]}` with distinct ids and `limit` entries at most. @throws Error */
export function parseConsents(value: unknown, bank: string, limit: number): readonly Consent[] {
  const items = list(recordOf(value, 'the list'), 'consents', limit);
  const consents = items.map((item) => parseConsent(item, bank));
  if (new Set(consents.map(({ id }) => id)).size !== consents.length) throw new Error('a consent is listed twice');
  return consents;
}

/** `{"steps": […]}`, oldest first. @throws Error */
export function parseSteps(value: unknown): readonly ConsentStep[] {
  const steps = list(recordOf(value, 'the history'), 'steps', MAXIMUM_STEPS).map(parseStep);
  const ordered = steps.every((step, index) => index === 0 || step.at >= (steps[index - 1]?.at ?? step.at));
  if (!ordered) throw new Error('the steps are not in order');
  return steps;
}

function parseStep(value: unknown): ConsentStep {
  const record = recordOf(value, 'a step');
  return {
    at: instant(record, 'at'),
    action: oneOf(['create', ...CONSENT_ACTIONS], text(record, 'action')),
    state: oneOf(CONSENT_STATES, text(record, 'state')),
    actor: oneOf(ACTOR_KINDS, text(record, 'actor')),
    actorReference: text(record, 'actorReference').slice(0, MAXIMUM_WORDS),
    reason: optional(record, 'reason', text)?.slice(0, MAXIMUM_WORDS),
  };
}

type Members = Readonly<Record<string, unknown>>;

function recordOf(value: unknown, what: string): Members {
  if (!isRecord(value)) throw new Error(`${what} is no object`);
  return value;
}

function wrong(name: string): Error {
  return new Error(`the consent store gave no proper ${name}`);
}

/** Absent and null are the same: nobody, never. */
function optional<T>(record: Members, name: string, read: (record: Members, name: string) => T): T | undefined {
  return record[name] === undefined || record[name] === null ? undefined : read(record, name);
}

function text(record: Members, name: string): string {
  const value = record[name];
  if (typeof value !== 'string') throw wrong(name);
  return value;
}

function reference(record: Members, name: string): string {
  const value = text(record, name);
  if (!isReference(value)) throw wrong(name);
  return value;
}

function list(record: Members, name: string, maximum: number): readonly unknown[] {
  const value = record[name];
  if (!Array.isArray(value) || value.length > maximum) throw wrong(name);
  return value;
}

function references(record: Members, name: string, maximum: number): readonly string[] {
  const value = record[name];
  if (!isReferenceList(value, maximum)) throw wrong(name);
  return value;
}

function details(record: Members, name: string): Consent['authorizationDetails'] {
  const value = record[name];
  if (!isDetails(value)) throw wrong(name);
  return value;
}

function instant(record: Members, name: string): Date {
  const value = text(record, name);
  const at = new Date(value);
  // A day that no month has would silently become one of the next month.
  if (!INSTANT.test(value) || Number.isNaN(at.getTime()) || at.toISOString().slice(0, 19) !== value.slice(0, 19))
    throw wrong(name);
  return at;
}
