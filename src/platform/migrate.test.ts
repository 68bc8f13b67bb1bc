import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openEmptyDatabase } from '../../test/support/database.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { isMigrated, migrate, readMigrations } from './migrate.ts';

const FIRST = { name: '0001-first.sql', sql: 'CREATE TABLE first (id int);\n' };
const SECOND = { name: '0002-second.sql', sql: 'CREATE TABLE second (id int);\n' };

async function open(context: TestContext) {
  const database = await openEmptyDatabase();
  context.after(() => database.close());
  return database;
}

test('a migration that fails leaves nothing of itself, nor of those before it in the same start', async (context) => {
  const database = await open(context);
  const broken = { name: '0002-broken.sql', sql: 'CREATE TABLE second (id int);\nCREATE TABLE second (id int);\n' };
  await assert.rejects(migrate(database, [FIRST, broken]), /already exists/);
  const [row] = await database.query("SELECT to_regclass('first') AS first, to_regclass('second') AS second");
  assert.deepEqual(row, { first: null, second: null });
  assert.deepEqual(await migrate(database, [FIRST, SECOND]), [FIRST.name, SECOND.name]);
});

test('each is applied once; a changed one is refused', async (context) => {
  const database = await open(context);
  assert.deepEqual(await migrate(database, [FIRST]), [FIRST.name]);
  assert.equal(await isMigrated(database, [FIRST]), true);
  assert.equal(await isMigrated(database, [FIRST, SECOND]), false);
  assert.deepEqual(await migrate(database, [FIRST, SECOND]), [SECOND.name]);
  assert.deepEqual(await migrate(database, [FIRST, SECOND]), []);
  const changed = { ...FIRST, sql: 'CREATE TABLE first (id bigint);\n' };
  await assert.rejects(migrate(database, [changed, SECOND]), /0001-first\.sql changed after it was applied/);
  assert.deepEqual(await migrate(database, [SECOND]), [], 'older code runs on a newer schema');
});

test('two that start at once do not disturb each other', async (context) => {
  const database = await open(context);
  const applied = await Promise.all([migrate(database, [FIRST, SECOND]), migrate(database, [FIRST, SECOND])]);
  assert.deepEqual(applied.flat().sort(), [FIRST.name, SECOND.name]);
});

test('statements end with a semicolon at the end of a line; comments are left out', async (context) => {
  const database = await open(context);
  const sql =
    "-- First; a comment;\nCREATE TABLE t (\n  a text DEFAULT 'x; y', -- trailing\n  b int\n);\n\nINSERT INTO t (b) VALUES (1);\n  -- end\n";
  await migrate(database, [{ name: '0001-t.sql', sql }]);
  assert.deepEqual(await database.query('SELECT a, b FROM t'), [{ a: 'x; y', b: 1 }]);
});

test('a wrong name is refused; others than .sql are left alone; the order is that of the names', async (context) => {
  const directory = await temporaryDirectory(context);
  for (const name of ['0002-b.sql', '0001-a.sql', 'README.md']) await writeFile(join(directory, name), 'SELECT 1;');
  assert.deepEqual(
    (await readMigrations(directory)).map(({ name }) => name),
    ['0001-a.sql', '0002-b.sql'],
  );
  await writeFile(join(directory, '3-c.sql'), '');
  await assert.rejects(readMigrations(directory), /3-c\.sql: name it like 0001-what\.sql/);
});
