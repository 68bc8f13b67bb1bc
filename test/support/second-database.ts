import type { Database } from '../../src/platform/database.ts';
import { openPostgres } from '../../src/platform/postgres.ts';
import type { TestDatabase } from './database.ts';
import type { Ending } from './temporary.ts';

/**
 * The same database as a second process reaches it: connections of its own with PostgreSQL, the one there is with PGlite.
 * Closed when the test ends, also when it fails.
 */
export async function openAgain(database: TestDatabase, context: Ending): Promise<Database> {
  if (database.url === undefined) return database;
  const again = await openPostgres(database.url);
  context.after(() => again.close());
  return again;
}
