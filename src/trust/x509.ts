import { sha256 } from '../platform/random.ts';
import { cursorOf, type Element, encodedOf, expectTag, explicitTag, implicitTag, only, readDer, TAG } from './der.ts';
import { bitStringOctets, integerOctets, smallInteger, timeOf } from './der-values.ts';
import { EXTENSION, type Extension, extensionsOf, type KnownExtensions, readKnown } from './extensions.ts';
import { Malformed } from './malformed.ts';
import { type Name, nameOf, valuesOf } from './name.ts';

/** A certificate that the strict reader accepted. Nothing in it has been judged. */
export interface Certificate extends KnownExtensions {
  /** Exactly the octets that were accepted. */
  readonly der: Uint8Array;
  /** `x5t#S256` over `der`. */
  readonly thumbprint: string;
  readonly version: 1 | 3;
  /** Octets that the signature covers. */
  readonly tbs: Uint8Array;
  /** Content octets of the INTEGER. */
  readonly serial: Uint8Array;
  /** AlgorithmIdentifier of the signature, inner and outer alike. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Uint8Array;
  /** SHA-256 of it, base64url. */
  readonly spkiSha256: string;
  /** The key's octets without tag, length and unused-bits octet, as OCSP hashes them. */
  readonly keyOctets: Uint8Array;
  readonly extensions: ReadonlyMap<string, Extension>;
}

/** A certificate larger than this belongs to nobody we know (§5.3). */
export const MAXIMUM_OCTETS = 16 * 1024;
/** Configured anchors are read once, at start, by the operator's own hand. */
const MAXIMUM_ANCHOR_OCTETS = 64 * 1024;
const MAXIMUM_SERIAL_OCTETS = 20;
const ORGANIZATION_IDENTIFIER = '2.5.4.97';

/** What is tolerated in configured anchors only (§5.5): version 1 and serial zero. */
export interface ParseOptions {
  readonly anchor?: boolean;
}

/** Reads one certificate (RFC 5280 §4.1) as §5.1 to §5.3 demand. @throws Malformed */
export function parseCertificate(der: Uint8Array, { anchor = false }: ParseOptions = {}): Certificate {
  if (der.length > (anchor ? MAXIMUM_ANCHOR_OCTETS : MAXIMUM_OCTETS))
    throw new Malformed('limit', 'certificate too large');
  const outer = cursorOf(readDer(der, TAG.sequence));
  const tbs = outer.next(TAG.sequence);
  const algorithm = encodedOf(outer.next(TAG.sequence));
  const signature = bitStringOctets(outer.next(TAG.bitString));
  outer.end();
  const fields = readFields(tbs, anchor);
  if (Buffer.compare(fields.signatureAlgorithm, algorithm) !== 0) {
    throw new Malformed('algorithm_mismatch', 'the signature algorithm outside differs from the one inside');
  }
  const known = readKnown(fields.extensions);
  if (valuesOf(fields.subject, ORGANIZATION_IDENTIFIER).length > 1) {
    throw new Malformed('orgid_duplicate', 'two organizationIdentifiers');
  }
  return { ...fields, ...known, der, thumbprint: sha256(der), tbs: encodedOf(tbs), signature };
}

type Fields = Omit<Certificate, keyof KnownExtensions | 'der' | 'thumbprint' | 'tbs' | 'signature'>;

function readFields(tbs: Element, anchor: boolean): Fields {
  const cursor = cursorOf(tbs);
  const version = versionOf(cursor.optional(explicitTag(0)), anchor);
  const serial = serialOf(cursor.next(TAG.integer), anchor);
  const signatureAlgorithm = encodedOf(cursor.next(TAG.sequence));
  const issuer = nameOf(cursor.next(TAG.sequence));
  if (issuer.rdns.length === 0) throw new Malformed('name_syntax', 'an issuer without name');
  const { notBefore, notAfter } = validityOf(cursor.next(TAG.sequence));
  const subject = nameOf(cursor.next(TAG.sequence));
  const keyInfo = cursor.next(TAG.sequence);
  const { publicKeyInfo, spkiSha256, keyOctets } = publicKeyOf(keyInfo);
  cursor.optional(implicitTag(1));
  cursor.optional(implicitTag(2));
  const list = cursor.optional(explicitTag(3));
  cursor.end();
  if (list !== undefined && version !== 3) throw new Malformed('version', 'extensions need version 3');
  const extensions = list === undefined ? new Map() : extensionsOf(only(list, TAG.sequence));
  return {
    version,
    serial,
    signatureAlgorithm,
    issuer,
    notBefore,
    notAfter,
    subject,
    publicKeyInfo,
    spkiSha256,
    keyOctets,
    extensions,
  };
}

function versionOf(element: Element | undefined, anchor: boolean): 1 | 3 {
  if (element === undefined) {
    if (anchor) return 1;
    throw new Malformed('version', 'version 3 is required');
  }
  if (smallInteger(only(element, TAG.integer)) !== 2) throw new Malformed('version', 'version 3 is required');
  return 3;
}

function serialOf(element: Element, anchor: boolean): Uint8Array {
  const octets = integerOctets(element);
  const [first = 0] = octets;
  const zero = octets.length === 1 && first === 0;
  const length = first === 0 && !zero ? octets.length - 1 : octets.length;
  if (first >= 0x80 || (zero && !anchor) || length > MAXIMUM_SERIAL_OCTETS) {
    throw new Malformed('serial', 'a serial number is positive and has at most 20 octets');
  }
  return octets;
}

function validityOf(element: Element): { readonly notBefore: Date; readonly notAfter: Date } {
  const cursor = cursorOf(element);
  const notBefore = timeOf(cursor.any());
  const notAfter = timeOf(cursor.any());
  cursor.end();
  if (notAfter < notBefore) throw new Malformed('validity_order', 'the end of validity lies before its start');
  return { notBefore, notAfter };
}

/** Reads a SubjectPublicKeyInfo as far as hashing needs it. */
function publicKeyOf(element: Element): Pick<Fields, 'publicKeyInfo' | 'spkiSha256' | 'keyOctets'> {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  cursor.next(TAG.sequence);
  const keyOctets = bitStringOctets(cursor.next(TAG.bitString));
  cursor.end();
  const publicKeyInfo = encodedOf(element);
  return { publicKeyInfo, spkiSha256: sha256(publicKeyInfo), keyOctets };
}

/** Extensions that are marked critical and that nobody here acts on (RFC 5280 §4.2: refuse). */
export function unknownCritical(certificate: Certificate, known: ReadonlySet<string>): readonly string[] {
  return [...certificate.extensions.values()].flatMap(({ id, critical }) => (critical && !known.has(id) ? [id] : []));
}

/** Critical extensions that path validation acts on. */
export const ACTED_ON: ReadonlySet<string> = new Set([
  EXTENSION.basicConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extendedKeyUsage,
  EXTENSION.subjectAltName,
  EXTENSION.nameConstraints,
  EXTENSION.qcStatements,
]);

/** Hexadecimal serial without the sign octet. */
export function serialText(serial: Uint8Array): string {
  const hex = Buffer.from(serial).toString('hex');
  return hex.length > 2 && hex.startsWith('00') ? hex.slice(2) : hex;
}

/** Deny lists and revocation go by issuer and serial, never by thumbprint (F7). */
export function issuerSerial(certificate: Pick<Certificate, 'issuer' | 'serial'>): string {
  return `${sha256(certificate.issuer.der)}:${serialText(certificate.serial)}`;
}
