/** Amounts are whole cents inside: no floating point touches money. */
export type Cents = number;

/** A bank's decimal text or number as cents. @throws TypeError when it is none */
export function centsOf(value: unknown): Cents {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/.exec(String(value));
  if (match === null) throw new TypeError('an amount is no amount');
  const [, sign = '', units = '', fraction = ''] = match;
  const cents = Number(units) * 100 + Number(fraction.padEnd(2, '0'));
  return sign === '-' ? -cents : cents;
}

/** An amount somebody typed, positive; undefined when it is none. A comma is as good as a point. */
export function typedAmount(text: string): Cents | undefined {
  if (!/^\d{1,9}([.,]\d{1,2})?$/.test(text.trim())) return undefined;
  const cents = centsOf(text.trim().replace(',', '.'));
  return cents > 0 ? cents : undefined;
}

/** `€1,234.50`, `−US$20.00` */
export function money(cents: Cents, currency: string): string {
  const format = new Intl.NumberFormat('en-GB', { style: 'currency', currency, signDisplay: 'negative' });
  return format.format(cents / 100).replace('-', '−');
}
