import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Audit } from '../../src/audit/index.ts';
import {
  type Authorisation,
  CONSENT_ACTIONS,
  CONSENT_STATES,
  type ConsentAction,
  type ConsentState,
  type ConsentStore,
  type NewConsent,
  TRANSITIONS,
} from '../../src/consent/index.ts';
import { type Clock, secondsAfter } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { uuid } from '../../src/platform/random.ts';
import { Refusal } from '../../src/platform/refusal.ts';
import { AGREED, asked, CUSTOMER, DECIDE_BEFORE, END, refuses, STAFF, START, TPP } from '../support/consent-room.ts';
import type { TestDatabase } from '../support/database.ts';
import { createRecordingAudit } from '../support/recording-audit.ts';

/** What a store under test is made with. */
export interface PortParts {
  readonly bank: string;
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly reference: (bank: string, customer: string) => string;
}

/** A store under test. */
export interface PortStore {
  readonly store: ConsentStore & { flush(): Promise<void> };
  close(): Promise<void>;
}

type Step = Exclude<ConsentAction, 'expire'>;
const STEPS = CONSENT_ACTIONS.filter((action): action is Step => action !== 'expire');
const RACERS = 6;

/** What every implementation of the consent port must do, whoever keeps the consents (CLD-50). */
export function consentPortSuite(
  name: string,
  openDatabase: () => Promise<TestDatabase>,
  open: (parts: PortParts) => Promise<PortStore>,
): void {
  describe(`the consent port over ${name}`, () => {
    const room = openRoom(openDatabase, open);
    lifeTests(room);
    creationTests(room);
    agreementTests(room);
    readingTests(room);
    recordTests(room);
  });
}

type Room = ReturnType<typeof openRoom>;

function openRoom(openDatabase: () => Promise<TestDatabase>, open: (parts: PortParts) => Promise<PortStore>) {
  const bank = 'hyperscale';
  const audit = createRecordingAudit();
  const clock = { current: START, now: (): Date => clock.current };
  let opened: { database: TestDatabase; port: PortStore } | undefined;
  const parts = () => {
    if (opened === undefined) throw new Error('the store opens before the first test');
    return opened;
  };
  before(async () => {
    const database = await openDatabase();
    const reference = (of: string, customer: string) => `hash(${of}/${customer})`;
    opened = { database, port: await open({ bank, database, audit, clock, reference }) };
  });
  after(async () => {
    await parts().port.close();
    await parts().database.close();
  });
  beforeEach(() => {
    clock.current = START;
    audit.events.length = 0;
    audit.failure = undefined;
  });
  const store = () => parts().port.store;
  const wanted = (changes: Partial<NewConsent> = {}): NewConsent => asked({ bank, ...changes });
  const awaiting = async (changes: Partial<NewConsent> = {}) => (await store().create(wanted(changes), TPP)).id;
  const agree = (id: string, changes: Partial<Authorisation> = {}) =>
    store().authorise(bank, id, { ...AGREED, ...changes }, CUSTOMER);
  const authorised = async (changes: Partial<NewConsent> = {}) => {
    const id = await awaiting(changes);
    await agree(id, { customer: changes.customer ?? 'customer-1' });
    return id;
  };
  const run: Readonly<Record<Step, (id: string) => Promise<unknown>>> = {
    authorise: (id) => agree(id, { expiresAt: secondsAfter(clock.current, 60) }),
    reject: (id) => store().reject(bank, id, CUSTOMER),
    consume: (id) => store().consume(bank, id, TPP),
    revoke: (id) => store().revoke(bank, id, CUSTOMER),
  };
  const inState = async (state: ConsentState): Promise<string> => {
    const id = await (state === 'Awaiting' || state === 'Rejected' ? awaiting() : authorised());
    if (state === 'Rejected') await run.reject(id);
    if (state === 'Consumed') await run.consume(id);
    if (state === 'Revoked') await run.revoke(id);
    if (state === 'Expired') clock.current = END;
    return id;
  };
  /** Of one consent: what another test left to be done behind its back is none of this one's business. */
  const eventsOf = (id: string) => audit.events.filter(({ consent }) => consent === id);
  const find = (id: string) => store().find(bank, id);
  const stateOf = async (id: string) => (await find(id))?.state;
  return { bank, audit, clock, store, wanted, awaiting, agree, authorised, run, inState, eventsOf, find, stateOf };
}

function lifeTests(room: Room): void {
  for (const state of CONSENT_STATES)
    for (const action of STEPS)
      test(`ASK-09 N-194 ${state} + ${action}: as the table says, and nothing else changes`, async () => {
        const id = await room.inState(state);
        const [before, steps] = [await room.find(id), await room.store().history(room.bank, id)];
        room.audit.events.length = 0;
        const outcome = TRANSITIONS[state][action];
        if (outcome === 'refused') await assert.rejects(room.run[action](id), refuses('consent_status_invalid', 400));
        else await room.run[action](id);
        if (typeof outcome === 'object') {
          assert.equal(await room.stateOf(id), outcome.to);
          assert.equal(room.eventsOf(id).filter(({ facts }) => facts?.state === outcome.to).length, 1);
          assert.equal((await room.store().history(room.bank, id)).length, steps.length + 1);
        } else {
          assert.deepEqual(await room.find(id), before);
          assert.deepEqual(await room.store().history(room.bank, id), steps);
          assert.deepEqual(room.eventsOf(id), []);
        }
      });

  for (const action of STEPS)
    test(`N-194 of ${RACERS} callers who ${action} at once, one wins or all have the same answer`, async () => {
      const id = await room.inState(action === 'consume' ? 'Authorised' : 'Awaiting');
      room.audit.events.length = 0;
      const outcomes = await Promise.allSettled(Array.from({ length: RACERS }, () => room.run[action](id)));
      const won = outcomes.filter(({ status }) => status === 'fulfilled').length;
      if (action === 'revoke') assert.ok(won >= 1);
      else assert.equal(won, 1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof Refusal, String(outcome.reason));
      const final = await room.stateOf(id);
      assert.equal(room.eventsOf(id).filter(({ facts }) => facts?.state === final).length, 1);
    });

  test('N-192 an Authorised consent is Expired from its very end', async () => {
    const id = await room.authorised();
    room.clock.current = new Date(END.getTime() - 1);
    assert.equal(await room.stateOf(id), 'Authorised');
    room.clock.current = END;
    assert.equal(await room.stateOf(id), 'Expired');
    assert.equal((await room.store().history(room.bank, id)).at(-1)?.action, 'expire');
  });

  test('N-208 an Awaiting consent can be authorised until the time to decide is over, not at that moment', async () => {
    const [early, late] = [await room.awaiting(), await room.awaiting()];
    room.clock.current = new Date(DECIDE_BEFORE.getTime() - 1);
    await room.run.authorise(early);
    room.clock.current = DECIDE_BEFORE;
    await assert.rejects(room.run.authorise(late), refuses('consent_status_invalid', 400));
    assert.equal(await room.stateOf(late), 'Rejected');
  });

  test('N-200 revoking twice is the same answer, with one event', async () => {
    const id = await room.authorised();
    const first = await room.store().revoke(room.bank, id, STAFF);
    const events = room.eventsOf(id).length;
    assert.deepEqual(await room.store().revoke(room.bank, id, STAFF), first);
    assert.equal(room.eventsOf(id).length, events);
  });
}

function creationTests(room: Room): void {
  test('N-191 CLD-54 an unknown id is absent, and every change of it is refused with consent_missing', async () => {
    for (const id of ['unknown', '', ' ', 'a\0b', '.', '..', 'a/b', 'x'.repeat(5_000)]) {
      assert.equal(await room.find(id), undefined);
      await assert.rejects(room.store().history(room.bank, id), refuses('consent_missing', 404));
      for (const run of Object.values(room.run)) await assert.rejects(run(id), refuses('consent_missing', 404));
    }
  });

  test('N-191 the consent of one bank is unknown to another', async () => {
    const id = await room.authorised();
    assert.equal(await room.store().find('elsewhere', id), undefined);
    await assert.rejects(room.store().revoke('elsewhere', id, STAFF), refuses('consent_missing', 404));
    assert.deepEqual(await room.store().list({ bank: 'elsewhere' }), []);
    assert.equal(await room.stateOf(id), 'Authorised');
  });

  test('CLD-54 a taken id is refused: whose consent it is never changes', async () => {
    const id = await room.awaiting();
    const others = [
      { client: 'client-2' },
      { participant: 'paymate' },
      { customer: 'customer-2' },
      { scopes: ['more'] },
    ];
    for (const changes of others)
      await assert.rejects(room.awaiting({ id, ...changes }), refuses('consent_status_invalid', 400));
    await room.run.reject(id);
    await assert.rejects(room.awaiting({ id }), refuses('consent_status_invalid', 400));
    assert.equal(await room.stateOf(id), 'Rejected');
  });

  test('asking for the same again, as a reloaded page does, gives the waiting consent', async () => {
    const first = await room.store().create(room.wanted(), TPP);
    assert.deepEqual(await room.store().create(room.wanted({ id: first.id }), TPP), first);
    assert.equal((await room.store().history(room.bank, first.id)).length, 1);
  });

  test('N-198 what is asked must be whole: no empty id, no blank, endless or past value', async () => {
    const wrong: readonly Partial<NewConsent>[] = [
      { id: '' },
      { id: 'x'.repeat(257) },
      { id: 'a\nb' },
      { client: ' ' },
      { participant: '' },
      { customer: '' },
      { scopes: ['accounts', 'accounts'] },
      { scopes: [''] },
      { decideBefore: START },
    ];
    for (const changes of wrong) await assert.rejects(room.awaiting(changes), refuses('field_invalid', 400));
    assert.deepEqual(room.audit.events, []);
  });
}

function agreementTests(room: Room): void {
  test('agreeing to what was not asked, for another customer, or until yesterday is refused and changes nothing', async () => {
    const id = await room.awaiting();
    await assert.rejects(room.agree(id, { customer: 'customer-2' }), refuses('consent_wrong_user', 403));
    await assert.rejects(room.agree(id, { customer: '' }), refuses('field_invalid', 400));
    await assert.rejects(room.agree(id, { scopes: ['accounts', 'everything'] }), refuses('field_invalid', 400));
    await assert.rejects(room.agree(id, { accounts: ['account-1', ''] }), refuses('field_invalid', 400));
    await assert.rejects(room.agree(id, { expiresAt: START }), refuses('field_invalid', 400));
    assert.equal(await room.stateOf(id), 'Awaiting');
  });

  test('CLD-44 CLD-45 authorising keeps exactly what was agreed', async () => {
    const details = [{ type: 'account_information', actions: ['read_balances'] }];
    const id = await room.awaiting({ customer: undefined, authorizationDetails: details });
    room.clock.current = secondsAfter(START, 30);
    const consent = await room.agree(id);
    assert.equal(consent.state, 'Authorised');
    assert.equal(consent.customer, 'customer-1');
    assert.deepEqual(consent.scopes, ['accounts']);
    assert.deepEqual(consent.accounts, ['account-1', 'account-2']);
    assert.deepEqual(consent.authorizationDetails, details);
    assert.deepEqual(consent.expiresAt, END);
    assert.deepEqual(consent.changedAt, room.clock.current);
    assert.deepEqual(await room.find(id), consent);
  });

  test('N-224 agreeing to no account is kept as such', async () => {
    assert.deepEqual((await room.agree(await room.awaiting(), { accounts: [] })).accounts, []);
  });
}

function readingTests(room: Room): void {
  test('N-205 a blank member of a filter is refused, never a wildcard', async () => {
    for (const blank of [{ customer: '' }, { client: ' ' }, { participant: '' }, { limit: 0 }, { limit: 1.5 }])
      await assert.rejects(room.store().list({ bank: room.bank, ...blank }), refuses('field_invalid', 400));
  });

  test('CLD-46 CLD-52 lists are newest first, narrowed by every member given, and bounded', async () => {
    const participant = `participant-${uuid()}`;
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      room.clock.current = secondsAfter(START, index);
      const customer = index % 2 === 0 ? 'customer-1' : 'customer-2';
      ids.push(await room.authorised({ participant, customer, client: index < 3 ? 'client-1' : 'client-2' }));
    }
    const list = (filter: object) => room.store().list({ bank: room.bank, participant, ...filter });
    const placesOf = async (filter: object) => (await list(filter)).map(({ id }) => ids.indexOf(id));
    assert.deepEqual(await placesOf({}), [4, 3, 2, 1, 0]);
    assert.deepEqual(await placesOf({ customer: 'customer-1' }), [4, 2, 0]);
    assert.deepEqual(await placesOf({ customer: 'customer-1', client: 'client-1' }), [2, 0]);
    assert.deepEqual(await placesOf({ client: 'client-3' }), []);
    assert.deepEqual(await placesOf({ limit: 2 }), [4, 3]);
    const [, last] = await list({ limit: 2 });
    assert.ok(last !== undefined);
    assert.deepEqual(await placesOf({ limit: 2, after: last }), [2, 1]);
  });

  test('CLD-46 a list longer than one page of the store comes whole', async () => {
    const participant = `participant-${uuid()}`;
    for (let index = 0; index < 105; index += 1) {
      room.clock.current = secondsAfter(START, index / 10);
      await room.awaiting({ participant });
    }
    const found = await room.store().list({ bank: room.bank, participant, limit: 500 });
    assert.equal(new Set(found.map(({ id }) => id)).size, 105);
  });

  test('CLD-56 a list narrowed by state goes by the state at the time of asking', async () => {
    const participant = `participant-${uuid()}`;
    await room.authorised({ participant });
    await room.store().revoke(room.bank, await room.authorised({ participant }), STAFF);
    await room.awaiting({ participant });
    const count = async (state: ConsentState) =>
      (await room.store().list({ bank: room.bank, participant, state })).length;
    assert.deepEqual([await count('Authorised'), await count('Revoked'), await count('Awaiting')], [1, 1, 1]);
    room.clock.current = END;
    assert.deepEqual([await count('Authorised'), await count('Revoked'), await count('Awaiting')], [0, 1, 0]);
    assert.deepEqual([await count('Expired'), await count('Rejected')], [1, 1]);
  });

  test('last use is noted in batches, and the latest counts', async () => {
    const id = await room.authorised();
    room.clock.current = secondsAfter(START, 20);
    room.store().touch(room.bank, id);
    room.clock.current = secondsAfter(START, 30);
    room.store().touch(room.bank, id);
    room.store().touch(room.bank, 'unknown');
    assert.equal((await room.find(id))?.lastUsedAt, undefined);
    await room.store().flush();
    assert.deepEqual((await room.find(id))?.lastUsedAt, secondsAfter(START, 30));
  });
}

function recordTests(room: Room): void {
  test('a consent whose event cannot be written gives nothing, and what is over stays over', async () => {
    const [id, waiting] = [await room.authorised(), await room.awaiting()];
    room.audit.failure = new Refusal('audit_unavailable', 503, 'The audit trail cannot be written.');
    await assert.rejects(room.agree(waiting), refuses('audit_unavailable', 503));
    await assert.rejects(room.run.consume(id), refuses('audit_unavailable', 503));
    const unborn = room.wanted();
    await assert.rejects(room.store().create(unborn, TPP), refuses('audit_unavailable', 503));
    assert.notEqual(await room.stateOf(waiting), 'Authorised');
    assert.notEqual(await room.stateOf(unborn.id), 'Authorised');
  });

  test('CLD-49 each event names consent, participant, client and interaction, and never the customer', async () => {
    const id = await room.authorised();
    await room.store().revoke(room.bank, id, STAFF);
    const states = room
      .eventsOf(id)
      .map(({ facts }) => facts?.state)
      .filter((state) => state !== undefined);
    assert.deepEqual(states, ['Awaiting', 'Authorised', 'Revoked']);
    for (const event of room.eventsOf(id)) {
      assert.equal(event.consent, id);
      const told = JSON.stringify({ ...event, subject: undefined });
      for (const secret of ['customer-1', 'account-1', 'telephone']) assert.equal(told.includes(secret), false);
    }
  });

  test('CLD-47 CLD-56 history tells who did what, when and why', async () => {
    const id = await room.authorised();
    room.clock.current = secondsAfter(START, 5);
    await room.store().revoke(room.bank, id, STAFF);
    const steps = await room.store().history(room.bank, id);
    assert.deepEqual(
      steps.map(({ action, state, actor }) => [action, state, actor]),
      [
        ['create', 'Awaiting', 'participant'],
        ['authorise', 'Authorised', 'customer'],
        ['revoke', 'Revoked', 'staff'],
      ],
    );
    assert.deepEqual(steps[2]?.at, room.clock.current);
    assert.equal(steps[2]?.reason, 'asked by telephone');
  });

  test('words of a person that nobody can keep do not stop a revocation', async () => {
    const id = await room.authorised();
    const reason = `\0 \ud800 ${'long '.repeat(1_000)}`;
    await room.store().revoke(room.bank, id, { kind: 'staff', reference: 'staff-1', reason });
    assert.equal(await room.stateOf(id), 'Revoked');
    assert.equal((await room.store().history(room.bank, id))[2]?.reason?.length, 500);
  });
}
