import { isIP } from 'node:net';
import { contentOf, type Element, elementsOf, explicitTag, implicitTag, only, TAG } from './der.ts';
import { ia5Of } from './der-values.ts';
import { checkGeneralName } from './general-name.ts';
import { Malformed } from './malformed.ts';
import { type Name, nameOf } from './name.ts';

/** The subject alternative names of a certificate that this room understands (RFC 5280 §4.2.1.6). */
export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly emails: readonly string[];
  /** Four or sixteen octets. */
  readonly ipAddresses: readonly Uint8Array[];
  readonly directoryNames: readonly Name[];
  /** How many names of other kinds there are; they identify nobody here. */
  readonly others: number;
}

const MAXIMUM_NAMES = 256;
/** Letters, digits, hyphens inside labels; a wildcard in front and a dot behind are legal, but match no binding. */
const DNS_NAME =
  /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;
const MAXIMUM_DNS_NAME = 254;
/** Visible ASCII without what would break out of a quoted or listed text. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-[\]_a-z~]+$/;
const EMAIL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+$/;

/** Reads GeneralNames. @throws Malformed `san_syntax`, `limit` */
export function alternativeNamesOf(element: Element): AlternativeNames {
  const parts = elementsOf(element, MAXIMUM_NAMES);
  const tagged = (tag: number) => parts.filter((part) => part.tag === tag);
  const names = {
    emails: tagged(implicitTag(1)).map((part) => matching(part, EMAIL)),
    dnsNames: tagged(implicitTag(2)).map(dnsNameOf),
    directoryNames: tagged(explicitTag(4)).map((part) => nameOf(only(part, TAG.sequence))),
    uris: tagged(implicitTag(6)).map((part) => matching(part, URI)),
    ipAddresses: tagged(implicitTag(7)).map(addressOf),
  };
  const others = parts.filter(isOther).length;
  return { ...names, others };
}

/** otherName and registeredID identify nobody here, and must be well-formed all the same. */
function isOther(element: Element): boolean {
  if (KNOWN.has(element.tag)) return false;
  try {
    checkGeneralName(element);
    return true;
  } catch {
    throw new Malformed('san_syntax', 'an alternative name of no known kind');
  }
}

const KNOWN = new Set([implicitTag(1), implicitTag(2), explicitTag(4), implicitTag(6), implicitTag(7)]);

function matching(element: Element, syntax: RegExp): string {
  const value = textOf(element);
  if (!syntax.test(value)) throw new Malformed('san_syntax', 'an alternative name with characters it may not have');
  return value;
}

function textOf(element: Element): string {
  try {
    return ia5Of(element);
  } catch {
    throw new Malformed('san_syntax', 'an alternative name that is not ASCII');
  }
}

function dnsNameOf(element: Element): string {
  const value = matching(element, DNS_NAME);
  if (value.length > MAXIMUM_DNS_NAME) throw new Malformed('san_syntax', 'a DNS name that is too long');
  const reads = value.replace(/^\*\./, '').replace(/\.$/, '');
  if (isIP(reads) !== 0 || /^[0-9.]+$/.test(reads))
    throw new Malformed('san_syntax', 'an address in place of a DNS name');
  return value;
}

function addressOf(element: Element): Uint8Array {
  const octets = contentOf(element);
  if (octets.length !== 4 && octets.length !== 16) throw new Malformed('san_syntax', 'an IP address of odd length');
  return octets;
}

/** Text of an address: dotted, or the canonical form of RFC 5952 §4. */
export function textOfAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  return shortened(
    Buffer.from(octets)
      .toString('hex')
      .replaceAll(/.{4}(?=.)/g, '$&:'),
  );
}

/** The canonical text of an address in any legal spelling; undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  if (isIP(text) === 4) return text;
  if (isIP(text) !== 6 || text.includes('%')) return undefined;
  return shortened(text);
}

function shortened(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}
