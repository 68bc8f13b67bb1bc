/** Distinguished Encoding Rules, as far as the test authority's own certificates and answers need them (X.690). */

function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  return [0x80 | octets.length, ...octets];
}

/** SEQUENCE */
export const sequence = (...content: readonly Uint8Array[]): Buffer => element(0x30, ...content);
/** SET of one element, as relative distinguished names have it */
export const set = (content: Uint8Array): Buffer => element(0x31, content);
/** `[n]` EXPLICIT */
export const explicit = (number: number, content: Uint8Array): Buffer => element(0xa0 | number, content);
/** `[n]` IMPLICIT over a primitive type */
export const implicit = (number: number, content: Uint8Array): Buffer => element(0x80 | number, content);
/** OCTET STRING */
export const octetString = (content: Uint8Array): Buffer => element(0x04, content);
/** BIT STRING */
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  element(0x03, Buffer.from([unusedBits]), content);
/** BOOLEAN TRUE; FALSE is always the default that DER leaves out */
export const truth: Buffer = element(0x01, Buffer.from([0xff]));
/** NULL */
export const nothing: Buffer = element(0x05);
/** UTF8String */
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text, 'utf8'));
/** PrintableString */
export const printable = (text: string): Buffer => element(0x13, Buffer.from(text, 'latin1'));

/** ENUMERATED below 128 */
export const enumerated = (value: number): Buffer => element(0x0a, Buffer.from([value]));

/** INTEGER that is not negative, from its octets */
export function integer(octets: Uint8Array): Buffer {
  const first = octets.findIndex((octet) => octet !== 0);
  const significant = first < 0 ? Buffer.alloc(1) : Buffer.from(octets.subarray(first));
  return element(0x02, (significant[0] ?? 0) < 0x80 ? significant : Buffer.concat([Buffer.alloc(1), significant]));
}

/** OBJECT IDENTIFIER from dotted text */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): readonly number[] {
  const octets = [arc & 0x7f];
  for (let rest = arc >> 7; rest > 0; rest >>= 7) octets.unshift((rest & 0x7f) | 0x80);
  return octets;
}

/** UTCTime before 2050, GeneralizedTime from then on (RFC 5280 §4.1.2.5) */
export function time(at: Date): Buffer {
  return at.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digitsOf(at).slice(2), 'latin1')) : generalizedTime(at);
}

/** GeneralizedTime, whatever the year: OCSP knows no other (RFC 6960 §4.2.2.1) */
export function generalizedTime(at: Date): Buffer {
  return element(0x18, Buffer.from(digitsOf(at), 'latin1'));
}

function digitsOf(at: Date): string {
  return at.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
}
