import {
  type Cursor,
  contentOf,
  cursorOf,
  type Element,
  encodedOf,
  expectTag,
  explicitTag,
  implicitTag,
  only,
  readDer,
  TAG,
} from './der.ts';
import { bitStringOctets, integerOctets, smallInteger, timeOf } from './der-values.ts';
import { type Extension, extensionsOf, fullNameUrls } from './extensions.ts';
import { Malformed } from './malformed.ts';
import { Unusable } from './unusable.ts';

/** A CertificateList, read up to its entries, and not yet believed (RFC 5280 §5.1). */
export interface CrlFrame {
  readonly signed: Uint8Array;
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** DER of the issuer's name. */
  readonly issuer: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** The list of entries; undefined when nothing is revoked. */
  readonly entries: Element | undefined;
  /** Content octets of the CRL number. */
  readonly number: Uint8Array | undefined;
  readonly scope: CrlScope;
}

/** What an issuing distribution point narrows a list to (RFC 5280 §5.2.5). */
export interface CrlScope {
  /** Names of the distribution point; undefined when the list says none. */
  readonly urls: readonly string[] | undefined;
  readonly onlyUsers: boolean;
  readonly onlyAuthorities: boolean;
}

/** Larger lists are not loaded (§5.3): a million entries with serials of nine octets fit. */
export const MAXIMUM_CRL_OCTETS = 32 * 1024 * 1024;

const CRL_NUMBER = '2.5.29.20';
const DELTA = '2.5.29.27';
const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';

/** Reads everything of a list but its entries. @throws Unusable for delta, indirect and partial lists too */
export function parseCrl(der: Uint8Array): CrlFrame {
  if (der.length > MAXIMUM_CRL_OCTETS) throw new Unusable('crl_syntax', 'the list is too large');
  try {
    return read(readDer(der, TAG.sequence, true));
  } catch (cause) {
    if (cause instanceof Malformed) throw new Unusable('crl_syntax', cause.message, cause);
    throw cause;
  }
}

function read(list: Element): CrlFrame {
  const outer = cursorOf(list);
  const tbs = outer.next(TAG.sequence);
  const algorithm = encodedOf(outer.next(TAG.sequence));
  const signature = bitStringOctets(outer.next(TAG.bitString));
  outer.end();
  const cursor = cursorOf(tbs);
  if (smallInteger(cursor.next(TAG.integer)) !== 1) throw new Malformed('version', 'version 2 is required');
  const inner = encodedOf(cursor.next(TAG.sequence));
  if (Buffer.compare(inner, algorithm) !== 0) throw new Malformed('algorithm_mismatch', 'two signature algorithms');
  const issuer = encodedOf(cursor.next(TAG.sequence));
  const thisUpdate = timeOf(cursor.any());
  const nextUpdate = nextUpdateOf(cursor);
  const entries = cursor.optional(TAG.sequence);
  const extensions = cursor.optional(explicitTag(0));
  cursor.end();
  const frame = { signed: encodedOf(tbs), algorithm, signature, issuer, thisUpdate, nextUpdate, entries };
  return { ...frame, ...readExtensions(extensions) };
}

function nextUpdateOf(cursor: Cursor): Date {
  const next = cursor.optional(TAG.utcTime) ?? cursor.optional(TAG.generalizedTime);
  if (next === undefined) throw new Unusable('crl_time', 'the list does not say when the next one comes');
  return timeOf(next);
}

function readExtensions(element: Element | undefined): Pick<CrlFrame, 'number' | 'scope'> {
  const extensions = element === undefined ? new Map<string, Extension>() : extensionsOf(only(element, TAG.sequence));
  if (extensions.has(DELTA)) throw new Unusable('crl_scope', 'a delta list says too little');
  for (const { id, critical } of extensions.values()) {
    if (critical && id !== ISSUING_DISTRIBUTION_POINT) throw new Unusable('crl_critical', `critical extension ${id}`);
  }
  const number = extensions.get(CRL_NUMBER);
  const point = extensions.get(ISSUING_DISTRIBUTION_POINT);
  return {
    number: number && integerOctets(readDer(number.value, TAG.integer)),
    scope: point === undefined ? WHOLE : scopeOf(readDer(point.value, TAG.sequence)),
  };
}

const WHOLE: CrlScope = { urls: undefined, onlyUsers: false, onlyAuthorities: false };

function scopeOf(element: Element): CrlScope {
  const cursor = cursorOf(element);
  const point = cursor.optional(explicitTag(0));
  const onlyUsers = flagOf(cursor, 1);
  const onlyAuthorities = flagOf(cursor, 2);
  const someReasons = cursor.optional(implicitTag(3)) !== undefined;
  const indirect = flagOf(cursor, 4);
  const onlyAttributes = flagOf(cursor, 5);
  cursor.end();
  if (someReasons) throw new Unusable('crl_scope', 'a list of some reasons says too little');
  if (indirect) throw new Unusable('crl_scope', 'an indirect list speaks for other issuers');
  if (onlyAttributes || (onlyUsers && onlyAuthorities)) throw new Unusable('crl_scope', 'a list of other certificates');
  return { urls: point === undefined ? undefined : fullNameUrls(point), onlyUsers, onlyAuthorities };
}

function flagOf(cursor: Cursor, number: number): boolean {
  const element = cursor.optional(implicitTag(number));
  if (element === undefined) return false;
  const [octet, ...rest] = contentOf(element);
  if (octet !== 0xff || rest.length > 0) throw new Malformed('der_boolean', 'a flag that is not TRUE');
  return true;
}

/** One entry: what a certificate was revoked for, and when. */
export interface CrlEntry {
  readonly serial: Uint8Array;
  readonly revokedAt: Date | undefined;
  /** CRLReason number. */
  readonly reason: number | undefined;
}

/** Twenty, and one for the sign (RFC 5280 §5.1.2.6). */
export const MAXIMUM_SERIAL_OCTETS = 21;
const REASON = '2.5.29.21';
const CERTIFICATE_ISSUER = '2.5.29.29';

/** Reads one entry. @throws Malformed; @throws Unusable for entries that speak of another issuer or in unknown words */
export function parseEntry(element: Element): CrlEntry {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  const serial = integerOctets(cursor.next(TAG.integer));
  if (serial.length > MAXIMUM_SERIAL_OCTETS) throw new Malformed('serial', 'a serial longer than 20 octets');
  const revokedAt = timeOf(cursor.any());
  const list = cursor.optional(TAG.sequence);
  cursor.end();
  const extensions = list === undefined ? new Map<string, Extension>() : extensionsOf(list);
  for (const { id, critical } of extensions.values()) {
    if (critical || id === CERTIFICATE_ISSUER) throw new Unusable('crl_critical', `entry extension ${id}`);
  }
  const reason = extensions.get(REASON);
  const code = reason && smallInteger(readDer(reason.value, TAG.enumerated));
  return { serial, revokedAt, reason: code };
}
