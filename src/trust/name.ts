import { contentOf, cursorOf, type Element, elementsOf, encodedOf, expectTag, TAG } from './der.ts';
import { oidOf, stringOf } from './der-values.ts';
import { Malformed } from './malformed.ts';

/** One attribute of a distinguished name. */
export interface Attribute {
  readonly type: string;
  readonly value: string;
}

/** A relative distinguished name: usually one attribute. */
export type RelativeName = readonly Attribute[];

/** A distinguished name: RDNs in the order of the certificate, and the octets that names are chained by. */
export interface Name {
  readonly der: Uint8Array;
  readonly rdns: readonly RelativeName[];
}

/** Longer names are an attack or a mistake. */
const MAXIMUM_RDNS = 32;
const MAXIMUM_ATTRIBUTES = 8;

/** Reads a Name. @throws Malformed */
export function nameOf(element: Element): Name {
  const der = encodedOf(expectTag(element, TAG.sequence));
  if (element.content === element.end) return { der, rdns: [] };
  return { der, rdns: elementsOf(element, MAXIMUM_RDNS).map(relativeNameOf) };
}

/** Reads a RelativeDistinguishedName. @throws Malformed */
export function relativeNameOf(element: Element): RelativeName {
  const parts = elementsOf(expectTag(element, TAG.set), MAXIMUM_ATTRIBUTES);
  parts.reduce((before, part) => {
    const sorted = Buffer.compare(encodedOf(before), encodedOf(part)) <= 0;
    if (!sorted) throw new Malformed('der_set', 'a SET OF that is not sorted');
    return part;
  });
  return parts.map(attributeOf);
}

function attributeOf(element: Element): Attribute {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  const type = oidOf(cursor.any());
  const value = cursor.any();
  cursor.end();
  if (contentOf(value).length === 0) throw new Malformed('name_syntax', 'an attribute without value');
  return { type, value: stringOf(value) };
}

/** All values of one attribute type, in order. */
export function valuesOf(name: Name, type: string): readonly string[] {
  return name.rdns.flat().flatMap((attribute) => (attribute.type === type ? [attribute.value] : []));
}

/** A text that two names share exactly when they are the same by `sameName`. */
export function nameKey(rdns: readonly RelativeName[]): string {
  return rdns.map(keyOf).join('\n');
}

/** Attribute order counts, order inside a multi-valued RDN does not; values are compared exactly (attack 28). */
export function sameName(one: readonly RelativeName[], other: readonly RelativeName[]): boolean {
  return nameKey(one) === nameKey(other);
}

function keyOf(rdn: RelativeName): string {
  return JSON.stringify(rdn.map(({ type, value }) => [type, value]).toSorted());
}
