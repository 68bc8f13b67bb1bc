import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Database } from '../../src/platform/database.ts';
import { migrate, readMigrations } from '../../src/platform/migrate.ts';
import { openPglite } from '../../src/platform/pglite.ts';
import { openPostgres } from '../../src/platform/postgres.ts';
import { pgliteTemplate } from './pglite-template.ts';

/** A database of its own for one test or test file; closing it removes it. */
export type TestDatabase = Database & {
  /** Where PostgreSQL runs, to connect a second time; undefined with PGlite. */
  readonly url: string | undefined;
};

const MIGRATIONS = join(import.meta.dirname, '..', '..', 'migrations');

/**
 * A fresh database with every migration applied: PGlite in memory, or, when PORTCULLIS_TEST_DATABASE is `postgres`, a
 * database with a name of its own on the server of PORTCULLIS_TEST_POSTGRES_URL. Close it when the test ends. The whole
 * run makes a migrated one of each kind once, and this is a copy of it.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  const database = isOnServer()
    ? await openOnServer(serverUrl(), process.env.PORTCULLIS_TEST_POSTGRES_TEMPLATE)
    : await openEmbedded(await migratedTemplate());
  try {
    await migrate(database, await readMigrations(MIGRATIONS));
    return database;
  } catch (cause) {
    await database.close();
    throw cause;
  }
}

/** The same without migrations. */
export async function openEmptyDatabase(): Promise<TestDatabase> {
  return isOnServer() ? openOnServer(serverUrl()) : openEmbedded(await pgliteTemplate());
}

const isOnServer = (): boolean => process.env.PORTCULLIS_TEST_DATABASE === 'postgres';

async function openEmbedded(template: Blob): Promise<TestDatabase> {
  return { ...(await openPglite('memory://', { template })), url: undefined };
}

/** Without the whole run there is none: an empty one will be migrated. */
async function migratedTemplate(): Promise<Blob> {
  const file = process.env.PORTCULLIS_TEST_PGLITE_TEMPLATE;
  return file === undefined ? pgliteTemplate() : openAsBlob(file);
}

function serverUrl(): string {
  const url = process.env.PORTCULLIS_TEST_POSTGRES_URL;
  if (url === undefined) throw new Error('set PORTCULLIS_TEST_POSTGRES_URL to an administrator of a PostgreSQL server');
  return url;
}

async function openOnServer(server: string, template = 'template1'): Promise<TestDatabase> {
  const name = `portcullis_test_${randomUUID().replaceAll('-', '')}`;
  await asAdministrator(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const database = await openPostgres(url.href);
  return {
    ...database,
    url: url.href,
    close: async () => {
      await database.close();
      await asAdministrator(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

async function asAdministrator(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
