/** One element of a DER encoding. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content, as they were sent. */
  readonly encoded: Buffer;
}

/** What cannot be read as DER, or says something else than expected; requests that hold it are malformed. */
export class NotDer extends Error {
  override readonly name = 'NotDer';
}

/** Lengths of more octets than this would be larger than any request we take. */
const MAXIMUM_LENGTH_OCTETS = 3;

/** The elements of an encoding, one after the other. @throws NotDer */
export function readElements(octets: Buffer): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let rest = octets; rest.length > 0; ) {
    const element = readElement(rest);
    elements.push(element);
    rest = rest.subarray(element.encoded.length);
  }
  return elements;
}

/** The one element that an encoding is. @throws NotDer when there is something else, or more */
export function readOnly(octets: Buffer, tag: number): DerElement {
  const [element, ...more] = readElements(octets);
  if (element === undefined || element.tag !== tag || more.length > 0) throw new NotDer('another element was expected');
  return element;
}

/** The element when it has this tag. @throws NotDer */
export function expectElement(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag === tag) return element;
  throw new NotDer('another element was expected');
}

function readElement(octets: Buffer): DerElement {
  const [tag, first] = octets;
  // The requests we take have no tag of more than one octet.
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new NotDer('no element');
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || count > MAXIMUM_LENGTH_OCTETS || octets.length < 2 + count) throw new NotDer('no length');
  const length = count === 0 ? first : octets.readUIntBE(2, count);
  if (count > 0 && (octets[2] === 0 || length < 0x80)) throw new NotDer('a length that is not minimal');
  const end = 2 + count + length;
  if (octets.length < end) throw new NotDer('an element without its end');
  return { tag, content: octets.subarray(2 + count, end), encoded: octets.subarray(0, end) };
}

/** INTEGER that is not negative, as upper-case hexadecimal octets without leading zeros: how serial numbers are written. */
export function serialOf(element: DerElement): string {
  const { content } = expectElement(element, 0x02);
  const [first, second] = content;
  if (first === undefined || first >= 0x80) throw new NotDer('no positive number');
  if (first === 0 && second !== undefined && second < 0x80) throw new NotDer('a number that is not minimal');
  return content
    .toString('hex')
    .toUpperCase()
    .replace(/^00(?=..)/, '');
}
