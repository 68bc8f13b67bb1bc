import type { Actor } from '../audit/index.ts';
import type { Statements } from '../platform/database.ts';
import { instant, integer, optionalInstant, optionalText, type Row, text } from '../platform/row.ts';
import { ACTOR_KINDS, oneOf } from './store.ts';

/** A consent in a bank's own store that is refused here whatever that store says. */
export interface Withdrawal {
  readonly bank: string;
  readonly id: string;
  readonly requestedAt: Date;
  readonly actor: Actor;
  /** How often the store was told. */
  readonly attempts: number;
  /** When the store confirmed; undefined while it has to be told. */
  readonly confirmedAt: Date | undefined;
}

/** How long to wait before the store is told again: `first` seconds, doubled each time, `longest` at most. */
export interface BackOff {
  readonly first: number;
  readonly longest: number;
}

const COLUMNS = 'bank, id, requested_at, actor, actor_reference, reason, interaction, attempts, confirmed_at';

/** Notes that a consent is withdrawn; who asked first stays, and so does a confirmation. */
export async function noteWithdrawal(
  statements: Statements,
  bank: string,
  id: string,
  actor: Actor,
  at: Date,
  nextAttemptAt: Date,
): Promise<Withdrawal> {
  const [row] = await statements.query(
    `INSERT INTO consent.withdrawals AS kept (bank, id, requested_at, actor, actor_reference, reason, interaction, attempts, next_attempt_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)
     ON CONFLICT (bank, id) DO UPDATE SET next_attempt_at = excluded.next_attempt_at
     RETURNING ${COLUMNS}`,
    [bank, id, at, actor.kind, actor.reference, actor.reason ?? null, actor.interaction ?? null, nextAttemptAt],
  );
  if (row === undefined) throw new Error('a withdrawal was noted and is not there');
  return withdrawalOf(row);
}

/** The withdrawals among these consents. */
export async function findWithdrawals(
  statements: Statements,
  bank: string,
  ids: readonly string[],
): Promise<readonly Withdrawal[]> {
  const rows = await statements.query(
    `SELECT ${COLUMNS} FROM consent.withdrawals WHERE bank = $1 AND id = ANY($2::text[])`,
    [bank, ids],
  );
  return rows.map(withdrawalOf);
}

/** Takes a confirmation back: the store has forgotten what it confirmed. */
export async function reopenWithdrawal(statements: Statements, bank: string, id: string): Promise<void> {
  await statements.query('UPDATE consent.withdrawals SET confirmed_at = NULL WHERE bank = $1 AND id = $2', [bank, id]);
}

/** Notes that the store knows; false when somebody noted it before. */
export async function confirmWithdrawal(statements: Statements, bank: string, id: string, at: Date): Promise<boolean> {
  const rows = await statements.query(
    `UPDATE consent.withdrawals SET confirmed_at = $3
      WHERE bank = $1 AND id = $2 AND confirmed_at IS NULL RETURNING id`,
    [bank, id, at],
  );
  return rows.length === 1;
}

/** Takes withdrawals that the store has to be told of now; until their next time nobody else takes them. */
export async function takeDueWithdrawals(
  statements: Statements,
  bank: string,
  at: Date,
  limit: number,
  { first, longest }: BackOff,
): Promise<readonly Withdrawal[]> {
  const rows = await statements.query(
    `UPDATE consent.withdrawals AS kept
        SET attempts = kept.attempts + 1,
            next_attempt_at = $2::timestamptz
              + make_interval(secs => least($5::float8, $4::float8 * power(2, least(kept.attempts, 30))))
      WHERE (kept.bank, kept.id) IN (
        SELECT bank, id FROM consent.withdrawals
         WHERE bank = $1 AND confirmed_at IS NULL AND next_attempt_at <= $2::timestamptz
         ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
      RETURNING ${COLUMNS}`,
    [bank, at, limit, first, longest],
  );
  return rows.map(withdrawalOf);
}

/** Removes withdrawals from before a time, so many at most; gives how many. */
export async function removeWithdrawals(
  statements: Statements,
  bank: string,
  before: Date,
  limit: number,
): Promise<number> {
  const rows = await statements.query(
    `DELETE FROM consent.withdrawals WHERE (bank, id) IN (
       SELECT bank, id FROM consent.withdrawals
        WHERE bank = $1 AND requested_at < $2 LIMIT $3)
     RETURNING id`,
    [bank, before, limit],
  );
  return rows.length;
}

function withdrawalOf(row: Row): Withdrawal {
  return {
    bank: text(row, 'bank'),
    id: text(row, 'id'),
    requestedAt: instant(row, 'requested_at'),
    actor: {
      kind: oneOf(ACTOR_KINDS, text(row, 'actor')),
      reference: text(row, 'actor_reference'),
      reason: optionalText(row, 'reason'),
      interaction: optionalText(row, 'interaction'),
    },
    attempts: integer(row, 'attempts'),
    confirmedAt: optionalInstant(row, 'confirmed_at'),
  };
}
