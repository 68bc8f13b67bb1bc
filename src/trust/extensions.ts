import { type AlternativeNames, alternativeNamesOf } from './alternative-names.ts';
import {
  contentOf,
  cursorOf,
  type Element,
  elementsOf,
  expectTag,
  explicitTag,
  implicitTag,
  readDer,
  TAG,
} from './der.ts';
import { booleanOf, ia5Of, integerOctets, namedBits, oidOf, smallInteger } from './der-values.ts';
import { checkGeneralName, generalNamesOf } from './general-name.ts';
import { Malformed } from './malformed.ts';
import { relativeNameOf } from './name.ts';
import { type NameConstraints, nameConstraintsOf } from './name-constraints-syntax.ts';

/** The extensions this room acts on, by OID. */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
  qcStatements: '1.3.6.1.5.5.7.1.3',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const;

/** One extension as encoded. */
export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  /** DER of the extension's own type, not yet read. */
  readonly value: Uint8Array;
}

const MAXIMUM_EXTENSIONS = 64;
/** More purposes than anybody uses. */
const MAXIMUM_EXTENDED_KEY_USAGES = 32;
const MAXIMUM_ACCESS_DESCRIPTIONS = 16;
const MAXIMUM_DISTRIBUTION_POINTS = 16;

/** Extensions by OID. @throws Malformed `extension_duplicate`, `limit` */
export function extensionsOf(element: Element): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const part of elementsOf(element, MAXIMUM_EXTENSIONS)) {
    const extension = extensionOf(part);
    if (extensions.has(extension.id)) throw new Malformed('extension_duplicate', `extension ${extension.id} twice`);
    extensions.set(extension.id, extension);
  }
  return extensions;
}

function extensionOf(element: Element): Extension {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  const id = oidOf(cursor.next(TAG.oid));
  const flag = cursor.optional(TAG.boolean);
  const critical = flag !== undefined && booleanOf(flag);
  if (flag !== undefined && !critical) throw new Malformed('der_boolean', 'an encoded DEFAULT FALSE');
  const value = contentOf(cursor.next(TAG.octetString));
  cursor.end();
  return { id, critical, value };
}

/** KeyUsage bits (RFC 5280 §4.2.1.3) by number. */
export const KEY_USAGE = { digitalSignature: 0, nonRepudiation: 1, keyCertSign: 5, cRLSign: 6 } as const;

/** basicConstraints (RFC 5280 §4.2.1.9). */
export interface BasicConstraints {
  readonly authority: boolean;
  readonly pathLength: number | undefined;
}

/** The extensions of a certificate, read; absent ones are undefined or empty. */
export interface KnownExtensions {
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: ReadonlySet<number> | undefined;
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly alternativeNames: AlternativeNames;
  readonly nameConstraints: NameConstraints | undefined;
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  readonly ocspUrls: readonly string[];
  readonly caIssuersUrls: readonly string[];
  readonly distributionPoints: readonly DistributionPoint[];
  readonly ocspNoCheck: boolean;
}

/** A place where a CRL is published (RFC 5280 §4.2.1.13). */
export interface DistributionPoint {
  readonly urls: readonly string[];
  /** Names another issuer of the CRL: an indirect CRL, which we do not use. */
  readonly indirect: boolean;
  /** Covers some reasons only: never enough. */
  readonly someReasons: boolean;
}

/** Reads every known extension. @throws Malformed */
export function readKnown(extensions: ReadonlyMap<string, Extension>): KnownExtensions {
  const read = <T>(id: string, tag: number, reader: (element: Element) => T): T | undefined => {
    const extension = extensions.get(id);
    return extension === undefined ? undefined : reader(readDer(extension.value, tag));
  };
  const access = read(EXTENSION.authorityInformationAccess, TAG.sequence, accessOf) ?? [];
  const urlsFor = (method: string) => access.flatMap((entry) => (entry.method === method ? [entry.url] : []));
  return {
    basicConstraints: read(EXTENSION.basicConstraints, TAG.sequence, basicConstraintsOf),
    keyUsage: read(EXTENSION.keyUsage, TAG.bitString, keyUsageOf),
    extendedKeyUsages: read(EXTENSION.extendedKeyUsage, TAG.sequence, (list) =>
      elementsOf(list, MAXIMUM_EXTENDED_KEY_USAGES).map(oidOf),
    ),
    alternativeNames: read(EXTENSION.subjectAltName, TAG.sequence, alternativeNamesOf) ?? NO_NAMES,
    nameConstraints: read(EXTENSION.nameConstraints, TAG.sequence, nameConstraintsOf),
    subjectKeyIdentifier: read(EXTENSION.subjectKeyIdentifier, TAG.octetString, contentOf),
    authorityKeyIdentifier: read(EXTENSION.authorityKeyIdentifier, TAG.sequence, authorityKeyIdentifierOf),
    ocspUrls: urlsFor('1.3.6.1.5.5.7.48.1'),
    caIssuersUrls: urlsFor('1.3.6.1.5.5.7.48.2'),
    distributionPoints: read(EXTENSION.crlDistributionPoints, TAG.sequence, distributionPointsOf) ?? [],
    ocspNoCheck: read(EXTENSION.ocspNoCheck, TAG.null, noCheckOf) ?? false,
  };
}

const NO_NAMES: AlternativeNames = {
  dnsNames: [],
  uris: [],
  emails: [],
  ipAddresses: [],
  directoryNames: [],
  others: 0,
};

function basicConstraintsOf(element: Element): BasicConstraints {
  const cursor = cursorOf(element);
  const flag = cursor.optional(TAG.boolean);
  const authority = flag !== undefined && booleanOf(flag);
  if (flag !== undefined && !authority) throw new Malformed('der_boolean', 'an encoded DEFAULT FALSE');
  const length = cursor.optional(TAG.integer);
  cursor.end();
  if (length !== undefined && !authority) {
    throw new Malformed('extension_syntax', 'a path length in a certificate that is no authority');
  }
  return { authority, pathLength: length === undefined ? undefined : smallInteger(length) };
}

function keyUsageOf(element: Element): ReadonlySet<number> {
  const bits = namedBits(element);
  if (bits.size === 0) throw new Malformed('extension_syntax', 'a key usage that allows nothing');
  return bits;
}

function authorityKeyIdentifierOf(element: Element): Uint8Array | undefined {
  const cursor = cursorOf(element);
  const identifier = cursor.optional(implicitTag(0));
  const issuer = cursor.optional(explicitTag(1));
  const serial = cursor.optional(implicitTag(2));
  cursor.end();
  if ((issuer === undefined) !== (serial === undefined)) {
    throw new Malformed('extension_syntax', 'issuer and serial of an authority key belong together');
  }
  if (issuer !== undefined) generalNamesOf(issuer);
  if (serial !== undefined) integerOctets(serial);
  return identifier === undefined ? undefined : contentOf(identifier);
}

function noCheckOf(element: Element): boolean {
  if (element.content !== element.end) throw new Malformed('extension_syntax', 'a NULL with content');
  return true;
}

interface Access {
  readonly method: string;
  readonly url: string;
}

function accessOf(element: Element): readonly Access[] {
  return elementsOf(element, MAXIMUM_ACCESS_DESCRIPTIONS).flatMap((part) => {
    const cursor = cursorOf(expectTag(part, TAG.sequence));
    const method = oidOf(cursor.next(TAG.oid));
    const location = checkGeneralName(cursor.any());
    cursor.end();
    return location.tag === implicitTag(6) ? [{ method, url: ia5Of(location) }] : [];
  });
}

function distributionPointsOf(element: Element): readonly DistributionPoint[] {
  return elementsOf(element, MAXIMUM_DISTRIBUTION_POINTS).map((part) => {
    const cursor = cursorOf(expectTag(part, TAG.sequence));
    const name = cursor.optional(explicitTag(0));
    const reasons = cursor.optional(implicitTag(1));
    const issuer = cursor.optional(explicitTag(2));
    cursor.end();
    if (name === undefined && issuer === undefined) throw new Malformed('extension_syntax', 'a point without a name');
    if (reasons !== undefined) namedBits(reasons);
    if (issuer !== undefined) generalNamesOf(issuer);
    return {
      urls: name === undefined ? [] : fullNameUrls(name),
      indirect: issuer !== undefined,
      someReasons: reasons !== undefined,
    };
  });
}

/** URLs of a DistributionPointName; a name relative to the issuer has none. */
export function fullNameUrls(name: Element): readonly string[] {
  const cursor = cursorOf(name);
  const choice = cursor.any();
  cursor.end();
  if (choice.tag === explicitTag(1)) {
    relativeNameOf({ ...choice, tag: TAG.set });
    return [];
  }
  const names = generalNamesOf(expectTag(choice, explicitTag(0)));
  return names.flatMap((part) => (part.tag === implicitTag(6) ? [ia5Of(part)] : []));
}
