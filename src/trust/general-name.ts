import { contentOf, cursorOf, type Element, elementsOf, explicitTag, implicitTag, only, TAG } from './der.ts';
import { ia5Of, oidOf } from './der-values.ts';
import { Malformed } from './malformed.ts';
import { nameOf } from './name.ts';

/** More names in one place than anybody writes. */
const MAXIMUM_NAMES = 256;

/**
 * Checks that an element is a GeneralName (RFC 5280 §4.2.1.6), whether or not anybody here acts on its kind. The two kinds
 * of X.400 and EDI are refused: nobody uses them. @throws Malformed
 */
export function checkGeneralName(element: Element): Element {
  const check = KINDS.get(element.tag);
  if (check === undefined) throw new Malformed('extension_syntax', 'a name of no known kind');
  check(element);
  return element;
}

/** A non-empty list of them. @throws Malformed */
export function generalNamesOf(element: Element): readonly Element[] {
  return elementsOf(element, MAXIMUM_NAMES).map(checkGeneralName);
}

const KINDS: ReadonlyMap<number, (element: Element) => void> = new Map([
  [explicitTag(0), checkOtherName],
  [implicitTag(1), ia5Of],
  [implicitTag(2), ia5Of],
  [explicitTag(4), (element: Element) => nameOf(only(element, TAG.sequence))],
  [implicitTag(6), ia5Of],
  [implicitTag(7), checkAddress],
  [implicitTag(8), (element: Element) => oidOf({ ...element, tag: TAG.oid })],
]);

function checkOtherName(element: Element): void {
  const cursor = cursorOf(element);
  oidOf(cursor.next(TAG.oid));
  const value = cursorOf(cursor.next(explicitTag(0)));
  cursor.end();
  value.any();
  value.end();
}

function checkAddress(element: Element): void {
  const { length } = contentOf(element);
  if (length !== 4 && length !== 16) throw new Malformed('extension_syntax', 'an IP address of odd length');
}
