import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { test } from 'node:test';
import pg from 'pg';
import { readMigrations } from '../../src/platform/migrate.ts';
import { openTestDatabase } from './database.ts';
import { temporaryDirectory } from './temporary.ts';

test('a test database is migrated and shared with nobody', async (context) => {
  const [first, second] = [await openTestDatabase(), await openTestDatabase()];
  context.after(() => second.close());
  const names = await first.query('SELECT name FROM platform.migrations ORDER BY name');
  const files = await readMigrations('migrations');
  assert.deepEqual(
    names,
    files.map(({ name }) => ({ name })),
  );
  await first.query('CREATE TABLE mine (id int)');
  const [row] = await second.query("SELECT to_regclass('mine') AS found");
  assert.equal(row?.found, null);
  await first.close();
});

if (process.env.PORTCULLIS_TEST_DATABASE === 'postgres') {
  test('a closed test database is gone from the server', async () => {
    const database = await openTestDatabase();
    await database.close();
    const client = new pg.Client({ connectionString: database.url });
    await assert.rejects(client.connect(), /does not exist/);
  });
}

test('a temporary directory is gone after its test', async (context) => {
  let directory = '';
  await context.test('uses it', async (inner) => {
    directory = await temporaryDirectory(inner);
    await access(directory);
  });
  await assert.rejects(access(directory), { code: 'ENOENT' });
});
