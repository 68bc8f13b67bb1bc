import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import type { Statements } from '../../src/platform/database.ts';
import { migrate, readMigrations } from '../../src/platform/migrate.ts';
import { openPostgres } from '../../src/platform/postgres.ts';
import type { Row } from '../../src/platform/row.ts';
import { pgliteTemplate } from './pglite-template.ts';

const MIGRATIONS = join(import.meta.dirname, '..', '..', 'migrations');
/** The database of the server that others are copied from. */
const POSTGRES_TEMPLATE = 'portcullis_migrated';

/** Migrated databases to copy: migrating takes longer than copying, and most test files want the same. */
export interface DatabaseTemplates {
  /** What tells the test files where they are. */
  readonly environment: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Makes them once for a run: a file for the embedded database, a database on the server. */
export async function makeDatabaseTemplates(server: string): Promise<DatabaseTemplates> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-databases-'));
  const file = join(directory, 'migrated.tar');
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await Promise.all([dumpMigrated(file), migrateOnServer(server)]);
  } catch (cause) {
    await remove();
    throw cause;
  }
  const environment = { PORTCULLIS_TEST_PGLITE_TEMPLATE: file, PORTCULLIS_TEST_POSTGRES_TEMPLATE: POSTGRES_TEMPLATE };
  return { environment, remove };
}

async function dumpMigrated(file: string): Promise<void> {
  const engine = await PGlite.create({ dataDir: 'memory://', loadDataDir: await pgliteTemplate() });
  const transaction = <T>(work: (statements: Statements) => Promise<T>): Promise<T> =>
    engine.transaction(({ query }) =>
      work({ query: async (text, values) => (await query<Row>(text, values === undefined ? [] : [...values])).rows }),
    );
  await migrate({ transaction }, await readMigrations(MIGRATIONS));
  await writeFile(file, await (await engine.dumpDataDir('none')).bytes());
  await engine.close();
}

async function migrateOnServer(server: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`CREATE DATABASE ${POSTGRES_TEMPLATE}`);
  await client.end();
  const url = new URL(server);
  url.pathname = `/${POSTGRES_TEMPLATE}`;
  const database = await openPostgres(url.href);
  await migrate(database, await readMigrations(MIGRATIONS));
  await database.close();
}
