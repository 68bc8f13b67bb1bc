import { hash, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, explicit, implicit, integer, nothing, octetString, oid, sequence, truth } from './der.ts';
import type { QcType, Role } from './roles.ts';
import { type CompetentAuthority, qcStatements } from './roles.ts';

const KEY_USAGE_BITS = {
  digitalSignature: 0x80,
  nonRepudiation: 0x40,
  keyCertSign: 0x04,
  cRLSign: 0x02,
} as const;
/** What a key may do. */
export type KeyUsage = keyof typeof KEY_USAGE_BITS;

const PURPOSES = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;
/** What a certificate is for. */
export type Purpose = keyof typeof PURPOSES;

/** One X.509 extension (RFC 5280 §4.2). */
export function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(id), ...(critical ? [truth] : []), octetString(value));
}

/** Where the status of an authority's certificates can be asked. */
export interface StatusAddresses {
  readonly ocsp: string;
  readonly crl: string;
}

/** Authority information access and CRL distribution points (RFC 5280 §4.2.2.1, §4.2.1.13); none where nobody answers. */
export function statusAddresses(addresses: StatusAddresses | undefined): readonly Buffer[] {
  if (addresses === undefined) return [];
  const ocsp = implicit(6, Buffer.from(addresses.ocsp, 'latin1'));
  const crl = implicit(6, Buffer.from(addresses.crl, 'latin1'));
  return [
    extension('1.3.6.1.5.5.7.1.1', false, sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), ocsp))),
    extension('2.5.29.31', false, sequence(sequence(explicit(0, explicit(0, crl))))),
  ];
}

/** id-pkix-ocsp-nocheck: nobody asks whether the responder's own certificate was revoked (RFC 6960 §4.2.2.2.1). */
export function withoutStatusCheck(): Buffer {
  return extension('1.3.6.1.5.5.7.48.1.5', false, nothing);
}

/** basicConstraints of an authority; `pathLength` 0 lets it issue leaves only. */
export function authorityConstraints(pathLength: number | undefined): Buffer {
  const limit = pathLength === undefined ? [] : [integer(Buffer.from([pathLength]))];
  return extension('2.5.29.19', true, sequence(truth, ...limit));
}

/** basicConstraints that say: no authority. */
export function leafConstraints(): Buffer {
  return extension('2.5.29.19', true, sequence());
}

/** keyUsage, critical. */
export function keyUsage(usages: readonly KeyUsage[]): Buffer {
  const bits = usages.reduce((sum, usage) => sum | KEY_USAGE_BITS[usage], 0);
  // DER of a named bit list has no trailing zero bits (X.690 §11.2.2).
  const unused = 31 - Math.clz32(bits & -bits);
  return extension('2.5.29.15', true, bitString(Buffer.from([bits]), unused));
}

/** extKeyUsage; nothing when there is no purpose. */
export function extendedKeyUsage(purposes: readonly Purpose[]): readonly Buffer[] {
  if (purposes.length === 0) return [];
  return [extension('2.5.29.37', false, sequence(...purposes.map((purpose) => oid(PURPOSES[purpose]))))];
}

/** A name a certificate stands for. */
export interface AlternativeNames {
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
  readonly uris: readonly string[];
}

/** subjectAltName; nothing when there is no name. */
export function alternativeNames(names: AlternativeNames): readonly Buffer[] {
  const encoded = [
    ...names.hosts.map((host) =>
      isIP(host) === 0 ? implicit(2, Buffer.from(host, 'latin1')) : implicit(7, addressOctets(host)),
    ),
    ...names.uris.map((uri) => implicit(6, Buffer.from(uri, 'latin1'))),
  ];
  return encoded.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...encoded))];
}

/** The loopback addresses are the only ones the sandbox serves. */
function addressOctets(address: string): Buffer {
  if (address === '::1') return Buffer.concat([Buffer.alloc(15), Buffer.from([1])]);
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  throw new Error(`${address} is no address the sandbox gives certificates for`);
}

/** subjectKeyIdentifier and authorityKeyIdentifier (RFC 5280 §4.2.1.1 and §4.2.1.2). */
export function keyIdentifiers(subject: KeyObject, issuer: KeyObject): readonly Buffer[] {
  return [extension('2.5.29.14', false, octetString(keyIdentifier(subject))), authorityKeyIdentifier(issuer)];
}

/** authorityKeyIdentifier alone, as revocation lists have it. */
export function authorityKeyIdentifier(issuer: KeyObject): Buffer {
  return extension('2.5.29.35', false, sequence(implicit(0, keyIdentifier(issuer))));
}

/** 160 bits of a hash over the public key, as RFC 7093 §2 has it. */
function keyIdentifier(key: KeyObject): Buffer {
  return hash('sha256', key.export({ type: 'spki', format: 'der' }), 'buffer').subarray(0, 20);
}

/** qcStatements of a participant's certificate. */
export function participantStatements(type: QcType, roles: readonly Role[], authority: CompetentAuthority): Buffer {
  return extension('1.3.6.1.5.5.7.1.3', false, qcStatements(type, roles, authority));
}

/** The `[3]` element of a certificate. */
export function extensionList(extensions: readonly Uint8Array[]): Buffer {
  return explicit(3, sequence(...extensions));
}
