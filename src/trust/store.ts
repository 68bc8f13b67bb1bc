import type { Statements } from '../platform/database.ts';
import { instant, integer, octets, optionalText, type Row, text } from '../platform/row.ts';
import type { DeniedCertificate } from './deny-list.ts';

/** Where processes tell each other what they forgot, learnt or denied. */
export const TRUST_CHANNEL = 'trust_changed';

/** Kinds of answer that are shared. */
export type AnswerProtocol = 'ocsp' | 'crl';

/** An answer about revocation as it was signed; what a row claims besides its octets proves nothing. */
export interface NewAnswer {
  readonly key: string;
  readonly protocol: AnswerProtocol;
  /** The address it came from. */
  readonly source: string;
  readonly answer: Uint8Array;
  /** When its signer made it, as verified. */
  readonly signedAt: Date;
  readonly usefulUntil: Date;
}

/** What is kept under a key, and the generation in which it was read. */
export interface FoundAnswer {
  readonly generation: number;
  readonly answer: Uint8Array | undefined;
}

/** The answer of a key. */
export async function findAnswer(statements: Statements, key: string): Promise<FoundAnswer> {
  const [row] = await statements.query(
    `SELECT current.generation, kept.answer FROM trust.answer_generations current
     LEFT JOIN trust.revocation_answers kept ON kept.key = $1`,
    [key],
  );
  if (row === undefined) throw new Error('the generation of answers is not there');
  return { generation: integer(row, 'generation'), answer: row.answer === null ? undefined : octets(row, 'answer') };
}

/**
 * Keeps an answer: false when everything was forgotten since it was asked for, when a newer one is there, or when there are
 * `maximum` others already. Holds the generation, so that nobody forgets everything but this.
 */
export async function keepAnswer(
  statements: Statements,
  { key, protocol, source, answer, signedAt, usefulUntil }: NewAnswer,
  { generation, maximum, now }: { readonly generation: number; readonly maximum: number; readonly now: Date },
): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO trust.revocation_answers AS kept (key, protocol, source, answer, signed_at, fetched_at, useful_until)
     SELECT $1::text, $2::text, $3::text, $4::bytea, $5::timestamptz, $6::timestamptz, $7::timestamptz
       FROM trust.answer_generations current
      WHERE current.generation = $8
        AND ((SELECT count(*) FROM trust.revocation_answers others WHERE others.protocol = $2::text AND others.key <> $1::text) < $9)
        FOR SHARE OF current
     ON CONFLICT (key) DO UPDATE SET source = excluded.source, answer = excluded.answer, signed_at = excluded.signed_at,
       fetched_at = excluded.fetched_at, useful_until = excluded.useful_until
     WHERE kept.signed_at <= excluded.signed_at OR kept.useful_until <= excluded.fetched_at
     RETURNING key`,
    [key, protocol, source, answer, signedAt, now, usefulUntil, generation, maximum],
  );
  return rows.length === 1;
}

/** Forgets every answer, also those that are being asked for now. */
export async function deleteAnswers(statements: Statements): Promise<void> {
  await statements.query('UPDATE trust.answer_generations SET generation = generation + 1');
  await statements.query('DELETE FROM trust.revocation_answers');
}

/** Removes at most `batch` answers that are of no use any more, leaving alone what is being renewed, and counts them. */
export async function sweepAnswers(statements: Statements, now: Date, batch: number): Promise<number> {
  const rows = await statements.query(
    `DELETE FROM trust.revocation_answers WHERE key IN
       (SELECT key FROM trust.revocation_answers WHERE useful_until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING key`,
    [now, batch],
  );
  return rows.length;
}

/** Tells every process something, when the transaction is committed. */
export async function tell(statements: Statements, notice: string): Promise<void> {
  await statements.query('SELECT pg_notify($1, $2)', [TRUST_CHANNEL, notice]);
}

/** One entry of the deny list that commands keep. */
export interface DeniedEntry {
  /** The bank's id, or `*` for all of them. */
  readonly bank: string;
  readonly denied: DeniedCertificate;
  readonly reason: string | undefined;
  readonly deniedBy: string;
  readonly deniedAt: Date;
}

/** Denies a certificate or key; false when it was denied already. `entry` is its normal form. */
export async function insertDenied(
  statements: Statements,
  entry: string,
  { bank, denied, reason, deniedBy, deniedAt }: DeniedEntry,
): Promise<boolean> {
  const byKey = 'spkiSha256' in denied;
  const rows = await statements.query(
    `INSERT INTO trust.denied_certificates (bank, entry, issuer, serial, spki_sha256, reason, denied_by, denied_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING entry`,
    [
      bank,
      entry,
      byKey ? null : denied.issuer,
      byKey ? null : denied.serial,
      byKey ? denied.spkiSha256 : null,
      reason ?? null,
      deniedBy,
      deniedAt,
    ],
  );
  return rows.length === 1;
}

/** Ends a denial; false when there was none. */
export async function deleteDenied(statements: Statements, bank: string, entry: string): Promise<boolean> {
  const rows = await statements.query(
    'DELETE FROM trust.denied_certificates WHERE bank = $1 AND entry = $2 RETURNING entry',
    [bank, entry],
  );
  return rows.length === 1;
}

/** Entries at most, of all banks together. */
export const MAXIMUM_DENIED_ENTRIES = 10_000;

/** How many denials there are. */
export async function countDenied(statements: Statements): Promise<number> {
  const [row] = await statements.query('SELECT count(*) AS entries FROM trust.denied_certificates');
  return row === undefined ? 0 : integer(row, 'entries');
}

/** Every denial, newest first. */
export async function listDenied(statements: Statements): Promise<readonly DeniedEntry[]> {
  const rows = await statements.query(
    `SELECT bank, issuer, serial, spki_sha256, reason, denied_by, denied_at FROM trust.denied_certificates
     ORDER BY denied_at DESC, bank, entry`,
  );
  return rows.map(deniedOf);
}

function deniedOf(row: Row): DeniedEntry {
  const key = optionalText(row, 'spki_sha256');
  return {
    bank: text(row, 'bank'),
    denied: key === undefined ? { issuer: text(row, 'issuer'), serial: text(row, 'serial') } : { spkiSha256: key },
    reason: optionalText(row, 'reason'),
    deniedBy: text(row, 'denied_by'),
    deniedAt: instant(row, 'denied_at'),
  };
}
