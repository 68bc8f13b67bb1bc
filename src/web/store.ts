import type { Statements } from '../platform/database.ts';
import { instant, integer, optionalInstant, type Row } from '../platform/row.ts';

/** Attempts to sign in with one user name, in a row. */
export interface Attempts {
  readonly attempts: number;
  readonly lockedUntil: Date | undefined;
}

/** Which name an attempt was made with, and when. */
export interface AttemptKey {
  readonly bank: string;
  readonly usernameHash: string;
}

/** How attempts are counted at one moment. */
export interface AttemptRule {
  readonly now: Date;
  /** Attempts before this moment no longer count. */
  readonly countsFrom: Date;
  readonly maximum: number;
  /** The end of a lock that begins now. */
  readonly lockUntil: Date;
}

const COLUMNS = 'attempts, locked_until';

/**
 * Counts one attempt, in one conditional statement, so that guesses in parallel cannot outrun the count.
 * Undefined: the name is locked, nothing was counted.
 */
export async function countAttempt(
  statements: Statements,
  { bank, usernameHash }: AttemptKey,
  { now, countsFrom, maximum, lockUntil }: AttemptRule,
): Promise<Attempts | undefined> {
  const [row] = await statements.query(
    `INSERT INTO web.sign_in_attempts AS kept (bank, username_hash, attempts, last_attempt_at, locked_until)
     VALUES ($1, $2, 1, $3, NULL)
     ON CONFLICT (bank, username_hash) DO UPDATE SET
       attempts = CASE WHEN kept.locked_until IS NOT NULL OR kept.last_attempt_at <= $4 THEN 1 ELSE kept.attempts + 1 END,
       locked_until = CASE WHEN kept.locked_until IS NULL AND kept.last_attempt_at > $4 AND kept.attempts + 1 >= $5
         THEN $6::timestamptz ELSE NULL END,
       last_attempt_at = $3
     WHERE kept.locked_until IS NULL OR kept.locked_until <= $3
     RETURNING ${COLUMNS}`,
    [bank, usernameHash, now, countsFrom, maximum, lockUntil],
  );
  return row === undefined ? undefined : toAttempts(row);
}

/** The end of a lock in force at `now`. */
export async function findLock(
  statements: Statements,
  { bank, usernameHash }: AttemptKey,
  now: Date,
): Promise<Date | undefined> {
  const [row] = await statements.query(
    'SELECT locked_until FROM web.sign_in_attempts WHERE bank = $1 AND username_hash = $2 AND locked_until > $3',
    [bank, usernameHash, now],
  );
  return row === undefined ? undefined : instant(row, 'locked_until');
}

/** Forgets the attempts: the customer signed in. */
export async function forgetAttempts(statements: Statements, { bank, usernameHash }: AttemptKey): Promise<void> {
  await statements.query('DELETE FROM web.sign_in_attempts WHERE bank = $1 AND username_hash = $2', [
    bank,
    usernameHash,
  ]);
}

/** Gives one attempt back: the bank did not answer, so nothing was tried. */
export async function returnAttempt(statements: Statements, { bank, usernameHash }: AttemptKey): Promise<void> {
  await statements.query(
    `UPDATE web.sign_in_attempts SET attempts = greatest(attempts - 1, 0), locked_until = NULL
     WHERE bank = $1 AND username_hash = $2`,
    [bank, usernameHash],
  );
}

/** Removes at most `limit` rows that neither lock nor count any more, leaving alone those that are being counted on; gives how many. */
export async function sweepAttempts(
  statements: Statements,
  { now, countsFrom, limit }: { now: Date; countsFrom: Date; limit: number },
): Promise<number> {
  const rows = await statements.query(
    `DELETE FROM web.sign_in_attempts WHERE (bank, username_hash) IN (
       SELECT bank, username_hash FROM web.sign_in_attempts
       WHERE last_attempt_at <= $1 AND (locked_until IS NULL OR locked_until <= $2) LIMIT $3
       FOR UPDATE SKIP LOCKED)
     RETURNING bank`,
    [countsFrom, now, limit],
  );
  return rows.length;
}

function toAttempts(row: Row): Attempts {
  return { attempts: integer(row, 'attempts'), lockedUntil: optionalInstant(row, 'locked_until') };
}
