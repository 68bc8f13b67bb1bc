import pg from 'pg';
import type { Database, Statements, Unlisten } from './database.ts';
import { sha256 } from './random.ts';
import type { Row } from './row.ts';

const INT8 = 20;
/** One process needs few connections: the request path lives on caches. */
const POOL_SIZE = 16;
/** Longer means the database is gone for our purposes: refuse instead of queueing callers. */
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;
const RECONNECT_DELAY_MS = 250;

interface Subscription {
  readonly channel: string;
  readonly receive: (payload: string) => void;
  readonly lost: (() => void) | undefined;
}

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

function statementsOf(client: pg.ClientBase | pg.Pool): Statements {
  return {
    query: async (text, values) => {
      if (values === undefined) return (await client.query<Row>(text)).rows;
      const name = nameOf(text);
      const config = { text, values: [...values] };
      return (await client.query<Row>(name === undefined ? config : { ...config, name })).rows;
    },
  };
}

/** PostgreSQL 15 or later through `pg`, with a bounded pool and one connection of its own for notifications. */
export async function openPostgres(connectionString: string): Promise<Database> {
  const types = { getTypeParser: typeParser };
  const pool = new pg.Pool({
    connectionString,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    types,
  });
  // An idle connection that breaks is replaced by the pool; the next query reports what is wrong.
  pool.on('error', () => undefined);
  const notifications = new Notifications(connectionString);
  await notifications.connect();
  return {
    kind: 'postgres',
    query: statementsOf(pool).query,
    transaction: (work) => transaction(pool, work),
    listen: (channel, receive, lost) => notifications.listen({ channel, receive, lost }),
    notificationsAlive: () => notifications.alive,
    close: async () => {
      await notifications.close();
      await pool.end();
    },
  };
}

const typeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 ? Number : pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text');

async function transaction<T>(pool: pg.Pool, work: (statements: Statements) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(statementsOf(client));
    await client.query('COMMIT');
    return result;
  } catch (cause) {
    broken = await rollback(client);
    throw cause;
  } finally {
    client.release(broken);
  }
}

/** Rolls back; gives the error when even that fails, so that the pool throws the connection away. */
async function rollback(client: pg.ClientBase): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause : new Error('rollback failed', { cause });
  }
}

/** The one connection that listens; it comes back by itself and tells subscribers that they may have missed something. */
class Notifications {
  alive = false;
  readonly #connectionString: string;
  readonly #subscriptions = new Set<Subscription>();
  #client: pg.Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(connectionString: string) {
    this.#connectionString = connectionString;
  }

  async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    });
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    client.on('notification', ({ channel, payload }) => this.#deliver(channel, payload ?? ''));
    await client.connect();
    for (const channel of new Set([...this.#subscriptions].map((item) => item.channel))) {
      await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    }
    this.#client = client;
    this.alive = true;
  }

  async listen(subscription: Subscription): Promise<Unlisten> {
    this.#subscriptions.add(subscription);
    await this.#client?.query(`LISTEN ${this.#client.escapeIdentifier(subscription.channel)}`);
    return async () => {
      this.#subscriptions.delete(subscription);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.alive = false;
    await this.#client?.end();
  }

  #deliver(channel: string, payload: string): void {
    for (const item of this.#subscriptions) if (item.channel === channel) item.receive(payload);
  }

  #lost(client: pg.Client): void {
    if (this.#closed || (this.#client !== undefined && this.#client !== client)) return;
    this.#client = undefined;
    this.alive = false;
    for (const item of this.#subscriptions) item.lost?.();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#reconnect(), RECONNECT_DELAY_MS);
    this.#retry.unref();
  }

  async #reconnect(): Promise<void> {
    try {
      await this.connect();
      // What was said while nobody listened is lost: drop again what may have been filled meanwhile.
      for (const item of this.#subscriptions) item.lost?.();
    } catch {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => void this.#reconnect(), RECONNECT_DELAY_MS);
      this.#retry.unref();
    }
  }
}
