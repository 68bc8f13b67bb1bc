import {
  contentOf,
  cursorOf,
  type Element,
  elementsOf,
  encodedOf,
  expectTag,
  explicitTag,
  implicitTag,
  only,
  readDer,
  TAG,
} from './der.ts';
import { bitStringOctets, generalizedTimeOf, oidOf, smallInteger } from './der-values.ts';
import { type Extension, extensionsOf } from './extensions.ts';
import { Malformed } from './malformed.ts';
import { Unusable } from './unusable.ts';
import { type Certificate, parseCertificate } from './x509.ts';

/** A BasicOCSPResponse, read and not yet believed (RFC 6960 §4.2.1). */
export interface OcspResponse {
  /** Octets that the signature covers. */
  readonly signed: Uint8Array;
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
  readonly responder: { readonly name: Uint8Array } | { readonly keyHash: Uint8Array };
  readonly producedAt: Date;
  readonly singles: readonly SingleResponse[];
  readonly nonce: Uint8Array | undefined;
  /** In the order sent, which means nothing. */
  readonly certificates: readonly Certificate[];
}

/** What a response says of one certificate. */
export interface SingleResponse {
  readonly certId: Element;
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly revokedAt: Date | undefined;
  /** CRLReason number. */
  readonly reason: number | undefined;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
}

const MAXIMUM_OCTETS = 64 * 1024;
const MAXIMUM_SINGLES = 64;
const MAXIMUM_CERTIFICATES = 8;
const OCSP_BASIC = '1.3.6.1.5.5.7.48.1.1';
const NONCE = '1.3.6.1.5.5.7.48.1.2';
const SUCCESSFUL = 0;

/** Reads a response strictly; every tag is compared, also in wrappers that nobody signed (§9.2). @throws Unusable */
export function parseOcspResponse(der: Uint8Array): OcspResponse {
  if (der.length > MAXIMUM_OCTETS) throw new Unusable('ocsp_syntax', 'the response is too large');
  try {
    return read(readDer(der, TAG.sequence));
  } catch (cause) {
    if (cause instanceof Malformed) throw new Unusable('ocsp_syntax', cause.message, cause);
    throw cause;
  }
}

function read(response: Element): OcspResponse {
  const cursor = cursorOf(response);
  const status = contentOf(cursor.next(TAG.enumerated));
  if (status.length !== 1 || status[0] !== SUCCESSFUL) throw new Unusable('ocsp_status', 'the responder has no answer');
  const bytes = cursorOf(only(cursor.next(explicitTag(0)), TAG.sequence));
  cursor.end();
  if (oidOf(bytes.next(TAG.oid)) !== OCSP_BASIC) throw new Unusable('ocsp_syntax', 'a response of another type');
  const basic = contentOf(bytes.next(TAG.octetString));
  bytes.end();
  return readBasic(readDer(basic, TAG.sequence));
}

function readBasic(basic: Element): OcspResponse {
  const cursor = cursorOf(basic);
  const signed = cursor.next(TAG.sequence);
  const algorithm = encodedOf(cursor.next(TAG.sequence));
  const signature = bitStringOctets(cursor.next(TAG.bitString));
  const list = cursor.optional(explicitTag(0));
  cursor.end();
  const certificates =
    list === undefined
      ? []
      : elementsOf(only(list, TAG.sequence), MAXIMUM_CERTIFICATES).map((item) => parseCertificate(encodedOf(item)));
  return { ...readData(signed), signed: encodedOf(signed), algorithm, signature, certificates };
}

function readData(data: Element): Pick<OcspResponse, 'responder' | 'producedAt' | 'singles' | 'nonce'> {
  const cursor = cursorOf(data);
  if (cursor.optional(explicitTag(0)) !== undefined) throw new Malformed('der_default', 'an encoded DEFAULT version');
  const responder = responderOf(cursor.any());
  const producedAt = generalizedTimeOf(cursor.any());
  const singles = elementsOf(cursor.next(TAG.sequence), MAXIMUM_SINGLES).map(singleOf);
  const extensions = optionalExtensions(cursor.optional(explicitTag(1)), new Set([NONCE]));
  cursor.end();
  const nonce = extensions.get(NONCE);
  return { responder, producedAt, singles, nonce: nonce && contentOf(readDer(nonce.value, TAG.octetString)) };
}

function responderOf(element: Element): OcspResponse['responder'] {
  if (element.tag === explicitTag(1)) return { name: encodedOf(only(element, TAG.sequence)) };
  return { keyHash: contentOf(only(expectTag(element, explicitTag(2)), TAG.octetString)) };
}

function singleOf(element: Element): SingleResponse {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  const certId = cursor.next(TAG.sequence);
  const status = statusOf(cursor.any());
  const thisUpdate = generalizedTimeOf(cursor.any());
  const next = cursor.optional(explicitTag(0));
  const nextUpdate = next === undefined ? undefined : generalizedTimeOf(only(next, TAG.generalizedTime));
  optionalExtensions(cursor.optional(explicitTag(1)), new Set());
  cursor.end();
  return { certId, ...status, thisUpdate, nextUpdate };
}

function statusOf(element: Element): Pick<SingleResponse, 'status' | 'revokedAt' | 'reason'> {
  if (element.tag === explicitTag(1)) return revokedOf(element);
  if (element.tag !== implicitTag(0) && element.tag !== implicitTag(2))
    throw new Malformed('der_tag', 'no known status');
  if (element.content !== element.end) throw new Malformed('der_length', 'a NULL with content');
  return { status: element.tag === implicitTag(0) ? 'good' : 'unknown', revokedAt: undefined, reason: undefined };
}

function revokedOf(element: Element): Pick<SingleResponse, 'status' | 'revokedAt' | 'reason'> {
  const cursor = cursorOf(element);
  const revokedAt = generalizedTimeOf(cursor.any());
  const reason = cursor.optional(explicitTag(0));
  cursor.end();
  return {
    status: 'revoked',
    revokedAt,
    reason: reason === undefined ? undefined : smallInteger(only(reason, TAG.enumerated)),
  };
}

function optionalExtensions(element: Element | undefined, known: ReadonlySet<string>): ReadonlyMap<string, Extension> {
  const extensions = element === undefined ? new Map<string, Extension>() : extensionsOf(only(element, TAG.sequence));
  for (const { id, critical } of extensions.values()) {
    if (critical && !known.has(id)) throw new Unusable('ocsp_critical', `critical extension ${id} is not understood`);
  }
  return extensions;
}
