import { type AlgorithmPolicy, isSignedByAsync, keyProblem, signatureProblem } from './algorithms.ts';
import { indexEntries, type SerialIndex } from './crl-index.ts';
import { type CrlEntry, type CrlScope, parseCrl } from './crl-syntax.ts';
import { KEY_USAGE } from './extensions.ts';
import { SKEW_SECONDS } from './ocsp.ts';
import { Unusable } from './unusable.ts';
import type { Certificate } from './x509.ts';

/** A list that its issuer signed, ready to be asked. */
export interface Crl {
  /** DER of the issuer's name, and SHA-256 of the key that verified the signature. */
  readonly issuer: Uint8Array;
  readonly issuerSpkiSha256: string;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly number: bigint | undefined;
  readonly scope: CrlScope;
  readonly entries: SerialIndex;
}

/** Reads a list and verifies that `issuer` signed it (§9.3). Times are judged when it is asked. @throws Unusable */
export async function openCrl(der: Uint8Array, issuer: Certificate, policy: AlgorithmPolicy): Promise<Crl> {
  const frame = parseCrl(der);
  if (Buffer.compare(frame.issuer, issuer.subject.der) !== 0)
    throw new Unusable('crl_issuer', 'a list of another issuer');
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.has(KEY_USAGE.cRLSign)) {
    throw new Unusable('crl_issuer', 'the issuer may not sign lists');
  }
  const weak = signatureProblem(frame.algorithm, policy) ?? keyProblem(issuer.publicKeyInfo, policy);
  if (weak !== undefined) throw new Unusable('crl_signature', weak);
  if (!(await isSignedByAsync(issuer.publicKeyInfo, frame.algorithm, frame.signed, frame.signature))) {
    throw new Unusable('crl_signature', 'the signature of the list does not verify');
  }
  const { thisUpdate, nextUpdate, scope } = frame;
  const number = frame.number === undefined ? undefined : numberOf(frame.number);
  const entries = await indexEntries(frame.entries);
  const { spkiSha256: issuerSpkiSha256 } = issuer;
  return { issuer: frame.issuer, issuerSpkiSha256, thisUpdate, nextUpdate, number, scope, entries };
}

function numberOf(octets: Uint8Array): bigint {
  const [sign = 0x80] = octets;
  if (sign >= 0x80) throw new Unusable('crl_syntax', 'a CRL number below zero');
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`);
}

/** @throws Unusable when the list does not speak of this moment. */
export function checkCrlTimes({ thisUpdate, nextUpdate }: Crl, now: Date): void {
  const skew = SKEW_SECONDS * 1000;
  if (thisUpdate.getTime() > now.getTime() + skew) throw new Unusable('crl_time', 'the list is from the future');
  if (nextUpdate <= now) throw new Unusable('crl_time', 'the list is out of date');
  if (nextUpdate < thisUpdate) throw new Unusable('crl_time', 'the list ends before it begins');
}

/** @throws Unusable when the list may leave this certificate out on purpose. */
export function checkCrlScope({ scope }: Crl, certificate: Certificate): void {
  const authority = certificate.basicConstraints?.authority === true;
  if (authority ? scope.onlyUsers : scope.onlyAuthorities)
    throw new Unusable('crl_scope', 'a list of other certificates');
  if (scope.urls === undefined) return;
  const named = new Set(certificate.distributionPoints.flatMap(({ urls }) => urls));
  if (!scope.urls.some((url) => named.has(url)))
    throw new Unusable('crl_scope', 'a list of another distribution point');
}

/** The entry of a certificate in a list of its issuer. */
export function findInCrl(crl: Crl, certificate: Certificate): CrlEntry | undefined {
  return crl.entries.find(certificate.serial);
}

/** CRLReason certificateHold: revoked now, and perhaps not tomorrow. */
export const CERTIFICATE_HOLD = 6;
