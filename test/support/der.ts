/** A small DER writer for tests. It also writes what no certificate authority would: the caller decides every octet. */

/** A value with any tag octet. */
export function tagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

/** SEQUENCE */
export const sequence = (...content: readonly Uint8Array[]): Buffer => tagged(0x30, ...content);
/** SET OF, elements in DER order */
export const set = (...content: readonly Uint8Array[]): Buffer => tagged(0x31, ...content.toSorted(Buffer.compare));
/** `[n]` constructed: EXPLICIT, or IMPLICIT over a constructed type */
export const explicit = (number: number, ...content: readonly Uint8Array[]): Buffer =>
  tagged(0xa0 | number, ...content);
/** `[n]` primitive: IMPLICIT over a primitive type */
export const implicit = (number: number, content: Uint8Array): Buffer => tagged(0x80 | number, content);
/** OCTET STRING */
export const octetString = (content: Uint8Array): Buffer => tagged(0x04, content);
/** BIT STRING */
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  tagged(0x03, Buffer.from([unusedBits]), content);
/** NULL */
export const nothing: Buffer = Buffer.from([0x05, 0x00]);
/** BOOLEAN */
export const boolean = (value: boolean): Buffer => Buffer.from([0x01, 0x01, value ? 0xff : 0x00]);
/** UTF8String */
export const utf8 = (value: string): Buffer => tagged(0x0c, Buffer.from(value, 'utf8'));
/** PrintableString */
export const printable = (value: string): Buffer => tagged(0x13, Buffer.from(value, 'latin1'));
/** IA5String */
export const ia5 = (value: string): Buffer => tagged(0x16, Buffer.from(value, 'latin1'));

/** INTEGER */
export function integer(value: number | bigint): Buffer {
  let rest = BigInt(value);
  const octets: number[] = [];
  do {
    octets.unshift(Number(BigInt.asUintN(8, rest)));
    rest >>= 8n;
  } while (!(rest === 0n && (octets[0] ?? 0) < 0x80) && !(rest === -1n && (octets[0] ?? 0) >= 0x80));
  return tagged(0x02, Buffer.from(octets));
}

/** ENUMERATED */
export const enumerated = (value: number): Buffer => tagged(0x0a, Buffer.from([value]));

/** OBJECT IDENTIFIER from dotted text */
export function oid(dotted: string): Buffer {
  const arcs = dotted.split('.').map(Number);
  const [first = 0, second = 0, ...rest] = arcs;
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): readonly number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift((rest % 128) | 0x80);
  return octets;
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on and before 1950 (RFC 5280 §4.1.2.5) */
export function time(at: Date): Buffer {
  const year = at.getUTCFullYear();
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return year >= 1950 && year < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : generalizedTime(at);
}

/** GeneralizedTime */
export function generalizedTime(at: Date): Buffer {
  return tagged(0x18, Buffer.from(at.toISOString().replaceAll(/[-:T]|\.\d+/g, '')));
}

/** The DER of a PEM block. */
export function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}

/** A PEM block over DER. */
export function pemOf(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/(.{64})/g, '$1\n')
    .trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
