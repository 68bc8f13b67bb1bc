import { createPublicKey, generateKeyPairSync, hash, type KeyObject, X509Certificate } from 'node:crypto';
import { type Issuer, issueCertificate, type Subject } from '../sandbox/authority/certificate.ts';
import {
  alternativeNames,
  authorityConstraints,
  extendedKeyUsage,
  keyUsage,
  leafConstraints,
  type Purpose,
} from '../sandbox/authority/extensions.ts';

const HOUR_MS = 3_600_000;
const LIFE_MS = 24 * HOUR_MS;

/** A key with its certificate. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
  readonly der: Uint8Array;
  /** `x5t#S256`. */
  readonly thumbprint: string;
}

/** Issues everything one run needs; nothing of it is trusted by anybody else. */
export interface BenchAuthority {
  readonly root: string;
  issue(name: string, purpose: Purpose): Identity;
}

/** A root of its own for one run, with P-256 keys throughout. */
export function createBenchAuthority(): BenchAuthority {
  const { privateKey, publicKey } = newKey();
  const subject: Subject = { country: 'XX', organisation: 'Portcullis Bench', commonName: 'Portcullis Bench Root' };
  const issuer: Issuer = { subject, key: privateKey };
  const root = issueCertificate({
    subject,
    publicKey,
    issuer,
    ...lifetime(),
    extensions: [authorityConstraints(undefined), keyUsage(['keyCertSign', 'cRLSign'])],
  });
  return { root, issue: (name, purpose) => issue(issuer, name, purpose) };
}

function issue(issuer: Issuer, commonName: string, purpose: Purpose): Identity {
  const { privateKey, publicKey } = newKey();
  const hosts = purpose === 'serverAuth' ? ['localhost', '127.0.0.1'] : [`${commonName}.example`];
  const certificate = issueCertificate({
    subject: { country: 'XX', organisation: `${commonName} Ltd`, commonName },
    publicKey,
    issuer,
    ...lifetime(),
    extensions: [
      leafConstraints(),
      keyUsage(['digitalSignature']),
      ...extendedKeyUsage([purpose]),
      ...alternativeNames({ hosts, uris: [] }),
    ],
  });
  const der = new X509Certificate(certificate).raw;
  return { certificate, key: pemOf(privateKey), der, thumbprint: hash('sha256', der, 'base64url') };
}

function newKey() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function lifetime() {
  const now = Date.now();
  return { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + LIFE_MS) };
}

/** The public half of a JWK as PEM, for programs that read nothing else. */
export function publicPem(jwk: Readonly<Record<string, unknown>>): string {
  return createPublicKey({ key: { ...jwk }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}
