import { contentOf, type Element, expectTag, TAG } from './der.ts';
import { Malformed } from './malformed.ts';

/** An object identifier longer than this names nothing we know. */
const MAXIMUM_OID_OCTETS = 40;

/** BOOLEAN: one octet, 00 or FF. */
export function booleanOf(element: Element): boolean {
  const content = contentOf(expectPrimitive(element));
  const [octet] = content;
  if (content.length !== 1 || (octet !== 0x00 && octet !== 0xff)) {
    throw new Malformed('der_boolean', 'a BOOLEAN is one octet, 00 or FF');
  }
  return octet === 0xff;
}

function expectPrimitive(element: Element): Element {
  if ((element.tag & 0x20) !== 0) throw new Malformed('der_tag', 'a constructed encoding of a simple value');
  return element;
}

/** The octets of an INTEGER, minimal two's complement. */
export function integerOctets(element: Element): Uint8Array {
  const content = contentOf(expectPrimitive(element));
  const [first, second] = content;
  if (first === undefined) throw new Malformed('der_integer', 'an INTEGER without octets');
  const padded = second !== undefined && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (padded) throw new Malformed('der_integer', 'an INTEGER that is not minimal');
  return content;
}

/** A small INTEGER that is not negative. @throws Malformed `der_integer` when negative or of more than four octets. */
export function smallInteger(element: Element): number {
  const octets = integerOctets(element);
  const [sign = 0x80] = octets;
  if (octets.length > 4 || sign >= 0x80) throw new Malformed('der_integer', 'an INTEGER out of range');
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** OBJECT IDENTIFIER as dotted text. */
export function oidOf(element: Element): string {
  const content = contentOf(expectTag(element, TAG.oid));
  if (content.length === 0 || content.length > MAXIMUM_OID_OCTETS) throw new Malformed('der_oid', 'length of an OID');
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) throw new Malformed('der_oid', 'an arc that is not minimal');
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (!fresh) continue;
    arcs.push(arc);
    arc = 0n;
  }
  if (!fresh) throw new Malformed('der_oid', 'an arc without end');
  return dotted(arcs);
}

function dotted(arcs: readonly bigint[]): string {
  const [head = 0n, ...rest] = arcs;
  const first = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [first, head - first * 40n, ...rest].join('.');
}

/** BIT STRING as used for signatures and keys: whole octets only. */
export function bitStringOctets(element: Element): Uint8Array {
  const content = contentOf(expectTag(element, TAG.bitString));
  if (content[0] !== 0) throw new Malformed('der_bitstring', 'unused bits in a BIT STRING of whole octets');
  return content.subarray(1);
}

/** A named bit list (KeyUsage, ReasonFlags): the numbers of the bits that are set. */
export function namedBits(element: Element): ReadonlySet<number> {
  const [unused, ...octets] = contentOf(expectPrimitive(element));
  const last = octets.at(-1);
  if (unused === undefined || unused > 7) throw new Malformed('der_bitstring', 'unused bits beyond an octet');
  if (last === undefined) {
    if (unused !== 0) throw new Malformed('der_bitstring', 'unused bits without octets');
    return new Set();
  }
  // DER: trailing zero bits of a named bit list are removed, so the last used bit is one and what follows is zero.
  const lowestUsed = 1 << unused;
  if ((last & (lowestUsed - 1)) !== 0 || (last & lowestUsed) === 0) {
    throw new Malformed('der_bitstring', 'a named bit list that is not minimal');
  }
  const set = new Set<number>();
  octets.forEach((octet, index) => {
    for (let bit = 0; bit < 8; bit += 1) if ((octet & (0x80 >> bit)) !== 0) set.add(index * 8 + bit);
  });
  return set;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
const NUMERIC = /^[0-9 ]*$/;
const ASCII = /^\p{ASCII}*$/u;
/** T.61 is dead; issuers that still use the tag mean Latin-1 letters. */
const TELETEX = /^[\u0020-\u007e\u00a0-\u00ff]*$/;

/** A DirectoryString or one of its relatives, its alphabet checked. @throws Malformed `der_string` */
export function stringOf(element: Element): string {
  const content = contentOf(element);
  switch (element.tag) {
    case TAG.utf8String:
      return utf8(content);
    case TAG.printableString:
      return matching(content, PRINTABLE);
    case TAG.numericString:
      return matching(content, NUMERIC);
    case TAG.ia5String:
      return matching(content, ASCII);
    case TAG.teletexString:
      return matching(content, TELETEX);
    case TAG.bmpString:
      return bmp(content);
    default:
      throw new Malformed('der_string', 'not a string type that names may use');
  }
}

/** IA5String by content, for IMPLICIT tags. */
export function ia5Of(element: Element): string {
  return matching(contentOf(expectPrimitive(element)), ASCII);
}

function utf8(content: Uint8Array): string {
  try {
    return decoder.decode(content);
  } catch {
    throw new Malformed('der_string', 'invalid UTF-8');
  }
}

function matching(content: Uint8Array, alphabet: RegExp): string {
  const value = Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1');
  if (!alphabet.test(value)) throw new Malformed('der_string', 'a character outside the alphabet of the string type');
  return value;
}

function bmp(content: Uint8Array): string {
  if (content.length % 2 !== 0) throw new Malformed('der_string', 'BMPString of odd length');
  const value = Buffer.from(content).swap16().toString('utf16le');
  if (!value.isWellFormed()) throw new Malformed('der_string', 'BMPString with half a surrogate pair');
  return value;
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Time as RFC 5280 §4.1.2.5 profiles it: no fraction, no offset, a date that exists. @throws Malformed `der_time` */
export function timeOf(element: Element): Date {
  if (element.tag === TAG.generalizedTime) return generalizedTimeOf(element);
  if (element.tag !== TAG.utcTime) throw new Malformed('der_time', 'not a time');
  const [, year = '', ...rest] = UTC_TIME.exec(latin1(element)) ?? invalidTime();
  return dateOf(`${Number(year) >= 50 ? '19' : '20'}${year}`, rest);
}

/** GeneralizedTime, where nothing else is allowed (OCSP). */
export function generalizedTimeOf(element: Element): Date {
  if (element.tag !== TAG.generalizedTime) throw new Malformed('der_time', 'not a GeneralizedTime');
  const [, year = '', ...rest] = GENERALIZED_TIME.exec(latin1(element)) ?? invalidTime();
  return dateOf(year, rest);
}

function latin1(element: Element): string {
  return Buffer.from(contentOf(element)).toString('latin1');
}

function invalidTime(): never {
  throw new Malformed('der_time', 'a time in another form than RFC 5280 allows');
}

function dateOf(year: string, [month = '', day = '', hour = '', minute = '', second = '']: readonly string[]): Date {
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const date = new Date(text);
  const exists = !Number.isNaN(date.getTime()) && date.toISOString() === text;
  return exists ? date : invalidTime();
}
