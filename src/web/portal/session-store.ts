import type { Statements } from '../../platform/database.ts';
import { type Row, text } from '../../platform/row.ts';

/** Which session: the cookie's value as a keyed hash. */
export interface SessionKey {
  readonly bank: string;
  readonly idHash: string;
}

/** How long sessions last, at one moment. */
export interface SessionRule {
  readonly now: Date;
  /** Sessions not used since are over. */
  readonly usedAfter: Date;
  /** Sessions begun before are over. */
  readonly createdAfter: Date;
}

/** Begins a session. */
export async function insertSession(
  statements: Statements,
  { bank, idHash }: SessionKey,
  customer: string,
  now: Date,
): Promise<void> {
  await statements.query(
    `INSERT INTO web.portal_sessions (bank, id_hash, customer, created_at, used_at) VALUES ($1, $2, $3, $4, $4)`,
    [bank, idHash, customer, now],
  );
}

/** Uses a session that is not over, and gives its customer: one statement decides and keeps it alive. */
export async function useSession(
  statements: Statements,
  { bank, idHash }: SessionKey,
  { now, usedAfter, createdAfter }: SessionRule,
): Promise<string | undefined> {
  const [row] = await statements.query(
    `UPDATE web.portal_sessions SET used_at = $3
      WHERE bank = $1 AND id_hash = $2 AND used_at > $4 AND created_at > $5 RETURNING customer`,
    [bank, idHash, now, usedAfter, createdAfter],
  );
  return row === undefined ? undefined : customerOf(row);
}

/** Ends a session. */
export async function deleteSession(statements: Statements, { bank, idHash }: SessionKey): Promise<void> {
  await statements.query('DELETE FROM web.portal_sessions WHERE bank = $1 AND id_hash = $2', [bank, idHash]);
}

/** Removes at most `limit` sessions that are over; gives how many. */
export async function sweepSessions(
  statements: Statements,
  { usedAfter, createdAfter }: SessionRule,
  limit: number,
): Promise<number> {
  const rows = await statements.query(
    `DELETE FROM web.portal_sessions WHERE (bank, id_hash) IN (
       SELECT bank, id_hash FROM web.portal_sessions WHERE used_at <= $1 OR created_at <= $2 LIMIT $3)
     RETURNING bank`,
    [usedAfter, createdAfter, limit],
  );
  return rows.length;
}

function customerOf(row: Row): string {
  return text(row, 'customer');
}
