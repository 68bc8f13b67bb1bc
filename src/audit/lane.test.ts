import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { Database, Statement } from '../platform/database.ts';
import { integer, text } from '../platform/row.ts';
import { type Audit, type AuditEvent, type AuditLane, createAudit } from './index.ts';

const clock = { now: () => new Date('2026-03-01T10:00:00.123Z') };
let database: TestDatabase;
let audit: Audit;
/** Does what is asked, then says that it failed: an answer that was lost on its way. */
let answersAreLost = false;

before(async () => {
  database = await openTestDatabase();
  await database.query('CREATE TABLE thing (id int PRIMARY KEY)');
});
after(() => database.close());

beforeEach(async () => {
  answersAreLost = false;
  await audit?.close();
  await database.query('TRUNCATE audit.events, audit.chains, thing');
  await database.query('UPDATE audit.trail SET chains = 0, last_chain = NULL');
  audit = await createAudit({ database, clock });
});
after(() => audit.close());

function openLane(): Promise<AuditLane> {
  const lossy: Database = {
    ...database,
    together: async (statements) => {
      const rows = await database.together(statements);
      if (answersAreLost) throw new Error('Connection terminated unexpectedly');
      return rows;
    },
  };
  return audit.openLane(lossy);
}

function made(index: number): AuditEvent {
  return { family: 'token', action: 'thing.made', outcome: 'changed', bank: 'gobank', facts: { index } };
}

function making(id: number): Statement {
  return { text: 'INSERT INTO thing (id) VALUES ($1) RETURNING id', values: [id] };
}

async function things(): Promise<readonly number[]> {
  return (await database.query('SELECT id FROM thing ORDER BY id')).map((row) => integer(row, 'id'));
}

async function recorded(): Promise<readonly unknown[]> {
  const found = await audit.search({ action: 'thing.made' });
  return found.map(({ facts }) => facts?.index).reverse();
}

async function laneChain(): Promise<string> {
  const [row] = await database.query("SELECT chain::text AS chain FROM audit.chains WHERE kind = 'lane'");
  return text(row ?? {}, 'chain');
}

test('LAB-45 a change and its records are there together, in a chain that verifies; the rows of each statement come back', async () => {
  const lane = await openLane();
  const rows = await lane.commit([making(1), making(2)], [made(1), made(2)]);
  assert.deepEqual(rows, [[{ id: 1 }], [{ id: 2 }]]);
  await lane.commit([making(3)], [made(3)]);
  assert.deepEqual(await things(), [1, 2, 3]);
  assert.deepEqual(await recorded(), [1, 2, 3]);
  assert.deepEqual(await audit.verify(), { intact: true, chains: 6, records: 6 + 3 });
});

test('LAB-42 a statement that fails leaves neither change nor record, and the lane goes on', async () => {
  const lane = await openLane();
  await lane.commit([making(1)], [made(1)]);
  await assert.rejects(lane.commit([making(2), making(1)], [made(2), made(1)]), /duplicate key/);
  await lane.commit([making(3)], [made(3)]);
  assert.deepEqual(await things(), [1, 3]);
  assert.deepEqual(await recorded(), [1, 3]);
  assert.equal((await audit.verify()).intact, true);
});

test('LAB-42 where the record cannot be written the change is not made', async () => {
  const lane = await openLane();
  await database.query("UPDATE audit.chains SET head_hash = 'x' WHERE chain = $1::uuid", [await laneChain()]);
  await assert.rejects(lane.commit([making(1)], [made(1)]), /the audit chain is not as its writer left it/);
  assert.deepEqual(await things(), []);
  await database.query('DELETE FROM audit.chains WHERE chain = $1::uuid', [await laneChain()]);
  await assert.rejects(lane.commit([making(1)], [made(1)]), /gone from audit.chains/);
  assert.deepEqual(await things(), []);
});

test('a head that somebody moved does not hide: the trail says so', async () => {
  const lane = await openLane();
  await lane.commit([making(1)], [made(1)]);
  await database.query("UPDATE audit.chains SET head_hash = 'x' WHERE chain = $1::uuid", [await laneChain()]);
  await assert.rejects(lane.commit([making(2)], [made(2)]), /not as its writer left it/);
  await lane.commit([making(3)], [made(3)]);
  assert.equal((await audit.verify()).intact, false);
});

test('LAB-45 an answer that was lost after the commit: the lane finds where it stands, and the trail is intact', async () => {
  const lane = await openLane();
  answersAreLost = true;
  await assert.rejects(lane.commit([making(1)], [made(1)]), /Connection terminated/);
  answersAreLost = false;
  await lane.commit([making(2)], [made(2)]);
  assert.deepEqual(await recorded(), [1, 2]);
  assert.equal((await audit.verify()).intact, true);
});

test('fifty at once, every seventh refused: each waits its turn, none is lost, none is doubled', async () => {
  const lanes = [await openLane(), await openLane()];
  const ids = Array.from({ length: 50 }, (_, index) => index + 1);
  const outcomes = await Promise.allSettled(
    ids.map((id) => lanes[id % 2]?.commit(id % 7 === 0 ? [making(id), making(id)] : [making(id)], [made(id)])),
  );
  const good = ids.filter((_, index) => outcomes[index]?.status === 'fulfilled');
  assert.deepEqual(
    good,
    ids.filter((id) => id % 7 !== 0),
  );
  assert.deepEqual(await things(), good);
  assert.deepEqual(
    [...(await recorded())].sort((a, b) => Number(a) - Number(b)),
    good,
  );
  assert.equal((await audit.verify()).intact, true);
});
