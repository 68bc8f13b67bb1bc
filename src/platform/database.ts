import type { Row } from './row.ts';

/** Something that runs SQL: the database itself, or a transaction. Text is SQL with $1… parameters, always. */
export interface Statements {
  /** Runs one statement and gives its rows; use RETURNING to learn what a change did. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** One statement with its parameters. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Ends a subscription. */
export type Unlisten = () => Promise<void>;

/** The platform's database: PostgreSQL through `pg`, or PGlite in process. Both speak the same SQL. */
export interface Database extends Statements {
  readonly kind: 'postgres' | 'pglite';
  /**
   * Runs `work` in one transaction: committed when it returns, rolled back when it throws. Inside it use only the given
   * statements: with PGlite there is one connection, so a query on the database itself would wait for ever.
   */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>;
  /**
   * Runs statements in one transaction and gives the rows of each: committed together, or not at all when one fails. For
   * statements that need no answer of each other: all are sent at once, where `transaction` waits for each.
   */
  together(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]>;
  /**
   * Calls `receive` with the payload of every committed `SELECT pg_notify(channel, payload)`, of this process or another.
   * `lost` is called when notifications may have been missed: drop whatever they keep fresh.
   */
  listen(channel: string, receive: (payload: string) => void, lost?: () => void): Promise<Unlisten>;
  /** True while notifications arrive; when false, cached answers may live one second at most. */
  notificationsAlive(): boolean;
  close(): Promise<void>;
}

/** True when the database answers: part of readiness. */
export async function isAnswering(database: Statements): Promise<boolean> {
  return (await database.query('SELECT 1 AS one')).length === 1;
}
