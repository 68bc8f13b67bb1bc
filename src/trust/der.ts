import { Malformed } from './malformed.ts';

/** Tags this room reads (X.690 §8), as the single identifier octet. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of `[n]` over a primitive type (IMPLICIT). */
export const implicitTag = (number: number): number => 0x80 | number;
/** The tag of `[n]` over a constructed type, or EXPLICIT. */
export const explicitTag = (number: number): number => 0xa0 | number;

/** Certificates and OCSP responses stay below 16 MiB: three length octets say all there is to say. */
const LENGTH_OCTETS = 3;
/** CRLs may have 32 MiB. */
const LENGTH_OCTETS_LARGE = 4;
/** Tag numbers from 31 on need more octets; no structure of ours has one. */
const HIGH_TAG_NUMBER = 0x1f;

/** One element inside a buffer: nothing is copied. */
export interface Element {
  readonly tag: number;
  readonly source: Uint8Array;
  /** Offset of the tag octet. */
  readonly start: number;
  /** Offset of the first content octet. */
  readonly content: number;
  /** Offset behind the last content octet. */
  readonly end: number;
}

/** The element that is all of `source`: trailing octets are an error. `large` allows four length octets (CRLs). */
export function readDer(source: Uint8Array, tag: number, large = false): Element {
  const element = readAt(source, 0, source.length, large ? LENGTH_OCTETS_LARGE : LENGTH_OCTETS);
  if (element.end !== source.length) throw new Malformed('der_trailing', 'octets follow the structure');
  return expectTag(element, tag);
}

/** Element with the tag the schema asks for. @throws Malformed `der_tag` */
export function expectTag(element: Element, tag: number): Element {
  if (element.tag !== tag) throw new Malformed('der_tag', `expected tag ${hex(tag)}, found ${hex(element.tag)}`);
  return element;
}

const hex = (tag: number): string => `0x${tag.toString(16).padStart(2, '0')}`;

/** Reads one element that starts at `start` and must end by `limit`. */
export function readAt(source: Uint8Array, start: number, limit: number, lengthOctets: number): Element {
  const tag = octetAt(source, start, limit);
  if ((tag & HIGH_TAG_NUMBER) === HIGH_TAG_NUMBER) throw new Malformed('der_tag', 'tag of several octets');
  const first = octetAt(source, start + 1, limit);
  if (first < 0x80) return bounded({ tag, source, start, content: start + 2, end: start + 2 + first }, limit);
  const count = first & 0x7f;
  if (count === 0) throw new Malformed('der_length', 'indefinite length');
  if (count > lengthOctets) throw new Malformed('der_length', 'length of too many octets');
  let length = 0;
  for (let index = 0; index < count; index += 1) length = length * 256 + octetAt(source, start + 2 + index, limit);
  const minimal = length >= 0x80 && length >= 256 ** (count - 1);
  if (!minimal) throw new Malformed('der_length', 'length is not minimal');
  const content = start + 2 + count;
  return bounded({ tag, source, start, content, end: content + length }, limit);
}

function octetAt(source: Uint8Array, offset: number, limit: number): number {
  const octet = offset < limit ? source[offset] : undefined;
  if (octet === undefined) throw new Malformed('der_length', 'the structure ends too early');
  return octet;
}

function bounded(element: Element, limit: number): Element {
  if (element.end > limit) throw new Malformed('der_length', 'length exceeds the surrounding structure');
  return element;
}

/** The content octets, without tag and length. */
export function contentOf(element: Element): Uint8Array {
  return element.source.subarray(element.content, element.end);
}

/** All octets, with tag and length. */
export function encodedOf(element: Element): Uint8Array {
  return element.source.subarray(element.start, element.end);
}

/** Reads the parts of a constructed element in the order of its schema. */
export interface Cursor {
  /** The next part, whatever its tag. */
  any(): Element;
  /** The next part, which must have `tag`. @throws Malformed `der_tag`, `der_length` */
  next(tag: number): Element;
  /** The next part when it has `tag`; otherwise nothing is consumed. */
  optional(tag: number): Element | undefined;
  /** True while parts remain. */
  more(): boolean;
  /** @throws Malformed `der_trailing` when parts remain. */
  end(): void;
}

/** A cursor over the parts of `element`. */
export function cursorOf(element: Element): Cursor {
  const { source, end } = element;
  let offset = element.content;
  const any = () => {
    const found = readAt(source, offset, end, LENGTH_OCTETS_LARGE);
    offset = found.end;
    return found;
  };
  return {
    any,
    next: (tag) => expectTag(any(), tag),
    optional: (tag) => (offset < end && source[offset] === tag ? any() : undefined),
    more: () => offset < end,
    end: () => {
      if (offset < end) throw new Malformed('der_trailing', 'a part follows that the structure does not have');
    },
  };
}

/** The elements of a SEQUENCE OF or SET OF, at least one. @throws Malformed `limit` beyond `maximum`, `der_length` when empty. */
export function elementsOf(element: Element, maximum: number): readonly Element[] {
  const cursor = cursorOf(element);
  const elements: Element[] = [];
  while (cursor.more()) {
    if (elements.length === maximum) throw new Malformed('limit', `more than ${maximum} elements`);
    elements.push(cursor.any());
  }
  if (elements.length === 0) throw new Malformed('der_length', 'an empty list where one entry is required');
  return elements;
}

/** The one element an EXPLICIT tag, or an OCTET STRING that holds DER, encloses. */
export function only(element: Element, tag: number): Element {
  const cursor = cursorOf(element);
  const inner = cursor.next(tag);
  cursor.end();
  return inner;
}
