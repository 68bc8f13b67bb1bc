import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AGREED,
  asked,
  BANK,
  CUSTOMER,
  END,
  openConsentRoom,
  refuses,
  STAFF,
  START,
  TPP,
} from '../../test/support/consent-room.ts';
import { actionsOf } from '../../test/support/recording-audit.ts';
import { secondsAfter } from '../platform/clock.ts';
import { Refusal } from '../platform/refusal.ts';

const room = openConsentRoom();

test('a change whose event cannot be written does not happen', async () => {
  const id = await room.authorised();
  const waiting = await room.awaiting();
  room.audit.failure = new Refusal('audit_unavailable', 503, 'The audit trail cannot be written.');
  await assert.rejects(room.store().revoke(BANK, id, CUSTOMER), refuses('audit_unavailable', 503));
  await assert.rejects(room.store().consume(BANK, id, TPP), refuses('audit_unavailable', 503));
  await assert.rejects(room.store().authorise(BANK, waiting, AGREED, CUSTOMER), refuses('audit_unavailable', 503));
  const unborn = asked();
  await assert.rejects(room.store().create(unborn, TPP), refuses('audit_unavailable', 503));
  room.audit.failure = undefined;
  assert.equal(await room.stateOf(id), 'Authorised');
  assert.equal(await room.stateOf(waiting), 'Awaiting');
  assert.equal(await room.store().find(BANK, unborn.id), undefined);
  assert.equal((await room.store().history(BANK, id)).length, 2);
});

test('CLD-49 each event names consent, participant, client and interaction, and never the customer', async () => {
  const id = await room.authorised();
  await room.store().revoke(BANK, id, STAFF);
  for (const event of room.audit.events) {
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
  assert.equal(room.audit.events[1]?.interaction, 'interaction-1');
  assert.equal(room.audit.events[2]?.facts?.actorReference, 'staff-1');
});

test('CLD-47 CLD-56 history tells who did what, when and why', async () => {
  const id = await room.authorised();
  room.clock.current = secondsAfter(START, 5);
  await room.store().revoke(BANK, id, STAFF);
  const steps = await room.store().history(BANK, id);
  assert.deepEqual(
    steps.map(({ action, state, actor }) => [action, state, actor]),
    [
      ['create', 'Awaiting', 'participant'],
      ['authorise', 'Authorised', 'customer'],
      ['revoke', 'Revoked', 'staff'],
    ],
  );
  const last = { at: room.clock.current, actorReference: 'staff-1', reason: 'asked by telephone' };
  assert.deepEqual(steps[2], { action: 'revoke', state: 'Revoked', actor: 'staff', ...last });
});

test('words of a person that the database cannot keep do not stop a revocation', async () => {
  const id = await room.authorised();
  const reason = `\0 \ud800 ${'long '.repeat(1_000)}`;
  await room.store().revoke(BANK, id, { kind: 'staff', reference: 'staff-1', reason });
  assert.equal(await room.stateOf(id), 'Revoked');
  assert.equal((await room.store().history(BANK, id))[2]?.reason?.length, 500);
});

test('CLD-56 N-192 history shows the end that time brought, once, whether or not the row says so', async () => {
  const id = await room.authorised();
  room.clock.current = secondsAfter(END, 3_600);
  const read = await room.store().history(BANK, id);
  const end = { action: 'expire', state: 'Expired', actor: 'system', actorReference: 'clock', reason: undefined };
  assert.deepEqual(read.at(-1), { at: END, ...end });
  await room.store().expireDue();
  assert.deepEqual(await room.store().history(BANK, id), read);
});

test('N-214 the expiry run ends each consent wholly or not at all, and the next run continues', async () => {
  const ids = [await room.authorised(), await room.authorised(), await room.authorised()];
  room.clock.current = END;
  await room.store().expireDue();
  const due = [
    await room.awaiting({ decideBefore: secondsAfter(END, 1) }),
    await room.awaiting({ decideBefore: secondsAfter(END, 2) }),
  ];
  room.clock.current = secondsAfter(END, 10);
  room.audit.events.length = 0;
  const record = room.audit.record;
  let records = 0;
  room.audit.record = async (statements, event) => {
    records += 1;
    if (records === 2) throw new Error('interrupted');
    return record(statements, event);
  };
  await assert.rejects(room.store().expireDue(), refuses('consent_store_unavailable', 503));
  room.audit.record = record;
  const rows = await room
    .database()
    .query('SELECT id, state FROM consent.consents WHERE id = ANY($1::text[]) ORDER BY expires_at', [due]);
  assert.deepEqual(
    rows.map((row) => row.state),
    ['Rejected', 'Awaiting'],
  );
  assert.deepEqual([await room.stateOf(due[0] ?? ''), await room.stateOf(due[1] ?? '')], ['Rejected', 'Rejected']);
  assert.equal(await room.store().expireDue(), 1);
  assert.equal(await room.store().expireDue(), 0);
  assert.deepEqual(actionsOf(room.audit), ['consent.expired', 'consent.expired']);
  for (const id of ids) assert.equal(await room.stateOf(id), 'Expired');
});
