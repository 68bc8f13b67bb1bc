import { createHash } from 'node:crypto';
import { contentOf, cursorOf, type Element, expectTag, TAG } from './der.ts';
import { integerOctets, oidOf } from './der-values.ts';
import { encode, encodeSequence } from './der-writer.ts';
import type { Certificate } from './x509.ts';

/** Hashes that may identify a certificate to a responder; SHA-1 is harmless here, nothing rests on collisions. */
export type CertIdHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** Object identifiers as DER. */
const HASH_OIDS: Readonly<Record<CertIdHash, string>> = {
  sha1: '06052b0e03021a',
  sha256: '0609608648016503040201',
  sha384: '0609608648016503040202',
  sha512: '0609608648016503040203',
};
const HASHES: Readonly<Record<string, CertIdHash>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

function digest(hash: string, value: Uint8Array): Uint8Array {
  return createHash(hash).update(value).digest();
}

/** SHA-1 over the key's octets, the form of `byKey` responder identifiers (RFC 6960 §4.2.1). */
export function keyHash(certificate: Certificate): Uint8Array {
  return digest('sha1', certificate.keyOctets);
}

/** CertID (RFC 6960 §4.1.1): the name hash covers the issuer's subject, the key hash its key octets alone. */
export function encodeCertId(certificate: Certificate, issuer: Certificate, hash: CertIdHash): Uint8Array {
  return encodeSequence(
    encodeSequence(Buffer.from(HASH_OIDS[hash], 'hex'), encode(TAG.null)),
    encode(TAG.octetString, digest(hash, issuer.subject.der)),
    encode(TAG.octetString, digest(hash, issuer.keyOctets)),
    encode(TAG.integer, certificate.serial),
  );
}

/** True when a CertID names this certificate of this issuer, by any hash that is known. @throws Malformed */
export function isCertId(element: Element, certificate: Certificate, issuer: Certificate): boolean {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  const algorithm = cursorOf(cursor.next(TAG.sequence));
  const hash = HASHES[oidOf(algorithm.next(TAG.oid))];
  algorithm.optional(TAG.null);
  algorithm.end();
  const name = contentOf(cursor.next(TAG.octetString));
  const key = contentOf(cursor.next(TAG.octetString));
  const serial = integerOctets(cursor.next(TAG.integer));
  cursor.end();
  if (hash === undefined) return false;
  return (
    same(serial, certificate.serial) &&
    same(name, digest(hash, issuer.subject.der)) &&
    same(key, digest(hash, issuer.keyOctets))
  );
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** DER of the nonce's OID. */
const NONCE_OID = Buffer.from('06092b0601050507300102', 'hex');

/** An OCSPRequest for one certificate (RFC 6960 §4.1), with a nonce when one is given (RFC 9654). */
export function encodeOcspRequest(certId: Uint8Array, nonce: Uint8Array | undefined): Uint8Array {
  const list = encodeSequence(encodeSequence(certId));
  if (nonce === undefined) return encodeSequence(encodeSequence(list));
  const value = encode(TAG.octetString, encode(TAG.octetString, nonce));
  return encodeSequence(encodeSequence(list, encode(0xa2, encodeSequence(encodeSequence(NONCE_OID, value)))));
}
