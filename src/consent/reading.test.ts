import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asked, BANK, END, openConsentRoom, refuses, STAFF, START, TPP } from '../../test/support/consent-room.ts';
import { secondsAfter } from '../platform/clock.ts';
import { uuid } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { ConsentState } from './consent.ts';

const room = openConsentRoom();
const WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

test('N-205 a blank member of a filter is refused, never a wildcard', async () => {
  for (const blank of [
    { customer: '' },
    { client: ' ' },
    { participant: '' },
    { bank: '' },
    { limit: 0 },
    { limit: 1.5 },
  ]) {
    await assert.rejects(room.store().list({ bank: BANK, ...blank }), refuses('field_invalid', 400));
  }
});

test('CLD-46 CLD-52 lists are newest first, of one bank, narrowed by every member given, and bounded', async () => {
  const bank = `bank-${uuid()}`;
  const ids: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    room.clock.current = secondsAfter(START, index);
    const customer = index % 2 === 0 ? 'customer-1' : 'customer-2';
    ids.push(await room.authorised({ bank, customer, client: index < 3 ? 'client-1' : 'client-2' }));
  }
  const idsOf = async (filter: object) =>
    (await room.store().list({ bank, ...filter })).map(({ id }) => ids.indexOf(id));
  assert.deepEqual(await idsOf({}), [4, 3, 2, 1, 0]);
  assert.deepEqual(await idsOf({ customer: 'customer-1' }), [4, 2, 0]);
  assert.deepEqual(await idsOf({ customer: 'customer-1', client: 'client-1' }), [2, 0]);
  assert.deepEqual(await idsOf({ participant: 'paymate' }), []);
  assert.deepEqual(await idsOf({ limit: 2 }), [4, 3]);
  const [, last] = await room.store().list({ bank, limit: 2 });
  assert.deepEqual(await idsOf({ limit: 2, ...(last === undefined ? {} : { after: last }) }), [2, 1]);
  assert.deepEqual(await room.store().list({ bank: 'albion', customer: 'customer-2' }), []);
});

test('CLD-56 a list narrowed by state goes by the state at the time of asking', async () => {
  const bank = `bank-${uuid()}`;
  const kept = await room.authorised({ bank });
  await room.store().revoke(bank, await room.authorised({ bank }), STAFF);
  await room.awaiting({ bank });
  const count = async (state: ConsentState) => (await room.store().list({ bank, state })).length;
  assert.deepEqual([await count('Authorised'), await count('Revoked'), await count('Awaiting')], [1, 1, 1]);
  room.clock.current = END;
  assert.deepEqual([await count('Authorised'), await count('Revoked'), await count('Awaiting')], [0, 1, 0]);
  assert.deepEqual([await count('Expired'), await count('Rejected')], [1, 1]);
  assert.equal((await room.store().list({ bank, state: 'Expired' }))[0]?.id, kept);
});

test('last use is noted in batches, the latest counts, and nothing is said to anybody', async () => {
  const id = await room.authorised();
  room.audit.events.length = 0;
  room.clock.current = secondsAfter(START, 20);
  room.store().touch(BANK, id);
  room.clock.current = secondsAfter(START, 30);
  room.store().touch(BANK, id);
  room.store().touch(BANK, 'unknown');
  assert.equal((await room.store().find(BANK, id))?.lastUsedAt, undefined);
  await room.store().flush();
  assert.deepEqual((await room.store().find(BANK, id))?.lastUsedAt, secondsAfter(START, 30));
  room.clock.current = secondsAfter(START, 10);
  room.store().touch(BANK, id);
  await room.store().flush();
  assert.deepEqual((await room.store().find(BANK, id))?.lastUsedAt, secondsAfter(START, 30));
  assert.deepEqual(room.audit.events, []);
});

if (process.env.PORTCULLIS_TEST_DATABASE === 'postgres') {
  test('last uses of the same consents that two processes note at once do not wait for each other for ever', async () => {
    const ids = [await room.authorised(), await room.authorised(), await room.authorised()];
    const [a = '', b = '', held = ''] = ids.toSorted();
    const database = room.database();
    // As with many consents: one is looked up after the other.
    const query = (text: string, values?: readonly unknown[]) =>
      database.transaction(async (statements) => {
        for (const way of ['hashjoin', 'mergejoin', 'seqscan']) await statements.query(`SET LOCAL enable_${way} = off`);
        return statements.query(text, values);
      });
    let flushes: readonly Promise<void>[] = [];
    const noting = [
      [a, held, b],
      [b, held, a],
    ];
    await database.transaction(async (statements) => {
      await statements.query('SELECT id FROM consent.consents WHERE id = $1 FOR UPDATE', [held]);
      flushes = noting.map(async (used) => {
        const store = room.storeOn({ ...database, query });
        for (const id of used) store.touch(BANK, id);
        await store.flush().finally(() => store.close());
      });
      for (let waiting = 0; waiting < 2; ) waiting = (await database.query(WAITING)).length;
    });
    await Promise.all(flushes);
    assert.deepEqual((await room.store().find(BANK, a))?.lastUsedAt, START);
  });
}

test('N-199 a database that fails is consent_store_unavailable 503, with the cause kept for us', async () => {
  const cause = new Error('connection refused');
  const broken = room.storeOn({
    ...room.database(),
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
  const rows = await room.database().query('SELECT * FROM consent.consents LIMIT 1');
  const lying = room.storeOn({ ...room.database(), query: async () => [{ ...rows[0], state: 'Allowed' }] });
  await assert.rejects(lying.find(BANK, 'consent-1'), refuses('consent_store_unavailable', 503));
});
