import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { actionsOf, createRecordingAudit } from '../../test/support/recording-audit.ts';
import type { Actor } from '../audit/index.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { uuid } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Authorisation, ConsentAction, ConsentState, NewConsent } from './consent.ts';
import { createSqlConsentStore, type SqlConsentStore } from './sql-consents.ts';
import { CONSENT_ACTIONS, CONSENT_STATES, TRANSITIONS } from './transitions.ts';

const BANK = 'gobank';
const START = new Date('2026-01-01T10:00:00.000Z');
const DECIDE_BEFORE = secondsAfter(START, 600);
const END = secondsAfter(START, 90 * 86_400);
const CUSTOMER: Actor = { kind: 'customer', reference: 'customer-1', interaction: 'interaction-1' };
const STAFF: Actor = { kind: 'staff', reference: 'staff-1', reason: 'asked by telephone' };
const TPP: Actor = { kind: 'participant', reference: 'client-1' };
const AGREED: Authorisation = {
  customer: 'customer-1',
  scopes: ['accounts'],
  accounts: ['account-1', 'account-2'],
  expiresAt: END,
};

const audit = createRecordingAudit();
let now = START;
const clock = { now: () => now };
let database: TestDatabase;
let store: SqlConsentStore;

before(async () => {
  database = await openTestDatabase();
  store = storeOn(database);
});
after(async () => {
  await store.close();
  await database.close();
});
beforeEach(() => {
  now = START;
  audit.events.length = 0;
  audit.failure = undefined;
});

function storeOn(target: Database): SqlConsentStore {
  return createSqlConsentStore({ database: target, audit, clock, reference: (bank, id) => `hash(${bank}/${id})` });
}

function asked(changes: Partial<NewConsent> = {}): NewConsent {
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

async function awaiting(changes: Partial<NewConsent> = {}): Promise<string> {
  return (await store.create(asked(changes), TPP)).id;
}

async function authorised(changes: Partial<NewConsent> = {}): Promise<string> {
  const id = await awaiting(changes);
  await store.authorise(changes.bank ?? BANK, id, { ...AGREED, customer: changes.customer ?? 'customer-1' }, CUSTOMER);
  return id;
}

/** A consent brought into a state, with the clock where that state holds. */
async function inState(state: ConsentState): Promise<string> {
  if (state === 'Awaiting') return awaiting();
  if (state === 'Rejected') {
    const id = await awaiting();
    await store.reject(BANK, id, CUSTOMER);
    return id;
  }
  const id = await authorised();
  if (state === 'Consumed') await store.consume(BANK, id, TPP);
  if (state === 'Revoked') await store.revoke(BANK, id, CUSTOMER);
  if (state === 'Expired') now = END;
  return id;
}

const RUN: Readonly<Record<Exclude<ConsentAction, 'expire'>, (id: string) => Promise<unknown>>> = {
  authorise: (id) => store.authorise(BANK, id, { ...AGREED, expiresAt: secondsAfter(now, 60) }, CUSTOMER),
  reject: (id) => store.reject(BANK, id, CUSTOMER),
  consume: (id) => store.consume(BANK, id, TPP),
  revoke: (id) => store.revoke(BANK, id, CUSTOMER),
};

function refuses(code: string, status: number) {
  return (error: unknown): boolean =>
    error instanceof Refusal && error.code === code && error.status === status && error.message.length > 10;
}

async function stateOf(id: string): Promise<ConsentState | undefined> {
  return (await store.find(BANK, id))?.state;
}

for (const state of CONSENT_STATES) {
  for (const action of CONSENT_ACTIONS) {
    if (action === 'expire') continue;
    const outcome = TRANSITIONS[state][action];
    const title = `${state} + ${action}`;
    test(`ASK-09 N-194 ${title} in the store: as the table says, and nothing else changes`, async () => {
      const id = await inState(state);
      const before = await store.find(BANK, id);
      const steps = await store.history(BANK, id);
      audit.events.length = 0;
      if (outcome === 'refused') {
        await assert.rejects(RUN[action](id), refuses('consent_status_invalid', 400));
      } else {
        await RUN[action](id);
      }
      const to = typeof outcome === 'object' ? outcome.to : state;
      assert.equal(await stateOf(id), to);
      if (typeof outcome === 'object') {
        assert.equal(audit.events.length, 1);
        assert.equal((await store.history(BANK, id)).length, steps.length + 1);
      } else {
        assert.deepEqual(audit.events, []);
        assert.deepEqual(await store.find(BANK, id), before);
        assert.deepEqual(await store.history(BANK, id), steps);
      }
    });
  }
}

test('N-191 CLD-54 an unknown id is absent, and every change of it is refused with consent_missing', async () => {
  for (const id of ['unknown', '', ' ', 'a\0b', 'x'.repeat(5_000)]) {
    assert.equal(await store.find(BANK, id), undefined);
    await assert.rejects(store.history(BANK, id), refuses('consent_missing', 404));
    for (const run of Object.values(RUN)) await assert.rejects(run(id), refuses('consent_missing', 404));
  }
});

test('N-191 the consent of one bank is unknown to another', async () => {
  const id = await authorised();
  assert.equal(await store.find('albion', id), undefined);
  await assert.rejects(store.revoke('albion', id, STAFF), refuses('consent_missing', 404));
  await assert.rejects(store.consume('albion', id, TPP), refuses('consent_missing', 404));
  assert.equal(await stateOf(id), 'Authorised');
});

test('the same id at two banks is two consents', async () => {
  const id = await authorised();
  await authorised({ id, bank: 'albion' });
  await store.revoke('albion', id, STAFF);
  assert.equal(await stateOf(id), 'Authorised');
});

test('CLD-54 a taken id is refused: whose consent it is never changes', async () => {
  const id = await awaiting();
  for (const changes of [
    { client: 'client-2' },
    { participant: 'paymate' },
    { customer: 'customer-2' },
    { scopes: [] },
  ]) {
    await assert.rejects(store.create(asked({ id, ...changes }), TPP), refuses('consent_status_invalid', 400));
  }
  await store.reject(BANK, id, CUSTOMER);
  await assert.rejects(store.create(asked({ id }), TPP), refuses('consent_status_invalid', 400));
  assert.equal(await stateOf(id), 'Rejected');
});

test('asking for the same again, as a reloaded page does, gives the waiting consent', async () => {
  const first = await store.create(asked(), TPP);
  const again = await store.create(asked({ id: first.id }), TPP);
  assert.deepEqual(again, first);
  assert.deepEqual(actionsOf(audit), ['consent.created']);
  assert.equal((await store.history(BANK, first.id)).length, 1);
});

test('what is asked must be whole: blank, endless or past values are refused', async () => {
  const wrong: readonly Partial<NewConsent>[] = [
    { id: '' },
    { id: 'x'.repeat(257) },
    { id: 'a\nb' },
    { client: ' ' },
    { participant: '' },
    { customer: '' },
    { scopes: ['accounts', 'accounts'] },
    { scopes: [''] },
    { scopes: Array.from({ length: 101 }, (_, index) => `scope-${index}`) },
    { authorizationDetails: [{ type: 'x'.repeat(40_000) }] },
    { decideBefore: START },
    { decideBefore: new Date(Number.NaN) },
  ];
  for (const changes of wrong) await assert.rejects(store.create(asked(changes), TPP), refuses('field_invalid', 400));
  assert.deepEqual(audit.events, []);
});

test('agreeing to what was not asked, for another customer, or until yesterday is refused and changes nothing', async () => {
  const id = await awaiting();
  const agree = (changes: Partial<Authorisation>) => store.authorise(BANK, id, { ...AGREED, ...changes }, CUSTOMER);
  await assert.rejects(agree({ customer: 'customer-2' }), refuses('consent_wrong_user', 403));
  await assert.rejects(agree({ customer: '' }), refuses('field_invalid', 400));
  await assert.rejects(agree({ scopes: ['accounts', 'everything'] }), refuses('field_invalid', 400));
  await assert.rejects(agree({ accounts: ['account-1', ''] }), refuses('field_invalid', 400));
  await assert.rejects(agree({ expiresAt: START }), refuses('field_invalid', 400));
  assert.equal(await stateOf(id), 'Awaiting');
  assert.deepEqual(actionsOf(audit), ['consent.created']);
});

test('CLD-44 CLD-45 authorising keeps exactly what was agreed', async () => {
  const details = [{ type: 'account_information', actions: ['read_balances'] }];
  const id = await awaiting({ customer: undefined, authorizationDetails: details });
  now = secondsAfter(START, 30);
  const consent = await store.authorise(BANK, id, AGREED, CUSTOMER);
  assert.equal(consent.state, 'Authorised');
  assert.equal(consent.customer, 'customer-1');
  assert.deepEqual(consent.scopes, ['accounts']);
  assert.deepEqual(consent.accounts, ['account-1', 'account-2']);
  assert.deepEqual(consent.authorizationDetails, details);
  assert.deepEqual(consent.expiresAt, END);
  assert.deepEqual(consent.changedAt, now);
  assert.deepEqual(await store.find(BANK, id), consent);
});

test('N-224 agreeing to no account is kept as such', async () => {
  const id = await awaiting();
  assert.deepEqual((await store.authorise(BANK, id, { ...AGREED, accounts: [] }, CUSTOMER)).accounts, []);
});

test('N-192 an Authorised consent is Expired from its very end, and can no longer be consumed or revoked', async () => {
  const id = await authorised();
  now = new Date(END.getTime() - 1);
  assert.equal(await stateOf(id), 'Authorised');
  now = END;
  assert.equal(await stateOf(id), 'Expired');
  await assert.rejects(store.consume(BANK, id, TPP), refuses('consent_status_invalid', 400));
  await assert.rejects(store.revoke(BANK, id, CUSTOMER), refuses('consent_status_invalid', 400));
});

test('N-208 an Awaiting consent can be authorised until the time to decide is over, not at that moment', async () => {
  const early = await awaiting();
  const late = await awaiting();
  now = new Date(DECIDE_BEFORE.getTime() - 1);
  assert.equal((await store.authorise(BANK, early, AGREED, CUSTOMER)).state, 'Authorised');
  now = DECIDE_BEFORE;
  await assert.rejects(store.authorise(BANK, late, AGREED, CUSTOMER), refuses('consent_status_invalid', 400));
  assert.equal(await stateOf(late), 'Rejected');
});

test('CLD-47 N-200 revoking twice is the same answer, one step and one event', async () => {
  const id = await authorised();
  now = secondsAfter(START, 60);
  const first = await store.revoke(BANK, id, CUSTOMER);
  now = secondsAfter(START, 120);
  assert.deepEqual(await store.revoke(BANK, id, STAFF), first);
  assert.deepEqual(first.changedAt, secondsAfter(START, 60));
  assert.deepEqual(actionsOf(audit), ['consent.created', 'consent.authorised', 'consent.revoked']);
  assert.equal((await store.history(BANK, id)).length, 3);
});

test('N-200 N-202 revoking what is Rejected or Consumed is refused', async () => {
  for (const state of ['Rejected', 'Consumed'] as const) {
    const id = await inState(state);
    await assert.rejects(store.revoke(BANK, id, CUSTOMER), refuses('consent_status_invalid', 400));
    assert.equal(await stateOf(id), state);
  }
});

test('N-203 N-204 revoking one of two consents leaves the other alone', async () => {
  const [one, other, foreign] = [await authorised(), await authorised(), await authorised({ customer: 'customer-2' })];
  await store.revoke(BANK, one, STAFF);
  assert.equal(await stateOf(one), 'Revoked');
  assert.equal(await stateOf(other), 'Authorised');
  assert.equal(await stateOf(foreign), 'Authorised');
});

test('of 20 parallel consumptions exactly one wins', async () => {
  const id = await authorised();
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.consume(BANK, id, TPP)));
  const lost = results.filter((result) => result.status === 'rejected');
  assert.equal(lost.length, 19);
  for (const { reason } of lost) assert.ok(refuses('consent_status_invalid', 400)(reason));
  assert.equal(actionsOf(audit).filter((action) => action === 'consent.consumed').length, 1);
  assert.equal((await store.history(BANK, id)).length, 3);
});

test('N-225 of decisions in two tabs the first counts and the second is refused', async () => {
  const id = await awaiting();
  const results = await Promise.allSettled([
    ...Array.from({ length: 5 }, () => store.authorise(BANK, id, AGREED, CUSTOMER)),
    ...Array.from({ length: 5 }, () => store.reject(BANK, id, CUSTOMER)),
  ]);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  const steps = await store.history(BANK, id);
  assert.equal(steps.length, 2);
  assert.equal(steps[1]?.state, await stateOf(id));
});

test('a change whose event cannot be written does not happen', async () => {
  const id = await authorised();
  const waiting = await awaiting();
  audit.failure = new Refusal('audit_unavailable', 503, 'The audit trail cannot be written.');
  await assert.rejects(store.revoke(BANK, id, CUSTOMER), refuses('audit_unavailable', 503));
  await assert.rejects(store.consume(BANK, id, TPP), refuses('audit_unavailable', 503));
  await assert.rejects(store.authorise(BANK, waiting, AGREED, CUSTOMER), refuses('audit_unavailable', 503));
  const unborn = asked();
  await assert.rejects(store.create(unborn, TPP), refuses('audit_unavailable', 503));
  audit.failure = undefined;
  assert.equal(await stateOf(id), 'Authorised');
  assert.equal(await stateOf(waiting), 'Awaiting');
  assert.equal(await store.find(BANK, unborn.id), undefined);
  assert.equal((await store.history(BANK, id)).length, 2);
});

test('CLD-49 each event names consent, participant, client and interaction, and never the customer', async () => {
  const id = await authorised();
  await store.revoke(BANK, id, STAFF);
  for (const event of audit.events) {
    assert.equal(event.family, 'consent');
    assert.equal(event.outcome, 'changed');
    assert.equal(event.consent, id);
    assert.equal(event.participant, 'financroo');
    assert.equal(event.client, 'client-1');
    assert.equal(event.subject, 'hash(gobank/customer-1)');
    assert.equal(JSON.stringify({ ...event, subject: undefined }).includes('customer-1'), false);
    assert.equal(JSON.stringify(event).includes('account-1'), false);
    assert.equal(JSON.stringify(event).includes('telephone'), false);
  }
  assert.equal(audit.events[1]?.interaction, 'interaction-1');
  assert.equal(audit.events[2]?.facts?.actorReference, 'staff-1');
});

test('CLD-47 CLD-56 history tells who did what, when and why', async () => {
  const id = await authorised();
  now = secondsAfter(START, 5);
  await store.revoke(BANK, id, STAFF);
  const steps = await store.history(BANK, id);
  assert.deepEqual(
    steps.map(({ action, state, actor }) => [action, state, actor]),
    [
      ['create', 'Awaiting', 'participant'],
      ['authorise', 'Authorised', 'customer'],
      ['revoke', 'Revoked', 'staff'],
    ],
  );
  const last = { at: now, actorReference: 'staff-1', reason: 'asked by telephone' };
  assert.deepEqual(steps[2], { action: 'revoke', state: 'Revoked', actor: 'staff', ...last });
});

test('words of a person that the database cannot keep do not stop a revocation', async () => {
  const id = await authorised();
  const reason = `\0 \ud800 ${'long '.repeat(1_000)}`;
  await store.revoke(BANK, id, { kind: 'staff', reference: 'staff-1', reason });
  assert.equal(await stateOf(id), 'Revoked');
  assert.equal((await store.history(BANK, id))[2]?.reason?.length, 500);
});

test('CLD-56 N-192 history shows the end that time brought, once, whether or not the row says so', async () => {
  const id = await authorised();
  now = secondsAfter(END, 3_600);
  const read = await store.history(BANK, id);
  const end = { action: 'expire', state: 'Expired', actor: 'system', actorReference: 'clock', reason: undefined };
  assert.deepEqual(read.at(-1), { at: END, ...end });
  await store.expireDue();
  assert.deepEqual(await store.history(BANK, id), read);
});

test('N-214 the expiry run ends each consent wholly or not at all, and the next run continues', async () => {
  const ids = [await authorised(), await authorised(), await authorised()];
  now = END;
  await store.expireDue();
  const due = [
    await awaiting({ decideBefore: secondsAfter(END, 1) }),
    await awaiting({ decideBefore: secondsAfter(END, 2) }),
  ];
  now = secondsAfter(END, 10);
  audit.events.length = 0;
  const record = audit.record;
  let records = 0;
  audit.record = async (statements, event) => {
    records += 1;
    if (records === 2) throw new Error('interrupted');
    return record(statements, event);
  };
  await assert.rejects(store.expireDue(), refuses('consent_store_unavailable', 503));
  audit.record = record;
  const rows = await database.query(
    'SELECT id, state FROM consent.consents WHERE id = ANY($1::text[]) ORDER BY expires_at',
    [due],
  );
  assert.deepEqual(
    rows.map((row) => row.state),
    ['Rejected', 'Awaiting'],
  );
  assert.deepEqual([await stateOf(due[0] ?? ''), await stateOf(due[1] ?? '')], ['Rejected', 'Rejected']);
  assert.equal(await store.expireDue(), 1);
  assert.equal(await store.expireDue(), 0);
  assert.deepEqual(actionsOf(audit), ['consent.expired', 'consent.expired']);
  for (const id of ids) assert.equal(await stateOf(id), 'Expired');
});

test('N-205 a blank member of a filter is refused, never a wildcard', async () => {
  for (const blank of [
    { customer: '' },
    { client: ' ' },
    { participant: '' },
    { bank: '' },
    { limit: 0 },
    { limit: 1.5 },
  ]) {
    await assert.rejects(store.list({ bank: BANK, ...blank }), refuses('field_invalid', 400));
  }
});

test('CLD-46 CLD-52 lists are newest first, of one bank, narrowed by every member given, and bounded', async () => {
  const bank = `bank-${uuid()}`;
  const ids: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    now = secondsAfter(START, index);
    const customer = index % 2 === 0 ? 'customer-1' : 'customer-2';
    ids.push(await authorised({ bank, customer, client: index < 3 ? 'client-1' : 'client-2' }));
  }
  const idsOf = async (filter: object) => (await store.list({ bank, ...filter })).map(({ id }) => ids.indexOf(id));
  assert.deepEqual(await idsOf({}), [4, 3, 2, 1, 0]);
  assert.deepEqual(await idsOf({ customer: 'customer-1' }), [4, 2, 0]);
  assert.deepEqual(await idsOf({ customer: 'customer-1', client: 'client-1' }), [2, 0]);
  assert.deepEqual(await idsOf({ participant: 'paymate' }), []);
  assert.deepEqual(await idsOf({ limit: 2 }), [4, 3]);
  const [, last] = await store.list({ bank, limit: 2 });
  assert.deepEqual(await idsOf({ limit: 2, ...(last === undefined ? {} : { after: last }) }), [2, 1]);
  assert.deepEqual(await store.list({ bank: 'albion', customer: 'customer-2' }), []);
});

test('CLD-56 a list narrowed by state goes by the state at the time of asking', async () => {
  const bank = `bank-${uuid()}`;
  const kept = await authorised({ bank });
  await store.revoke(bank, await authorised({ bank }), STAFF);
  await awaiting({ bank });
  const count = async (state: ConsentState) => (await store.list({ bank, state })).length;
  assert.deepEqual([await count('Authorised'), await count('Revoked'), await count('Awaiting')], [1, 1, 1]);
  now = END;
  assert.deepEqual([await count('Authorised'), await count('Revoked'), await count('Awaiting')], [0, 1, 0]);
  assert.deepEqual([await count('Expired'), await count('Rejected')], [1, 1]);
  assert.equal((await store.list({ bank, state: 'Expired' }))[0]?.id, kept);
});

test('last use is noted in batches, the latest counts, and nothing is said to anybody', async () => {
  const id = await authorised();
  audit.events.length = 0;
  now = secondsAfter(START, 20);
  store.touch(BANK, id);
  now = secondsAfter(START, 30);
  store.touch(BANK, id);
  store.touch(BANK, 'unknown');
  assert.equal((await store.find(BANK, id))?.lastUsedAt, undefined);
  await store.flush();
  assert.deepEqual((await store.find(BANK, id))?.lastUsedAt, secondsAfter(START, 30));
  now = secondsAfter(START, 10);
  store.touch(BANK, id);
  await store.flush();
  assert.deepEqual((await store.find(BANK, id))?.lastUsedAt, secondsAfter(START, 30));
  assert.deepEqual(audit.events, []);
});

test('N-199 a database that fails is consent_store_unavailable 503, with the cause kept for us', async () => {
  const cause = new Error('connection refused');
  const broken = storeOn({
    ...database,
    query: () => Promise.reject(cause),
    transaction: () => Promise.reject(cause),
  });
  const unavailable = (error: unknown) =>
    refuses('consent_store_unavailable', 503)(error) && error instanceof Refusal && error.cause === cause;
  await assert.rejects(broken.find(BANK, 'consent-1'), unavailable);
  await assert.rejects(broken.list({ bank: BANK }), unavailable);
  await assert.rejects(broken.history(BANK, 'consent-1'), unavailable);
  await assert.rejects(broken.create(asked(), TPP), unavailable);
  await assert.rejects(broken.revoke(BANK, 'consent-1', STAFF), unavailable);
  broken.touch(BANK, 'consent-1');
  await assert.rejects(broken.flush(), (error) => error === cause);
  await broken.close();
});

test('N-199 a row that contradicts itself is unavailable, never an answer', async () => {
  const rows = await database.query('SELECT * FROM consent.consents LIMIT 1');
  const lying = storeOn({ ...database, query: async () => [{ ...rows[0], state: 'Allowed' }] });
  await assert.rejects(lying.find(BANK, 'consent-1'), refuses('consent_store_unavailable', 503));
});
