import { secondsAfter } from '../platform/clock.ts';
import type { Statements } from '../platform/database.ts';
import { type Row, text } from '../platform/row.ts';

/** A revoked consent whose access tokens are not known to be dead. */
export interface Ending {
  readonly bank: string;
  readonly id: string;
}

/** Whoever revoked ends the tokens at once; after this many seconds it has died or failed. */
const FIRST_SECONDS = 10;
/** Then twice as long after each time, ten minutes at most: a token that lives longer would be a setting gone wrong. */
const BACK_OFF = { first: 5, longest: 600 } as const;

/** Notes that a consent's tokens are to end; in the transaction of its revocation. */
export async function noteEnding(statements: Statements, { bank, id }: Ending, at: Date): Promise<void> {
  await statements.query(
    `INSERT INTO consent.endings (bank, consent, attempts, next_attempt_at) VALUES ($1, $2, 0, $3)
     ON CONFLICT (bank, consent) DO NOTHING`,
    [bank, id, secondsAfter(at, FIRST_SECONDS)],
  );
}

/** Notes that they are dead. */
export async function removeEnding(statements: Statements, { bank, id }: Ending): Promise<void> {
  await statements.query('DELETE FROM consent.endings WHERE bank = $1 AND consent = $2', [bank, id]);
}

/** Takes what is due, so many at most; until its next time nobody else takes it. */
export async function takeDueEndings(statements: Statements, at: Date, limit: number): Promise<readonly Ending[]> {
  const rows = await statements.query(
    `UPDATE consent.endings AS kept
        SET attempts = kept.attempts + 1,
            next_attempt_at = $1::timestamptz
              + make_interval(secs => least($4::float8, $3::float8 * power(2, least(kept.attempts, 30))))
      WHERE (kept.bank, kept.consent) IN (
        SELECT bank, consent FROM consent.endings WHERE next_attempt_at <= $1::timestamptz
         ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)
      RETURNING bank, consent`,
    [at, limit, BACK_OFF.first, BACK_OFF.longest],
  );
  return rows.map(endingOf);
}

/** Which of these consents still have tokens to end. */
export async function findEndings(
  statements: Statements,
  bank: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await statements.query(
    'SELECT bank, consent FROM consent.endings WHERE bank = $1 AND consent = ANY($2::text[])',
    [bank, ids],
  );
  return new Set(rows.map((row) => endingOf(row).id));
}

function endingOf(row: Row): Ending {
  return { bank: text(row, 'bank'), id: text(row, 'consent') };
}
