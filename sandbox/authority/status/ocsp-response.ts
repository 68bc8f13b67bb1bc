import { createHash, type KeyObject, sign, type X509Certificate } from 'node:crypto';
import { distinguishedName, ECDSA_WITH_SHA256, type Subject } from '../certificate.ts';
import { bitString, enumerated, explicit, generalizedTime, implicit, octetString, oid, sequence } from '../der.ts';
import { readElements, readOnly } from './der-reader.ts';
import { type IssuedBook, revocationReasons } from './issued.ts';
import type { CertId, OcspRequest } from './ocsp-request.ts';

/** Who answers for an authority: a certificate of its own, issued by that authority for nothing else (RFC 6960 §4.2.2.2). */
export interface Responder {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** An authority as its responder knows it. */
export interface AnsweringAuthority {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly book: IssuedBook;
  readonly responder: Responder;
}

/** An answer names this as its end: whoever keeps one asks again after a minute. */
const ANSWER_MS = 60_000;

const BASIC = '1.3.6.1.5.5.7.48.1.1';
const GOOD = implicit(0, Buffer.alloc(0));
const UNKNOWN = implicit(2, Buffer.alloc(0));
/** Hashes by which an authority can be named, by the content octets of their object identifiers. */
const HASHES: Readonly<Record<string, string>> = { '2b0e03021a': 'sha1', '608648016503040201': 'sha256' };

/** Answers that are none (RFC 6960 §4.2.1): nobody signs them. */
export const ocspProblems = { malformedRequest: problem(1), internalError: problem(2) } as const;

function problem(status: number): Buffer {
  return sequence(enumerated(status));
}

/** The signed answer to a request: what the book says at this moment, about each certificate that was asked for. */
export async function answerOcsp(request: OcspRequest, authority: AnsweringAuthority, now: Date): Promise<Buffer> {
  const { responder } = authority;
  const singles = await Promise.all(request.certIds.map((certId) => singleResponse(certId, authority, now)));
  const data = sequence(
    explicit(2, octetString(hashOf('sha1', keyOctets(responder.certificate.publicKey)))),
    generalizedTime(now),
    sequence(...singles),
    ...(request.nonce === undefined
      ? []
      : [explicit(1, sequence(sequence(oid('1.3.6.1.5.5.7.48.1.2'), octetString(request.nonce))))]),
  );
  const signature = bitString(sign('sha256', data, responder.key));
  const certificates = explicit(0, sequence(responder.certificate.raw));
  const basic = sequence(data, ECDSA_WITH_SHA256, signature, certificates);
  return sequence(enumerated(0), explicit(0, sequence(oid(BASIC), octetString(basic))));
}

async function singleResponse(certId: CertId, authority: AnsweringAuthority, now: Date): Promise<Buffer> {
  const status = isOurs(certId, authority) ? await statusOf(certId.serial, authority.book) : UNKNOWN;
  const end = new Date(now.getTime() + ANSWER_MS);
  return sequence(certId.encoded, status, generalizedTime(now), explicit(0, generalizedTime(end)));
}

async function statusOf(serial: string, book: IssuedBook): Promise<Buffer> {
  const revocation = await book.findRevocation(serial);
  if (revocation === undefined) return (await book.knows(serial)) ? GOOD : UNKNOWN;
  const { at, reason } = revocation;
  // Unspecified is said by saying nothing (RFC 5280 §5.3.1).
  const why = reason === 'unspecified' ? [] : [explicit(0, enumerated(revocationReasons[reason]))];
  return explicit(1, Buffer.concat([generalizedTime(at), ...why]));
}

/** Another authority's certificates are unknown here, and so is what is asked by a hash we do not know. */
function isOurs({ hash, issuerNameHash, issuerKeyHash }: CertId, { subject, publicKey }: AnsweringAuthority): boolean {
  const algorithm = HASHES[hash];
  if (algorithm === undefined) return false;
  const name = hashOf(algorithm, distinguishedName(subject));
  return name.equals(issuerNameHash) && hashOf(algorithm, keyOctets(publicKey)).equals(issuerKeyHash);
}

function hashOf(algorithm: string, octets: Uint8Array): Buffer {
  return createHash(algorithm).update(octets).digest();
}

/** The octets of the public key alone, without algorithm and count of unused bits. */
function keyOctets(key: KeyObject): Buffer {
  const info = readOnly(key.export({ type: 'spki', format: 'der' }), 0x30);
  const octets = readElements(info.content)[1]?.content.subarray(1);
  if (octets === undefined) throw new Error('a public key without octets');
  return octets;
}
