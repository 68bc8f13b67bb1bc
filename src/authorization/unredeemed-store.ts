import { secondsAfter } from '../platform/clock.ts';
import type { Statements } from '../platform/database.ts';
import { type Row, text } from '../platform/row.ts';

/** A consent that was agreed to and never taken up. */
export interface Unredeemed {
  readonly bank: string;
  readonly consent: string;
}

/** Consents taken at once by one process. */
const AT_ONCE = 50;
/** Whoever took one and died leaves it to the next after this many seconds. */
const TAKEN_SECONDS = 60;
/** Why a consent ended is told as long as any consent lives. */
const KEEP_SECONDS = 400 * 86_400;
/** Far longer than a customer has for an answer: until then a second one may come. */
const KEEP_REDEEMED_SECONDS = 3_600;

/**
 * Notes that a customer agreed and the code has yet to be redeemed; looked at again at `lookAt`. Nothing changes when it was noted
 * before, even when the code was redeemed since.
 */
export async function noteAgreed(
  statements: Statements,
  { bank, consent }: Unredeemed,
  agreedAt: Date,
  lookAt: Date,
): Promise<void> {
  await statements.query(
    `INSERT INTO oauth.unredeemed (bank, consent, agreed_at, look_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (bank, consent) DO NOTHING`,
    [bank, consent, agreedAt, lookAt],
  );
}

/** Notes that the code was redeemed. */
export async function noteRedeemed(statements: Statements, { bank, consent }: Unredeemed, at: Date): Promise<void> {
  await statements.query('UPDATE oauth.unredeemed SET redeemed_at = $3 WHERE bank = $1 AND consent = $2', [
    bank,
    consent,
    at,
  ]);
}

/** Forgets a consent that ended in another way. */
export async function removeAgreed(statements: Statements, { bank, consent }: Unredeemed): Promise<void> {
  await statements.query('DELETE FROM oauth.unredeemed WHERE bank = $1 AND consent = $2', [bank, consent]);
}

/** Takes consents of these banks whose time is over; until their next time nobody else takes them. */
export async function takeUnredeemed(
  statements: Statements,
  banks: readonly string[],
  at: Date,
): Promise<readonly Unredeemed[]> {
  const rows = await statements.query(
    `UPDATE oauth.unredeemed SET look_at = $3 WHERE (bank, consent) IN (
       SELECT bank, consent FROM oauth.unredeemed
        WHERE ended_at IS NULL AND redeemed_at IS NULL AND look_at <= $2 AND bank = ANY($1::text[])
        ORDER BY look_at LIMIT $4 FOR UPDATE SKIP LOCKED)
     RETURNING bank, consent`,
    [banks, at, secondsAfter(at, TAKEN_SECONDS), AT_ONCE],
  );
  return rows.map(unredeemedOf);
}

/** Notes that a consent ended because nobody took it up. */
export async function noteUnredeemed(statements: Statements, { bank, consent }: Unredeemed, at: Date): Promise<void> {
  await statements.query(
    'UPDATE oauth.unredeemed SET ended_at = $3 WHERE bank = $1 AND consent = $2 AND ended_at IS NULL',
    [bank, consent, at],
  );
}

/** Which of these consents nobody took up: still waiting for it, or ended for it. */
export async function findUnredeemed(
  statements: Statements,
  bank: string,
  consents: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await statements.query(
    'SELECT bank, consent FROM oauth.unredeemed WHERE bank = $1 AND consent = ANY($2::text[]) AND redeemed_at IS NULL',
    [bank, consents],
  );
  return new Set(rows.map((row) => unredeemedOf(row).consent));
}

/** Removes what nobody asks about any more; gives how many. */
export async function sweepUnredeemed(statements: Statements, now: Date): Promise<number> {
  const rows = await statements.query(
    'DELETE FROM oauth.unredeemed WHERE ended_at < $1 OR redeemed_at < $2 RETURNING consent',
    [secondsAfter(now, -KEEP_SECONDS), secondsAfter(now, -KEEP_REDEEMED_SECONDS)],
  );
  return rows.length;
}

function unredeemedOf(row: Row): Unredeemed {
  return { bank: text(row, 'bank'), consent: text(row, 'consent') };
}
