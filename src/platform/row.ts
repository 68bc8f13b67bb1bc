/** One row as the database gives it: column name to value, still unknown. Row mappers turn it into a domain value. */
export type Row = Readonly<Record<string, unknown>>;

function unexpected(row: Row, column: string, wanted: string): Error {
  const actual = row[column] === null ? 'null' : typeof row[column];
  return new Error(`column ${column}: expected ${wanted}, the database gave ${actual}`);
}

/** A text column that is never null. @throws Error when the column is absent or of another type: a defect. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw unexpected(row, column, 'text');
  return value;
}

/** A text column that may be null. */
export function optionalText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

/** An integer column (int4, or int8 within 2^53), as both drivers give it. */
export function integer(row: Row, column: string): number {
  const value = row[column];
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw unexpected(row, column, 'an integer');
  return number;
}

/** An integer column that may be null. */
export function optionalInteger(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : integer(row, column);
}

/** A boolean column. */
export function flag(row: Row, column: string): boolean {
  const value = row[column];
  if (typeof value !== 'boolean') throw unexpected(row, column, 'a boolean');
  return value;
}

/** A timestamptz column. */
export function instant(row: Row, column: string): Date {
  const value = row[column];
  if (!(value instanceof Date)) throw unexpected(row, column, 'a timestamp');
  return value;
}

/** A timestamptz column that may be null. */
export function optionalInstant(row: Row, column: string): Date | undefined {
  return row[column] === null ? undefined : instant(row, column);
}

/** A text[] column. */
export function texts(row: Row, column: string): readonly string[] {
  const value = row[column];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw unexpected(row, column, 'text[]');
  return value;
}

/** A jsonb column, parsed but not yet checked. */
export function json(row: Row, column: string): unknown {
  return row[column];
}

/** A bytea column that is never null. */
export function octets(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw unexpected(row, column, 'octets');
  return value;
}
