import type { Statements } from '../platform/database.ts';
import { integer, type Row, text } from '../platform/row.ts';

/** Tells every process that a list was replaced; the payload is bank and territory. */
export const LISTS_CHANGED = 'trusted_lists_changed';

/** A list as it is kept. */
export interface StoredList extends StoredVersion {
  /** The signed document, exactly as it came; its octets are the UTF-8 of this text. */
  readonly document: string;
  readonly issuedAt: Date;
  readonly nextUpdate: Date;
}

/** Which list is kept. */
export interface StoredVersion {
  readonly bank: string;
  readonly territory: string;
  readonly sequence: number;
  /** Of the document, base64url. */
  readonly sha256: string;
}

/** Keeps a list when its number is higher than that of the one at hand, in one statement; false when it is not. */
export async function saveNewer(statements: Statements, list: StoredList, now: Date): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO trusted_lists.lists AS kept
       (bank, territory, sequence, sha256, document, issued_at, next_update, imported_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (bank, territory) DO UPDATE
       SET sequence = excluded.sequence, sha256 = excluded.sha256, document = excluded.document,
           issued_at = excluded.issued_at, next_update = excluded.next_update, imported_at = excluded.imported_at
     WHERE kept.sequence < excluded.sequence
     RETURNING bank`,
    [list.bank, list.territory, list.sequence, list.sha256, list.document, list.issuedAt, list.nextUpdate, now],
  );
  if (rows.length === 0) return false;
  await statements.query('SELECT pg_notify($1, $2)', [LISTS_CHANGED, JSON.stringify([list.bank, list.territory])]);
  return true;
}

/** Which lists there are, without the documents. */
export async function storedVersions(statements: Statements): Promise<readonly StoredVersion[]> {
  const rows = await statements.query('SELECT bank, territory, sequence, sha256 FROM trusted_lists.lists');
  return rows.map(versionOf);
}

/** One list with its document. */
export async function findStored(
  statements: Statements,
  bank: string,
  territory: string,
): Promise<(StoredVersion & Pick<StoredList, 'document'>) | undefined> {
  const [row] = await statements.query(
    'SELECT bank, territory, sequence, sha256, document FROM trusted_lists.lists WHERE bank = $1 AND territory = $2',
    [bank, territory],
  );
  return row === undefined ? undefined : { ...versionOf(row), document: text(row, 'document') };
}

/**
 * Takes the refresh of a list when it is due, and moves the next attempt ahead so that nobody else takes it meanwhile; gives
 * how many attempts failed in a row, undefined when it is not due.
 */
export async function takeRefresh(
  statements: Statements,
  bank: string,
  territory: string,
  now: Date,
  leaseEndsAt: Date,
): Promise<number | undefined> {
  const [row] = await statements.query(
    `INSERT INTO trusted_lists.refreshes AS kept (bank, territory, next_attempt_at, failures)
     VALUES ($1, $2, $4, 0)
     ON CONFLICT (bank, territory) DO UPDATE SET next_attempt_at = excluded.next_attempt_at
     WHERE kept.next_attempt_at <= $3
     RETURNING failures`,
    [bank, territory, now, leaseEndsAt],
  );
  return row === undefined ? undefined : integer(row, 'failures');
}

/** Notes when to try again, and how many attempts failed in a row. */
export async function noteRefresh(
  statements: Statements,
  bank: string,
  territory: string,
  nextAttemptAt: Date,
  failures: number,
): Promise<void> {
  await statements.query(
    'UPDATE trusted_lists.refreshes SET next_attempt_at = $3, failures = $4 WHERE bank = $1 AND territory = $2',
    [bank, territory, nextAttemptAt, failures],
  );
}

function versionOf(row: Row): StoredVersion {
  return {
    bank: text(row, 'bank'),
    territory: text(row, 'territory'),
    sequence: integer(row, 'sequence'),
    sha256: text(row, 'sha256'),
  };
}
