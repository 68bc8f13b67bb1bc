import { after, before, beforeEach } from 'node:test';
import type { Actor } from '../../src/audit/index.ts';
import {
  type Authorisation,
  type ConsentAction,
  type ConsentState,
  createSqlConsentStore,
  type NewConsent,
  type SqlConsentStore,
} from '../../src/consent/index.ts';
import { secondsAfter } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { uuid } from '../../src/platform/random.ts';
import { Refusal } from '../../src/platform/refusal.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { createRecordingAudit } from './recording-audit.ts';

export const BANK = 'gobank';
export const START = new Date('2026-01-01T10:00:00.000Z');
export const DECIDE_BEFORE = secondsAfter(START, 600);
export const END = secondsAfter(START, 90 * 86_400);
export const CUSTOMER: Actor = { kind: 'customer', reference: 'customer-1', interaction: 'interaction-1' };
export const STAFF: Actor = { kind: 'staff', reference: 'staff-1', reason: 'asked by telephone' };
export const TPP: Actor = { kind: 'participant', reference: 'client-1' };
export const AGREED: Authorisation = {
  customer: 'customer-1',
  scopes: ['accounts'],
  accounts: ['account-1', 'account-2'],
  expiresAt: END,
};

/** A consent as a third party asks for it, with whatever a test changes. */
export function asked(changes: Partial<NewConsent> = {}): NewConsent {
  return {
    id: `consent-${uuid()}`,
    bank: BANK,
    participant: 'financroo',
    client: 'client-1',
    customer: 'customer-1',
    scopes: ['accounts', 'payments.create'],
    authorizationDetails: [],
    decideBefore: DECIDE_BEFORE,
    ...changes,
  };
}

/** Matches a refusal with this code and status, and a sentence. */
export function refuses(code: string, status: number) {
  return (error: unknown): boolean =>
    error instanceof Refusal && error.code === code && error.status === status && error.message.length > 10;
}

/** The built-in store on a database of its own, opened before the tests of a file and closed after them. */
export function openConsentRoom() {
  const audit = createRecordingAudit();
  const clock = { current: START, now: (): Date => clock.current };
  let opened: { database: TestDatabase; store: SqlConsentStore } | undefined;
  const open = () => {
    if (opened === undefined) throw new Error('the store opens before the first test');
    return opened;
  };
  const storeOn = (database: Database) =>
    createSqlConsentStore({ database, audit, clock, reference: (bank, id) => `hash(${bank}/${id})` });
  before(async () => {
    const database = await openTestDatabase();
    opened = { database, store: storeOn(database) };
  });
  after(async () => {
    await open().store.close();
    await open().database.close();
  });
  beforeEach(() => {
    clock.current = START;
    audit.events.length = 0;
    audit.failure = undefined;
  });
  const store = () => open().store;
  const awaiting = async (changes: Partial<NewConsent> = {}) => (await store().create(asked(changes), TPP)).id;
  const authorised = async (changes: Partial<NewConsent> = {}) => {
    const id = await awaiting(changes);
    const { bank = BANK, customer = 'customer-1' } = changes;
    await store().authorise(bank, id, { ...AGREED, customer }, CUSTOMER);
    return id;
  };
  const run: Readonly<Record<Exclude<ConsentAction, 'expire'>, (id: string) => Promise<unknown>>> = {
    authorise: (id) => store().authorise(BANK, id, { ...AGREED, expiresAt: secondsAfter(clock.current, 60) }, CUSTOMER),
    reject: (id) => store().reject(BANK, id, CUSTOMER),
    consume: (id) => store().consume(BANK, id, TPP),
    revoke: (id) => store().revoke(BANK, id, CUSTOMER),
  };
  return {
    audit,
    clock,
    store,
    storeOn,
    awaiting,
    authorised,
    /** Every action with arguments that are right. */
    run,
    database: () => open().database,
    stateOf: async (id: string): Promise<ConsentState | undefined> => (await store().find(BANK, id))?.state,
    /** A consent brought into a state, and the clock to where that state holds. */
    inState: async (state: ConsentState): Promise<string> => {
      const id = await (state === 'Awaiting' || state === 'Rejected' ? awaiting() : authorised());
      if (state === 'Rejected') await run.reject(id);
      if (state === 'Consumed') await run.consume(id);
      if (state === 'Revoked') await run.revoke(id);
      if (state === 'Expired') clock.current = END;
      return id;
    },
  };
}
