import {
  contentOf,
  cursorOf,
  type Element,
  elementsOf,
  expectTag,
  explicitTag,
  implicitTag,
  only,
  TAG,
} from './der.ts';
import { ia5Of } from './der-values.ts';
import { checkGeneralName } from './general-name.ts';
import { Malformed } from './malformed.ts';
import { type Name, nameOf } from './name.ts';

/** A subtree of names that an authority is limited to, or kept out of (RFC 5280 §4.2.1.10). */
export type Subtree =
  | { readonly kind: 'dns'; readonly base: string }
  | { readonly kind: 'directory'; readonly base: Name }
  | { readonly kind: 'ip'; readonly address: Uint8Array; readonly mask: Uint8Array }
  | { readonly kind: 'unsupported' };

/** The nameConstraints extension. */
export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

const MAXIMUM_SUBTREES = 256;
const DNS_BASE = /^\.?([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*)?$/;

/** Reads the extension. Kinds we do not evaluate are kept as `unsupported`: the authority is then refused. @throws Malformed */
export function nameConstraintsOf(element: Element): NameConstraints {
  const cursor = cursorOf(element);
  const permitted = cursor.optional(explicitTag(0));
  const excluded = cursor.optional(explicitTag(1));
  cursor.end();
  if (permitted === undefined && excluded === undefined) {
    throw new Malformed('extension_syntax', 'name constraints without a subtree');
  }
  return { permitted: subtreesOf(permitted), excluded: subtreesOf(excluded) };
}

function subtreesOf(element: Element | undefined): readonly Subtree[] {
  return element === undefined ? [] : elementsOf(element, MAXIMUM_SUBTREES).map(subtreeOf);
}

function subtreeOf(element: Element): Subtree {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  const base = cursor.any();
  // RFC 5280: minimum is zero (a DEFAULT, so not encoded) and maximum is absent.
  cursor.end();
  switch (base.tag) {
    case implicitTag(2):
      return { kind: 'dns', base: dnsBaseOf(base) };
    case explicitTag(4):
      return { kind: 'directory', base: nameOf(only(base, TAG.sequence)) };
    case implicitTag(7):
      return rangeOf(contentOf(base));
    default:
      checkGeneralName(base);
      return { kind: 'unsupported' };
  }
}

function dnsBaseOf(element: Element): string {
  const base = ia5Of(element);
  if (!DNS_BASE.test(base)) throw new Malformed('extension_syntax', 'a DNS subtree that is no name');
  return base.toLowerCase();
}

function rangeOf(octets: Uint8Array): Subtree {
  if (octets.length !== 8 && octets.length !== 32)
    throw new Malformed('extension_syntax', 'an address range of odd length');
  const half = octets.length / 2;
  const mask = octets.subarray(half);
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  if (/01/.test(bits)) throw new Malformed('extension_syntax', 'an address mask with holes');
  return { kind: 'ip', address: octets.subarray(0, half), mask };
}
