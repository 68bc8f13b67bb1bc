import { mkdir } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import type { Database, Statements } from './database.ts';
import type { Row } from './row.ts';

/** int8 arrives as a number in both drivers; our counters stay far below 2^53. */
const INT8 = 20;

/** What opening may be given. */
export interface PgliteOptions {
  /** A tar archive of an initialised data directory: a new database starts from it instead of running initdb. */
  readonly template?: Blob;
}

/**
 * The embedded database: PostgreSQL in this process, on one connection, kept under `directory` (or in memory when it is
 * `memory://`). Good for the sandbox, tests and small installations.
 */
export async function openPglite(directory: string, options: PgliteOptions = {}): Promise<Database> {
  if (!directory.includes('://')) await mkdir(directory, { recursive: true, mode: 0o700 });
  const template = options.template === undefined ? {} : { loadDataDir: options.template };
  const engine = await PGlite.create({ dataDir: directory, parsers: { [INT8]: Number }, ...template });
  return {
    kind: 'pglite',
    query: async (text, values) => (await engine.query<Row>(text, values === undefined ? [] : [...values])).rows,
    transaction: (work) => engine.transaction((transaction) => work(statementsOf(transaction))),
    listen: (channel, receive) => engine.listen(channel, receive),
    notificationsAlive: () => true,
    close: () => engine.close(),
  };
}

interface Queries {
  query<T>(text: string, values: unknown[]): Promise<{ rows: T[] }>;
}

function statementsOf(queries: Queries): Statements {
  return {
    query: async (text, values) => (await queries.query<Row>(text, values === undefined ? [] : [...values])).rows,
  };
}
