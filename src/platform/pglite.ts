import { mkdir } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import type { Database, Statements } from './database.ts';
import { lockForProcess } from './process-lock.ts';
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
 * @throws Error when another process has this directory open: two would destroy it
 */
export async function openPglite(directory: string, options: PgliteOptions = {}): Promise<Database> {
  const unlock = directory.includes('://') ? async () => undefined : await prepare(directory);
  const template = options.template === undefined ? {} : { loadDataDir: options.template };
  try {
    const engine = await PGlite.create({ dataDir: directory, parsers: { [INT8]: Number }, ...template });
    return databaseOf(engine, unlock);
  } catch (cause) {
    await unlock();
    throw cause;
  }
}

async function prepare(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Beside the directory: initdb wants it empty.
  return lockForProcess(`${directory.replace(/\/+$/, '')}.lock`);
}

function databaseOf(engine: PGlite, unlock: () => Promise<void>): Database {
  return {
    kind: 'pglite',
    query: statementsOf(engine).query,
    transaction: (work) => engine.transaction((transaction) => strictly(statementsOf(transaction), work)),
    together: (all) =>
      engine.transaction(async (transaction) => {
        const { query } = statementsOf(transaction);
        const answers: (readonly Row[])[] = [];
        for (const { text, values } of all) answers.push(await query(text, values));
        return answers;
      }),
    listen: (channel, receive) => engine.listen(channel, receive),
    notificationsAlive: () => true,
    close: async () => {
      await engine.close();
      await unlock();
    },
  };
}

/** PostgreSQL would answer COMMIT with a silent rollback after a failed statement: nothing may look committed that is not. */
async function strictly<T>(statements: Statements, work: (statements: Statements) => Promise<T>): Promise<T> {
  let failure: unknown;
  const query: Statements['query'] = async (text, values) => {
    try {
      return await statements.query(text, values);
    } catch (cause) {
      failure ??= cause;
      throw cause;
    }
  };
  const result = await work({ query });
  if (failure === undefined) return result;
  throw new Error('a statement of this transaction failed: nothing was committed', { cause: failure });
}

interface Queries {
  query<T>(text: string, values: unknown[]): Promise<{ rows: T[] }>;
}

function statementsOf(queries: Queries): Statements {
  return {
    query: async (text, values) => (await queries.query<Row>(text, values === undefined ? [] : [...values])).rows,
  };
}
