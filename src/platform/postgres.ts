import pg from 'pg';
import type { Database, Statement, Statements } from './database.ts';
import { Notifications } from './postgres-notifications.ts';
import { sha256 } from './random.ts';
import type { Row } from './row.ts';

const INT8 = 20;
/** One process needs few connections: the request path lives on caches. */
const POOL_SIZE = 16;
/** Longer means the database is gone for our purposes: refuse instead of queueing callers. */
const CONNECT_TIMEOUT_MS = 15_000;
const STATEMENT_TIMEOUT_MS = 15_000;
/** The server itself ends what takes longer: one that says nothing for so long is not there any more. */
const SILENCE_MS = 20_000;

/** A statement's name lets PostgreSQL keep its plan: one name per text, so that every statement is prepared once per connection. */
const statementNames = new Map<string, string>();
const MAXIMUM_STATEMENT_NAMES = 1_000;

function nameOf(text: string): string | undefined {
  const known = statementNames.get(text);
  if (known !== undefined) return known;
  if (statementNames.size >= MAXIMUM_STATEMENT_NAMES) return undefined;
  const name = `p${sha256(text).slice(0, 24)}`;
  statementNames.set(text, name);
  return name;
}

/** A statement that is not answered within `silenceMs` fails, and its connection is thrown away. */
function statementsOf(client: pg.ClientBase | pg.Pool, silenceMs: number): Statements {
  const limit = { query_timeout: silenceMs };
  return {
    query: async (text, values) => {
      const config = values === undefined ? { text } : preparedOf(text, values);
      return (await client.query<Row>({ ...config, ...limit })).rows;
    },
  };
}

function preparedOf(text: string, values: readonly unknown[]): pg.QueryConfig {
  const name = nameOf(text);
  const config = { text, values: [...values] };
  return name === undefined ? config : { ...config, name };
}

/** `pg` takes the limit with a statement, though its types do not name it. */
function limited(text: string, silenceMs: number): pg.QueryConfig & { readonly query_timeout: number } {
  return { text, query_timeout: silenceMs };
}

/** PostgreSQL 15 or later through `pg`, with a bounded pool and one connection of its own for notifications. */
export async function openPostgres(connectionString: string, silenceMs = SILENCE_MS): Promise<Database> {
  const types = { getTypeParser: typeParser };
  const pool = new pg.Pool({
    connectionString,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    types,
    // What is sent before the last answer is there goes out at once; who waits for each answer sees no difference.
    pipeline: true,
  });
  // An idle connection that breaks is replaced by the pool; the next query reports what is wrong.
  pool.on('error', ignore);
  const notifications = new Notifications(connectionString);
  const close = async (): Promise<void> => {
    await notifications.close();
    await pool.end();
  };
  try {
    await notifications.connect();
  } catch (cause) {
    await close();
    throw cause;
  }
  return {
    kind: 'postgres',
    query: statementsOf(pool, silenceMs).query,
    transaction: (work) => transaction(pool, work, silenceMs),
    together: (all) => together(pool, all, silenceMs),
    listen: (channel, receive, lost) => notifications.listen({ channel, receive, lost }),
    notificationsAlive: () => notifications.alive,
    close,
  };
}

const typeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 ? Number : pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text');

/** PostgreSQL refuses what follows a failed statement, and answers COMMIT with ROLLBACK: nothing is half done. */
function together(pool: pg.Pool, all: readonly Statement[], silenceMs: number) {
  // The last to be sent: when it is not answered in time, the connection ends, and with it the others.
  const commit = limited('COMMIT', silenceMs);
  return onConnection(pool, async (client) => {
    const sent = [
      client.query<Row>('BEGIN'),
      ...all.map(({ text, values }) => client.query<Row>(preparedOf(text, values))),
      client.query<Row>(commit),
    ];
    // Every answer is waited for: the first failure is the reason, the others follow from it.
    const failure = (await Promise.allSettled(sent)).find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    const answers = await Promise.all(sent);
    checkCommitted(answers.at(-1)?.command);
    return answers.slice(1, -1).map(({ rows }) => rows);
  });
}

function transaction<T>(pool: pg.Pool, work: (statements: Statements) => Promise<T>, silenceMs: number): Promise<T> {
  return onConnection(pool, async (client) => {
    let over = false;
    const statements = statementsOf(client, silenceMs);
    const query: Statements['query'] = (text, values) => {
      // The connection may serve somebody else's transaction by now.
      if (over) return Promise.reject(new Error('this transaction is over: its statements cannot be used any more'));
      return statements.query(text, values);
    };
    try {
      await client.query(limited('BEGIN', silenceMs));
      const result = await work({ query });
      over = true;
      const { command } = await client.query(limited('COMMIT', silenceMs));
      checkCommitted(command);
      return result;
    } finally {
      over = true;
    }
  });
}

/** A connection for one transaction; what fails is rolled back, and a connection on which that fails is thrown away. */
async function onConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener a connection that breaks between two statements would end the process; the next statement tells.
  client.on('error', ignore);
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (cause) {
    broken = await rollback(client);
    throw cause;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

/** PostgreSQL answers COMMIT with ROLLBACK, and no error, when a statement had failed and nobody said so. */
function checkCommitted(command: string | undefined): void {
  if (command !== 'COMMIT') throw new Error('a statement of this transaction failed: nothing was committed');
}

const ignore = (): void => undefined;

/** Rolls back; gives the error when even that fails, so that the pool throws the connection away. */
async function rollback(client: pg.ClientBase): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause : new Error('rollback failed', { cause });
  }
}
