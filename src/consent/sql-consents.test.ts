import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AGREED,
  asked,
  BANK,
  CUSTOMER,
  DECIDE_BEFORE,
  END,
  openConsentRoom,
  refuses,
  STAFF,
  START,
  TPP,
} from '../../test/support/consent-room.ts';
import { actionsOf } from '../../test/support/recording-audit.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { Authorisation, NewConsent } from './consent.ts';
import { CONSENT_ACTIONS, CONSENT_STATES, TRANSITIONS } from './transitions.ts';

const room = openConsentRoom();

for (const state of CONSENT_STATES) {
  for (const action of CONSENT_ACTIONS) {
    if (action === 'expire') continue;
    const outcome = TRANSITIONS[state][action];
    const title = `${state} + ${action}`;
    test(`ASK-09 N-194 ${title} in the store: as the table says, and nothing else changes`, async () => {
      const id = await room.inState(state);
      const before = await room.store().find(BANK, id);
      const steps = await room.store().history(BANK, id);
      room.audit.events.length = 0;
      if (outcome === 'refused') {
        await assert.rejects(room.run[action](id), refuses('consent_status_invalid', 400));
      } else {
        await room.run[action](id);
      }
      const to = typeof outcome === 'object' ? outcome.to : state;
      assert.equal(await room.stateOf(id), to);
      if (typeof outcome === 'object') {
        assert.equal(room.audit.events.length, 1);
        assert.equal((await room.store().history(BANK, id)).length, steps.length + 1);
      } else {
        assert.deepEqual(room.audit.events, []);
        assert.deepEqual(await room.store().find(BANK, id), before);
        assert.deepEqual(await room.store().history(BANK, id), steps);
      }
    });
  }
}

test('N-191 CLD-54 an unknown id is absent, and every change of it is refused with consent_missing', async () => {
  for (const id of ['unknown', '', ' ', 'a\0b', 'x'.repeat(5_000)]) {
    assert.equal(await room.store().find(BANK, id), undefined);
    await assert.rejects(room.store().history(BANK, id), refuses('consent_missing', 404));
    for (const run of Object.values(room.run)) await assert.rejects(run(id), refuses('consent_missing', 404));
  }
});

test('N-191 the consent of one bank is unknown to another', async () => {
  const id = await room.authorised();
  assert.equal(await room.store().find('albion', id), undefined);
  await assert.rejects(room.store().revoke('albion', id, STAFF), refuses('consent_missing', 404));
  await assert.rejects(room.store().consume('albion', id, TPP), refuses('consent_missing', 404));
  assert.equal(await room.stateOf(id), 'Authorised');
});

test('the same id at two banks is two consents', async () => {
  const id = await room.authorised();
  await room.authorised({ id, bank: 'albion' });
  await room.store().revoke('albion', id, STAFF);
  assert.equal(await room.stateOf(id), 'Authorised');
});

test('CLD-54 a taken id is refused: whose consent it is never changes', async () => {
  const id = await room.awaiting();
  for (const changes of [
    { client: 'client-2' },
    { participant: 'paymate' },
    { customer: 'customer-2' },
    { scopes: [] },
  ]) {
    await assert.rejects(room.store().create(asked({ id, ...changes }), TPP), refuses('consent_status_invalid', 400));
  }
  await room.store().reject(BANK, id, CUSTOMER);
  await assert.rejects(room.store().create(asked({ id }), TPP), refuses('consent_status_invalid', 400));
  assert.equal(await room.stateOf(id), 'Rejected');
});

test('asking for the same again, as a reloaded page does, gives the waiting consent', async () => {
  const first = await room.store().create(asked(), TPP);
  const again = await room.store().create(asked({ id: first.id }), TPP);
  assert.deepEqual(again, first);
  assert.deepEqual(actionsOf(room.audit), ['consent.created']);
  assert.equal((await room.store().history(BANK, first.id)).length, 1);
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
  for (const changes of wrong)
    await assert.rejects(room.store().create(asked(changes), TPP), refuses('field_invalid', 400));
  assert.deepEqual(room.audit.events, []);
});

test('agreeing to what was not asked, for another customer, or until yesterday is refused and changes nothing', async () => {
  const id = await room.awaiting();
  const agree = (changes: Partial<Authorisation>) =>
    room.store().authorise(BANK, id, { ...AGREED, ...changes }, CUSTOMER);
  await assert.rejects(agree({ customer: 'customer-2' }), refuses('consent_wrong_user', 403));
  await assert.rejects(agree({ customer: '' }), refuses('field_invalid', 400));
  await assert.rejects(agree({ scopes: ['accounts', 'everything'] }), refuses('field_invalid', 400));
  await assert.rejects(agree({ accounts: ['account-1', ''] }), refuses('field_invalid', 400));
  await assert.rejects(agree({ expiresAt: START }), refuses('field_invalid', 400));
  assert.equal(await room.stateOf(id), 'Awaiting');
  assert.deepEqual(actionsOf(room.audit), ['consent.created']);
});

test('CLD-44 CLD-45 authorising keeps exactly what was agreed', async () => {
  const details = [{ type: 'account_information', actions: ['read_balances'] }];
  const id = await room.awaiting({ customer: undefined, authorizationDetails: details });
  room.clock.current = secondsAfter(START, 30);
  const consent = await room.store().authorise(BANK, id, AGREED, CUSTOMER);
  assert.equal(consent.state, 'Authorised');
  assert.equal(consent.customer, 'customer-1');
  assert.deepEqual(consent.scopes, ['accounts']);
  assert.deepEqual(consent.accounts, ['account-1', 'account-2']);
  assert.deepEqual(consent.authorizationDetails, details);
  assert.deepEqual(consent.expiresAt, END);
  assert.deepEqual(consent.changedAt, room.clock.current);
  assert.deepEqual(await room.store().find(BANK, id), consent);
});

test('N-224 agreeing to no account is kept as such', async () => {
  const id = await room.awaiting();
  assert.deepEqual((await room.store().authorise(BANK, id, { ...AGREED, accounts: [] }, CUSTOMER)).accounts, []);
});

test('N-192 an Authorised consent is Expired from its very end, and can no longer be consumed or revoked', async () => {
  const id = await room.authorised();
  room.clock.current = new Date(END.getTime() - 1);
  assert.equal(await room.stateOf(id), 'Authorised');
  room.clock.current = END;
  assert.equal(await room.stateOf(id), 'Expired');
  await assert.rejects(room.store().consume(BANK, id, TPP), refuses('consent_status_invalid', 400));
  await assert.rejects(room.store().revoke(BANK, id, CUSTOMER), refuses('consent_status_invalid', 400));
});

test('N-208 an Awaiting consent can be authorised until the time to decide is over, not at that moment', async () => {
  const early = await room.awaiting();
  const late = await room.awaiting();
  room.clock.current = new Date(DECIDE_BEFORE.getTime() - 1);
  assert.equal((await room.store().authorise(BANK, early, AGREED, CUSTOMER)).state, 'Authorised');
  room.clock.current = DECIDE_BEFORE;
  await assert.rejects(room.store().authorise(BANK, late, AGREED, CUSTOMER), refuses('consent_status_invalid', 400));
  assert.equal(await room.stateOf(late), 'Rejected');
});

test('CLD-47 N-200 revoking twice is the same answer, one step and one event', async () => {
  const id = await room.authorised();
  room.clock.current = secondsAfter(START, 60);
  const first = await room.store().revoke(BANK, id, CUSTOMER);
  room.clock.current = secondsAfter(START, 120);
  assert.deepEqual(await room.store().revoke(BANK, id, STAFF), first);
  assert.deepEqual(first.changedAt, secondsAfter(START, 60));
  assert.deepEqual(actionsOf(room.audit), ['consent.created', 'consent.authorised', 'consent.revoked']);
  assert.equal((await room.store().history(BANK, id)).length, 3);
});

test('N-200 N-202 revoking what is Rejected or Consumed is refused', async () => {
  for (const state of ['Rejected', 'Consumed'] as const) {
    const id = await room.inState(state);
    await assert.rejects(room.store().revoke(BANK, id, CUSTOMER), refuses('consent_status_invalid', 400));
    assert.equal(await room.stateOf(id), state);
  }
});

test('N-203 N-204 revoking one of two consents leaves the other alone', async () => {
  const [one, other, foreign] = [
    await room.authorised(),
    await room.authorised(),
    await room.authorised({ customer: 'customer-2' }),
  ];
  await room.store().revoke(BANK, one, STAFF);
  assert.equal(await room.stateOf(one), 'Revoked');
  assert.equal(await room.stateOf(other), 'Authorised');
  assert.equal(await room.stateOf(foreign), 'Authorised');
});

test('of 20 parallel consumptions exactly one wins', async () => {
  const id = await room.authorised();
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => room.store().consume(BANK, id, TPP)));
  const lost = results.filter((result) => result.status === 'rejected');
  assert.equal(lost.length, 19);
  for (const { reason } of lost) assert.ok(refuses('consent_status_invalid', 400)(reason));
  assert.equal(actionsOf(room.audit).filter((action) => action === 'consent.consumed').length, 1);
  assert.equal((await room.store().history(BANK, id)).length, 3);
});

test('N-225 of decisions in two tabs the first counts and the second is refused', async () => {
  const id = await room.awaiting();
  const results = await Promise.allSettled([
    ...Array.from({ length: 5 }, () => room.store().authorise(BANK, id, AGREED, CUSTOMER)),
    ...Array.from({ length: 5 }, () => room.store().reject(BANK, id, CUSTOMER)),
  ]);
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  const steps = await room.store().history(BANK, id);
  assert.equal(steps.length, 2);
  assert.equal(steps[1]?.state, await room.stateOf(id));
});

const CHANGE = { customer: 'customer-1', accounts: ['account-2', 'account-3'] };

test('N-207 accounts change only while the consent stands, for its own customer, and never to none', async () => {
  const wrong = [
    [{ ...CHANGE, customer: 'customer-2' }, 'consent_wrong_user', 403],
    [{ ...CHANGE, customer: '' }, 'field_invalid', 400],
    [{ ...CHANGE, accounts: [] }, 'field_invalid', 400],
    [{ ...CHANGE, accounts: ['account-1', ''] }, 'field_invalid', 400],
    [{ ...CHANGE, accounts: ['account-3', 'account-3'] }, 'field_invalid', 400],
  ] as const;
  const id = await room.authorised();
  for (const [change, code, status] of wrong)
    await assert.rejects(room.store().changeAccounts(BANK, id, change, CUSTOMER), refuses(code, status), code);
  assert.deepEqual((await room.store().find(BANK, id))?.accounts, AGREED.accounts);
  for (const state of CONSENT_STATES.filter((state) => state !== 'Authorised')) {
    const over = await room.inState(state);
    const code = state === 'Awaiting' ? /consent_status_invalid|consent_wrong_user/ : /consent_status_invalid/;
    await assert.rejects(room.store().changeAccounts(BANK, over, CHANGE, CUSTOMER), { code });
    room.clock.current = START;
  }
  for (const unknown of ['unknown', ''])
    await assert.rejects(room.store().changeAccounts(BANK, unknown, CHANGE, CUSTOMER), refuses('consent_missing', 404));
  await assert.rejects(room.store().changeAccounts('albion', id, CHANGE, CUSTOMER), refuses('consent_missing', 404));
});

test('N-207 one step holds both versions, the version of the consent moves, the same again is nothing, and there is an end', async () => {
  const id = await room.authorised();
  const before = await room.store().find(BANK, id);
  room.clock.current = secondsAfter(START, 60);
  room.audit.events.length = 0;
  for (let round = 0; round < 2; round += 1) {
    const changed = await room.store().changeAccounts(BANK, id, CHANGE, CUSTOMER);
    assert.deepEqual(changed, { ...before, accounts: CHANGE.accounts, changedAt: room.clock.current });
  }
  const reversed = { ...CHANGE, accounts: CHANGE.accounts.toReversed() };
  await room.store().changeAccounts(BANK, id, reversed, CUSTOMER);
  assert.deepEqual(actionsOf(room.audit), ['consent.accounts-changed']);
  const [, , step, ...rest] = await room.store().history(BANK, id);
  assert.deepEqual(rest, []);
  assert.deepEqual(step?.accounts, { before: AGREED.accounts, after: CHANGE.accounts });
  assert.deepEqual([step?.action, step?.state, step?.at], ['change', 'Authorised', room.clock.current]);
  room.audit.failure = new Error('the trail does not answer');
  const other = { ...CHANGE, accounts: ['account-9'] };
  await assert.rejects(room.store().changeAccounts(BANK, id, other, CUSTOMER));
  room.audit.failure = undefined;
  assert.deepEqual((await room.store().find(BANK, id))?.accounts, CHANGE.accounts);
  const change = (count: number) =>
    room.store().changeAccounts(BANK, id, { ...CHANGE, accounts: [`account-${count}`] }, CUSTOMER);
  for (let steps = 3; steps < 90; steps += 1) await change(steps);
  await assert.rejects(change(90), refuses('consent_status_invalid', 400));
  await room.store().revoke(BANK, id, CUSTOMER);
  assert.equal((await room.store().history(BANK, id)).at(-1)?.action, 'revoke');
});
