import type { Database } from '../../src/platform/database.ts';
import { openPostgres } from '../../src/platform/postgres.ts';
import type { TestDatabase } from './database.ts';

/** The same database as a second process reaches it: connections of its own with PostgreSQL, the one there is with PGlite. */
export async function openAgain(database: TestDatabase): Promise<Database> {
  return database.url === undefined ? { ...database, close: async () => undefined } : openPostgres(database.url);
}
