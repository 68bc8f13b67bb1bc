import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openEmptyDatabase } from '../../test/support/database.ts';
import { isAnswering } from './database.ts';
import { flag, instant, integer, json, optionalInstant, optionalInteger, optionalText, text, texts } from './row.ts';

const database = await openEmptyDatabase();
after(() => database.close());
await database.query('CREATE TABLE thing (id int PRIMARY KEY, note text)');

async function ids(): Promise<readonly number[]> {
  const rows = await database.query('SELECT id FROM thing ORDER BY id');
  return rows.map((row) => integer(row, 'id'));
}

test('work that throws leaves nothing behind', async () => {
  const failing = database.transaction(async (statements) => {
    await statements.query('INSERT INTO thing (id) VALUES ($1)', [1]);
    throw new Error('changed my mind');
  });
  await assert.rejects(failing, /changed my mind/);
  assert.deepEqual(await ids(), []);
});

test('a transaction whose failed statement was overlooked does not look committed', async () => {
  const careless = database.transaction(async (statements) => {
    await statements.query('INSERT INTO thing (id) VALUES ($1)', [1]);
    await statements.query('INSERT INTO thing (id) VALUES ($1)', [1]).catch(() => undefined);
    return 'done';
  });
  await assert.rejects(careless, /nothing was committed/);
  assert.deepEqual(await ids(), []);
});

test('statements of a transaction that is over are refused', async () => {
  let kept = database.query;
  await database.transaction(async (statements) => {
    kept = statements.query;
    await kept('SELECT 1 AS one');
  });
  await assert.rejects(kept('INSERT INTO thing (id) VALUES ($1)', [9]));
  assert.deepEqual(await ids(), []);
});

test('work that returns is committed, and its value given back', async () => {
  const value = await database.transaction(async (statements) => {
    await statements.query('INSERT INTO thing (id) VALUES ($1)', [2]);
    return 'done';
  });
  assert.equal(value, 'done');
  assert.deepEqual(await ids(), [2]);
});

test('statements that go together give the rows of each, in order', async () => {
  const rows = await database.together([
    { text: 'INSERT INTO thing (id, note) VALUES ($1, $2) RETURNING id', values: [20, 'a'] },
    { text: 'SELECT note FROM thing WHERE id = $1', values: [20] },
    { text: 'DELETE FROM thing WHERE id = $1', values: [20] },
  ]);
  assert.deepEqual(rows, [[{ id: 20 }], [{ note: 'a' }], []]);
});

test('of statements that go together one fails: the first reason is told, nothing is left behind, and the database goes on', async () => {
  const insert = (id: unknown) => ({ text: 'INSERT INTO thing (id) VALUES ($1)', values: [id] });
  const before = await ids();
  const failing = Array.from({ length: 20 }, (_, index) =>
    database.together([insert(100 + index), insert(100 + index), insert('no number')]),
  );
  for (const outcome of await Promise.allSettled(failing))
    assert.match(outcome.status === 'rejected' ? String(outcome.reason) : 'made', /duplicate key/);
  assert.deepEqual(await ids(), before);
  const held = Promise.all([database.together([insert(21)]), database.together([insert(22)])]);
  await held;
  assert.deepEqual(await ids(), [...before, 21, 22]);
  await database.query('DELETE FROM thing WHERE id > 20');
});

test('a statement that was never looked at, because the one before it failed, works afterwards', async () => {
  const wrong = { text: 'INSERT INTO thing (id) VALUES ($1)', values: ['no number'] };
  const right = { text: 'SELECT $1::int + 1 AS sum', values: [1] };
  const twenty = <T>(make: () => Promise<T>) => Promise.allSettled(Array.from({ length: 20 }, make));
  for (const { status } of await twenty(() => database.together([wrong, right, right])))
    assert.equal(status, 'rejected');
  for (const outcome of await twenty(() => database.together([right])))
    assert.deepEqual(outcome, { status: 'fulfilled', value: [[{ sum: 2 }]] });
});

test('twenty at once, one wins: a conditional statement consumes once', async () => {
  await database.query("INSERT INTO thing (id, note) VALUES (3, 'fresh')");
  const consume = () =>
    database.query("UPDATE thing SET note = 'used' WHERE id = $1 AND note = 'fresh' RETURNING id", [3]);
  const wins = await Promise.all(Array.from({ length: 20 }, consume));
  assert.equal(wins.flat().length, 1);
});

test('notifications arrive when their transaction is committed, and not before or without it', async () => {
  const received: string[] = [];
  const last = Promise.withResolvers<void>();
  const end = await database.listen('things', (payload) => {
    received.push(payload);
    if (payload === 'last') last.resolve();
  });
  const undone = database.transaction(async (statements) => {
    await statements.query("SELECT pg_notify('things', 'undone')");
    throw new Error('undone');
  });
  await assert.rejects(undone);
  await database.transaction(async (statements) => {
    await statements.query("SELECT pg_notify('things', 'done')");
  });
  await database.query("SELECT pg_notify('others', 'other')");
  await database.query("SELECT pg_notify('things', 'last')");
  await last.promise;
  assert.deepEqual(received, ['done', 'last']);
  await end();
  assert.equal(database.notificationsAlive(), true);
});

test('values come back as the row readers expect them, from either driver', async () => {
  const at = new Date('2026-01-02T03:04:05.678Z');
  const [row = {}] = await database.query(
    `SELECT $1::text AS t, NULL::text AS n, $2::int AS i, $3::bigint AS b, count(*) AS c, $4::boolean AS f,
            $5::timestamptz AS at, $6::text[] AS list, $7::jsonb AS j, $8::bytea AS octets FROM thing`,
    [
      'täxt',
      7,
      9_007_199_254_740_991,
      true,
      at,
      ['a', 'b,"c'],
      JSON.stringify({ a: [1, null] }),
      Buffer.from([0, 255]),
    ],
  );
  assert.deepEqual(
    [
      text(row, 't'),
      optionalText(row, 'n'),
      integer(row, 'i'),
      integer(row, 'b'),
      typeof integer(row, 'c'),
      flag(row, 'f'),
    ],
    ['täxt', undefined, 7, 9_007_199_254_740_991, 'number', true],
  );
  assert.deepEqual([optionalInteger(row, 'n'), optionalInstant(row, 'n')], [undefined, undefined]);
  assert.deepEqual([instant(row, 'at'), texts(row, 'list'), json(row, 'j')], [at, ['a', 'b,"c'], { a: [1, null] }]);
  const { octets } = row;
  assert.ok(octets instanceof Uint8Array);
  assert.deepEqual([...octets], [0, 255]);
});

test('SQL in a value stays a value', async () => {
  const note = "'); DROP TABLE thing; --";
  await database.query('INSERT INTO thing (id, note) VALUES ($1, $2)', [4, note]);
  const [row = {}] = await database.query('SELECT note FROM thing WHERE note = $1', [note]);
  assert.equal(text(row, 'note'), note);
});

test('the database answers', async () => {
  assert.equal(await isAnswering(database), true);
});
