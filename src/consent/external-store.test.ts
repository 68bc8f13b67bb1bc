import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { mend } from '../../sandbox/consent-store/faults.ts';
import { createAuthority } from '../../test/support/certificates.ts';
import { AGREED, asked, CUSTOMER, END, refuses, STAFF, START, TPP } from '../../test/support/consent-room.ts';
import { type ConsentService, startConsentService } from '../../test/support/consent-service.ts';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { actionsOf, createRecordingAudit } from '../../test/support/recording-audit.ts';
import { secondsAfter } from '../platform/clock.ts';
import { Refusal } from '../platform/refusal.ts';
import type { NewConsent } from './consent.ts';
import { createConsents } from './consents.ts';
import { createExternalConsentStore, type ExternalConsentStore } from './external-store.ts';

const BANK = 'hyperscale';
const audit = createRecordingAudit();
const clock = { current: START, now: (): Date => clock.current };
const unavailable = refuses('consent_store_unavailable', 503);
let database: TestDatabase;
let service: ConsentService;
let store: ExternalConsentStore;

before(async () => {
  database = await openTestDatabase();
  service = await startConsentService(createAuthority('Consent CA'), { now: clock.now });
  store = open();
});
after(async () => {
  await store.close();
  await service.close();
  await database.close();
});
beforeEach(() => {
  mend(service.store.faults);
  clock.current = START;
  audit.events.length = 0;
  audit.failure = undefined;
});

function open(maximumAgeSeconds?: number): ExternalConsentStore {
  return createExternalConsentStore({
    maximumAgeSeconds,
    bank: BANK,
    fetcher: service.fetcher(),
    origin: service.store.origin,
    database,
    audit,
    clock,
    reference: (bank, customer) => `hash(${bank}/${customer})`,
  });
}

const wanted = (changes: Partial<NewConsent> = {}): NewConsent => asked({ bank: BANK, ...changes });
const awaiting = async (changes: Partial<NewConsent> = {}) => (await store.create(wanted(changes), TPP)).id;
const agree = (id: string) => store.authorise(BANK, id, AGREED, CUSTOMER);
async function authorised(): Promise<string> {
  const id = await awaiting();
  await agree(id);
  return id;
}
const stateOf = async (id: string) => (await store.find(BANK, id))?.state;
/** What the bank itself has. */
const kept = (id: string) => service.store.ledger.find(id);
const onChanges = (method: string) => method === 'PUT';

/** Waits for work that goes on behind the callers' backs: its end shows at the bank. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const faults = () => service.store.faults;
type Lie = (consent: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

const brokenAnswers: readonly [string, () => void][] = [
  ['silent', () => Object.assign(faults(), { delayMs: 1_500 })],
  ['down', () => Object.assign(faults(), { down: 'refuse' })],
  ['gone once the work is done', () => Object.assign(faults(), { down: 'after' })],
  ['answering 500', () => Object.assign(faults(), { down: 500 })],
  ['answering 503', () => Object.assign(faults(), { down: 503 })],
  ['answering 429', () => Object.assign(faults(), { down: 429 })],
  ['answering a redirect', () => Object.assign(faults(), { down: 302 })],
  ['answering 401', () => Object.assign(faults(), { down: 401 })],
  ['answering nothing', () => Object.assign(faults(), { body: '' })],
  ['answering half', () => Object.assign(faults(), { body: '{"id":' })],
  ['answering null', () => Object.assign(faults(), { body: 'null' })],
  ['answering a list', () => Object.assign(faults(), { body: '[]' })],
  ['answering too much', () => Object.assign(faults(), { body: `"${'x'.repeat(2_000_000)}"` })],
  ['answering HTML', () => Object.assign(faults(), { contentType: 'text/html' })],
  ['answering twice in one body', () => Object.assign(faults(), { twice: 'body' })],
  ['giving no version', () => Object.assign(faults(), { version: null })],
  ['giving a weak version', () => Object.assign(faults(), { version: 'W/"1"' })],
  ['giving two versions', () => Object.assign(faults(), { version: '"1", "2"' })],
];

const lies: readonly [string, Lie][] = [
  ['another id', (consent) => ({ ...consent, id: 'consent-other' })],
  ['an empty id', (consent) => ({ ...consent, id: '' })],
  ['no id', ({ id: _, ...rest }) => rest],
  ['a number as id', (consent) => ({ ...consent, id: 7 })],
  ['another client', (consent) => ({ ...consent, client: 'client-2' })],
  ['another participant', (consent) => ({ ...consent, participant: 'paymate' })],
  ['another customer', (consent) => ({ ...consent, customer: 'customer-2' })],
  ['more scopes', (consent) => ({ ...consent, scopes: ['accounts', 'payments.create', 'everything'] })],
  ['an unknown state', (consent) => ({ ...consent, state: 'Allowed' })],
  ['a later end', (consent) => ({ ...consent, expiresAt: '2099-01-01T00:00:00Z' })],
  ['a day that no month has', (consent) => ({ ...consent, expiresAt: '2027-02-30T00:00:00Z' })],
];

const agreementLies: readonly [string, Lie][] = [
  ...lies,
  ['still Awaiting', (consent) => ({ ...consent, state: 'Awaiting' })],
  ['Consumed at once', (consent) => ({ ...consent, state: 'Consumed' })],
  ['more accounts', (consent) => ({ ...consent, accounts: ['account-1', 'account-2', 'account-3'] })],
  ['fewer accounts', (consent) => ({ ...consent, accounts: ['account-1'] })],
  ['an account twice', (consent) => ({ ...consent, accounts: ['account-1', 'account-1'] })],
  ['another beginning', (consent) => ({ ...consent, createdAt: '2025-01-01T10:00:00.000Z' })],
  ['other details', (consent) => ({ ...consent, authorizationDetails: [{ type: 'payment' }] })],
];

for (const [name, break_] of brokenAnswers) {
  test(`N-199 N-285 a store that is ${name} is unavailable, and works again without a restart`, async () => {
    const id = await authorised();
    break_();
    await assert.rejects(store.find(BANK, id), unavailable);
    mend(faults());
    assert.equal(await stateOf(id), 'Authorised');
  });

  test(`N-198 a store that is ${name} while the customer agrees: refused, and never an access`, async () => {
    const id = await awaiting();
    break_();
    faults().only = onChanges;
    await assert.rejects(agree(id), unavailable);
    mend(faults());
    assert.notEqual(await stateOf(id), 'Authorised');
    assert.equal(actionsOf(audit).includes('consent.authorised'), false);
  });
}

for (const [name, lie] of lies)
  test(`N-198 CLD-54 a new consent that comes back with ${name} is refused`, async () => {
    faults().lie = lie;
    await assert.rejects(store.create(wanted(), TPP), unavailable);
    assert.equal(actionsOf(audit).includes('consent.created'), false);
  });

for (const [name, lie] of agreementLies)
  test(`N-198 an agreement that comes back with ${name} is refused and withdrawn at the bank`, async () => {
    const id = await awaiting();
    faults().only = onChanges;
    // The withdrawal itself is answered truly: only the agreement is lied about.
    faults().lie = (consent) => (consent.state === 'Authorised' ? lie(consent) : consent);
    await assert.rejects(agree(id), unavailable);
    assert.equal(await stateOf(id), 'Revoked');
    await until(() => kept(id)?.state === 'Revoked');
    assert.equal(actionsOf(audit).includes('consent.authorised'), false);
  });

test('N-198 a changed id cannot be read under the one that was asked', async () => {
  const [mine, other] = [await authorised(), await authorised()];
  faults().lie = (consent) => ({ ...consent, id: other });
  await assert.rejects(store.find(BANK, mine), unavailable);
});

test('N-198 a second answer over the same connection is never taken for the answer to the next call', async () => {
  const [one, other] = [await authorised(), await awaiting()];
  faults().twice = 'wire';
  for (let round = 0; round < 20; round += 1)
    for (const [id, state] of [
      [one, 'Authorised'],
      [other, 'Awaiting'],
    ] as const) {
      const answer = await store.find(BANK, id).catch((cause: unknown) => cause);
      if (answer instanceof Refusal) assert.ok(unavailable(answer));
      else
        assert.deepEqual(answer !== null && typeof answer === 'object' && { ...answer }, {
          ...(await honest(id)),
          state,
        });
    }
});

async function honest(id: string) {
  const { twice } = faults();
  faults().twice = undefined;
  try {
    for (;;) {
      const consent = await store.find(BANK, id).catch(() => undefined);
      if (consent !== undefined) return consent;
    }
  } finally {
    faults().twice = twice;
  }
}

test('N-205 N-199 a list with somebody else’s consent, out of order, or with one twice is no answer', async () => {
  const participant = 'lister';
  for (const seconds of [0, 1]) {
    clock.current = secondsAfter(START, seconds);
    await awaiting({ participant });
  }
  const list = () => store.list({ bank: BANK, participant });
  const [second, first] = await list();
  assert.ok(first !== undefined && second !== undefined);
  const item = (consent: object, changes: object = {}) => JSON.parse(JSON.stringify({ ...consent, ...changes }));
  const wrongs = [
    [item(second), item(first, { participant: 'paymate' })],
    [item(first), item(second)],
    [item(second), item(second)],
    [item(second), null],
    Array.from({ length: 101 }, (_, index) => item(first, { id: `consent-${index}` })),
  ];
  for (const consents of wrongs) {
    faults().body = JSON.stringify({ consents });
    await assert.rejects(list(), unavailable);
  }
  faults().body = JSON.stringify({ consents: [item(second), item(first)] });
  assert.equal((await list()).length, 2);
});

test('N-198 the trail cannot be written: the agreement is withdrawn at the bank, and stays so', async () => {
  const id = await awaiting();
  audit.failure = new Refusal('audit_unavailable', 503, 'The audit trail cannot be written.');
  await assert.rejects(agree(id), refuses('audit_unavailable', 503));
  await until(() => kept(id)?.state === 'Revoked');
  assert.equal(await stateOf(id), 'Revoked');
  audit.failure = undefined;
  audit.events.length = 0;
  clock.current = secondsAfter(START, 60);
  await store.retryWithdrawals();
  const own = audit.events.filter(({ consent }) => consent === id);
  assert.deepEqual(
    own.map(({ action }) => action),
    ['consent.revoked'],
    'recorded once the trail is back',
  );
});

test('N-201 revoked while the store is down: refused from the moment of the request, told until confirmed', async () => {
  const id = await authorised();
  faults().down = 'refuse';
  faults().only = onChanges;
  const revoking = await store.revoke(BANK, id, STAFF);
  assert.deepEqual([revoking.state, revoking.revoking], ['Revoked', true]);
  assert.equal(kept(id)?.state, 'Authorised', 'the bank does not know yet');
  const seen = await store.find(BANK, id);
  assert.deepEqual([seen?.state, seen?.revoking], ['Revoked', true]);
  assert.equal(
    (await store.list({ bank: BANK, client: 'client-1', state: 'Authorised' })).some((one) => one.id === id),
    false,
  );
  assert.equal((await store.history(BANK, id)).at(-1)?.action, 'revoke');
  const again = await store.revoke(BANK, id, STAFF);
  assert.equal(again.revoking, true, 'a second request is accepted');
  clock.current = secondsAfter(START, 30);
  assert.equal(await store.retryWithdrawals(), 0);
  mend(faults());
  assert.equal(await store.retryWithdrawals(), 0, 'not before its next time');
  clock.current = secondsAfter(START, 120);
  assert.equal(await store.retryWithdrawals(), 1);
  assert.equal(kept(id)?.state, 'Revoked');
  const done = await store.find(BANK, id);
  assert.deepEqual([done?.state, done?.revoking], ['Revoked', undefined]);
  assert.deepEqual(
    actionsOf(audit).filter((action) => action === 'consent.revoked'),
    ['consent.revoked'],
  );
});

test('N-201 the store cannot even be asked whether there is such a consent: refused from now on all the same', async () => {
  const id = await authorised();
  faults().down = 'refuse';
  await assert.rejects(
    store.revoke(BANK, id, STAFF),
    (error) => unavailable(error) && error instanceof Refusal && error.detail === 'revoking',
  );
  mend(faults());
  assert.equal(await stateOf(id), 'Revoked');
  clock.current = secondsAfter(START, 60);
  await store.retryWithdrawals();
  assert.equal(kept(id)?.state, 'Revoked');
});

test('a store that comes back from an old copy opens nothing that was closed here', async () => {
  const id = await authorised();
  const old = kept(id);
  await store.revoke(BANK, id, STAFF);
  const now = kept(id);
  assert.ok(old !== undefined && now !== undefined);
  assert.ok(service.store.ledger.replace({ ...old, version: now.version + 1 }, undefined, false));
  assert.equal(kept(id)?.state, 'Authorised');
  assert.equal(await stateOf(id), 'Revoked');
  await assert.rejects(store.consume(BANK, id, TPP), refuses('consent_status_invalid', 400));
  faults().down = 500;
  faults().only = onChanges;
  assert.equal((await store.revoke(BANK, id, STAFF)).revoking, true, 'the store has to confirm again');
  mend(faults());
  clock.current = secondsAfter(START, 60);
  await store.retryWithdrawals();
  assert.equal(kept(id)?.state, 'Revoked');
});

test('CLD-48 N-201 another process refuses as well, and takes over what the first could not tell', async () => {
  const id = await authorised();
  const other = open();
  faults().down = 'refuse';
  faults().only = onChanges;
  await store.revoke(BANK, id, STAFF);
  assert.equal((await other.find(BANK, id))?.state, 'Revoked');
  mend(faults());
  clock.current = secondsAfter(START, 60);
  assert.equal(await other.retryWithdrawals(), 1);
  assert.equal(await store.retryWithdrawals(), 0);
  await other.close();
});

test('CLD-50 a call-back that was lost is noticed after the bounded age, not before it is due and never later', async () => {
  const quiet = { ...database, listen: async () => async () => undefined };
  const consents = await createConsents({ stores: () => store, database: quiet, clock });
  const id = await authorised();
  assert.equal((await consents.current(BANK, id))?.state, 'Authorised');
  const own = kept(id);
  assert.ok(own !== undefined);
  service.store.ledger.replace({ ...own, state: 'Revoked', version: own.version + 1 }, undefined, false);
  clock.current = secondsAfter(START, 4.999);
  assert.equal(
    (await consents.current(BANK, id))?.state,
    'Authorised',
    'remembered: the store is not asked every time',
  );
  clock.current = secondsAfter(START, 5);
  assert.equal((await consents.current(BANK, id))?.state, 'Revoked');
});

test('N-199 a remembered answer is not believed longer because the store is down', async () => {
  const quiet = { ...database, listen: async () => async () => undefined };
  const consents = await createConsents({ stores: () => store, database: quiet, clock });
  const id = await authorised();
  await consents.current(BANK, id);
  faults().down = 'refuse';
  clock.current = secondsAfter(START, 5);
  await assert.rejects(async () => consents.current(BANK, id), unavailable);
});

test('CLD-50 N-199 with an age of 0 the store is asked at every call, and while it is down nothing is allowed', async () => {
  const strict = open(0);
  const consents = await createConsents({ stores: () => strict, database, clock });
  const id = await authorised();
  assert.equal((await consents.current(BANK, id))?.state, 'Authorised');
  faults().down = 'refuse';
  await assert.rejects(async () => consents.current(BANK, id), unavailable);
  await consents.close();
});

test('CLD-50 told of a change, the next answer is read anew, whatever the age', async () => {
  const consents = await createConsents({ stores: () => store, database, clock });
  const id = await authorised();
  await consents.current(BANK, id);
  const own = kept(id);
  assert.ok(own !== undefined);
  service.store.ledger.replace({ ...own, state: 'Revoked', version: own.version + 1 }, undefined, false);
  await consents.noticeChange(BANK, id);
  assert.equal((await consents.current(BANK, id))?.state, 'Revoked');
});

test('the platform’s own expiry counts, whatever the store’s clock says', async () => {
  const id = await authorised();
  const answer = kept(id);
  assert.ok(answer !== undefined);
  clock.current = END;
  faults().lie = (consent) => ({ ...consent, state: 'Authorised' });
  assert.equal(await stateOf(id), 'Expired');
});

test('health is what the store says of itself', async () => {
  assert.equal(await store.health(), true);
  faults().down = 503;
  assert.equal(await store.health(), false);
  faults().down = 'refuse';
  assert.equal(await store.health(), false);
});

test('an origin that is more than an origin is refused at start', () => {
  for (const origin of ['http://localhost:1', 'https://localhost/path', 'https://user@localhost', 'localhost']) {
    const wrong = { bank: BANK, fetcher: service.fetcher(), origin, database, audit, clock, reference: () => 'x' };
    assert.throws(() => createExternalConsentStore(wrong), origin);
  }
});
