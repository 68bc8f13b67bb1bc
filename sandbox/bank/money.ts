/** Amounts are whole cents inside and decimal texts outside: no floating point ever touches money. */
export type Cents = number;

/** Twelve digits before the point keep cents exact in a JavaScript number. */
const DECIMAL = /^(\d{1,12})(?:\.(\d{1,2}))?$/;

/** `-1234` as `-12.34`. */
export function formatCents(cents: Cents): string {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** A positive amount as a payment names it, a JSON number or a decimal text; undefined when it is none. */
export function parseAmount(value: unknown): Cents | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const match = DECIMAL.exec(String(value));
  if (match === null) return undefined;
  const [, units = '', fraction = ''] = match;
  const cents = Number(units) * 100 + Number(fraction.padEnd(2, '0'));
  return cents > 0 ? cents : undefined;
}
