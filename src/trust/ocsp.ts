import { type AlgorithmPolicy, isSignedBy, keyProblem, signatureProblem } from './algorithms.ts';
import type { Element } from './der.ts';
import { KEY_USAGE } from './extensions.ts';
import { Malformed } from './malformed.ts';
import { isCertId, keyHash } from './ocsp-identity.ts';
import { type OcspResponse, parseOcspResponse, type SingleResponse } from './ocsp-response.ts';
import { Unusable } from './unusable.ts';
import { ACTED_ON, type Certificate, unknownCritical } from './x509.ts';

/** What a responder said, and proved, of one certificate. */
export interface OcspAnswer {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly revokedAt: Date | undefined;
  readonly reason: number | undefined;
  readonly producedAt: Date;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  readonly nonce: 'matched' | 'absent';
  /** A delegated signer without id-pkix-ocsp-nocheck: its own revocation must be checked by CRL before the answer counts. */
  readonly signerToCheck: Certificate | undefined;
}

/** What a response is measured against (§9.2). */
export interface OcspExpectation {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  /** The nonce that was sent. */
  readonly nonce: Uint8Array | undefined;
  readonly nonceRequired: boolean;
  /** True: another process asked. The nonce in it is that one's, and proves nothing here. */
  readonly askedElsewhere?: boolean | undefined;
  /** How old `thisUpdate` may be when there is no `nextUpdate`. */
  readonly maximumAgeSeconds: number;
  readonly policy: AlgorithmPolicy;
  readonly now: Date;
}

/** Clocks of responders and ours may differ by this. */
export const SKEW_SECONDS = 300;
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';

/** Reads and judges a response. @throws Unusable for anything that is not a proven answer about exactly this certificate */
export function evaluateOcsp(der: Uint8Array, expected: OcspExpectation): OcspAnswer {
  const response = parseOcspResponse(der);
  const signer = signerOf(response, expected);
  checkSignature(response, signer, expected);
  const nonce = checkNonce(response, expected);
  const single = singleFor(response, expected);
  checkTimes(response, single, expected);
  const { status, revokedAt, reason, thisUpdate, nextUpdate } = single;
  const delegated = signer !== expected.issuer;
  const signerToCheck = delegated && !signer.ocspNoCheck ? signer : undefined;
  const { producedAt } = response;
  return { status, revokedAt, reason, producedAt, thisUpdate, nextUpdate, nonce, signerToCheck };
}

/** The issuer, or a certificate that the issuer itself issued for signing answers; found by responderID alone. */
function signerOf(response: OcspResponse, expected: OcspExpectation): Certificate {
  const { issuer } = expected;
  if (isResponder(issuer, response)) return issuer;
  const candidates = response.certificates.filter((item) => isResponder(item, response));
  const problems = candidates.map((candidate) => delegationProblem(candidate, expected));
  const signer = candidates.find((_, index) => problems[index] === undefined);
  if (signer !== undefined) return signer;
  throw new Unusable('ocsp_signer', problems.find((problem) => problem !== undefined) ?? 'the signer is not there');
}

function isResponder(certificate: Certificate, { responder }: OcspResponse): boolean {
  return 'name' in responder
    ? Buffer.compare(certificate.subject.der, responder.name) === 0
    : Buffer.compare(keyHash(certificate), responder.keyHash) === 0;
}

function delegationProblem(signer: Certificate, { issuer, policy, now }: OcspExpectation): string | undefined {
  if (Buffer.compare(signer.issuer.der, issuer.subject.der) !== 0) return 'the signer was issued by somebody else';
  const weak = signatureProblem(signer.signatureAlgorithm, policy) ?? keyProblem(signer.publicKeyInfo, policy);
  if (weak !== undefined) return weak;
  if (!isSignedBy(issuer.publicKeyInfo, signer.signatureAlgorithm, signer.tbs, signer.signature)) {
    return 'the signer was not issued by the authority of the certificate';
  }
  if (signer.extendedKeyUsages?.includes(OCSP_SIGNING) !== true) return 'the signer may not sign answers';
  if (now < signer.notBefore || now > signer.notAfter) return 'the signer is outside its validity';
  const { keyUsage } = signer;
  const signs =
    keyUsage === undefined || keyUsage.has(KEY_USAGE.digitalSignature) || keyUsage.has(KEY_USAGE.nonRepudiation);
  if (!signs) return 'the key usage of the signer does not allow signatures';
  return unknownCritical(signer, ACTED_ON).length > 0
    ? 'a critical extension of the signer is not understood'
    : undefined;
}

function checkSignature(response: OcspResponse, signer: Certificate, { policy }: OcspExpectation): void {
  const { algorithm, signed, signature } = response;
  const weak = signatureProblem(algorithm, policy) ?? keyProblem(signer.publicKeyInfo, policy);
  if (weak !== undefined) throw new Unusable('ocsp_signature', weak);
  if (!isSignedBy(signer.publicKeyInfo, algorithm, signed, signature)) {
    throw new Unusable('ocsp_signature', 'the signature does not verify');
  }
}

function checkNonce(response: OcspResponse, expected: OcspExpectation): 'matched' | 'absent' {
  const { nonce, nonceRequired, askedElsewhere = false } = expected;
  if (response.nonce === undefined || askedElsewhere) {
    if (nonceRequired) throw new Unusable('ocsp_nonce', 'the nonce is missing');
    return 'absent';
  }
  if (nonce === undefined || Buffer.compare(nonce, response.nonce) !== 0) {
    throw new Unusable('ocsp_nonce', 'the nonce is another one: a replayed answer');
  }
  return 'matched';
}

/** The statement about the certificate asked for; "revoked" wins, any other disagreement spoils the answer. */
function singleFor(response: OcspResponse, { certificate, issuer }: OcspExpectation): SingleResponse {
  const matching = response.singles.filter(({ certId }) => names(certId, certificate, issuer));
  const [first] = matching;
  if (first === undefined) throw new Unusable('ocsp_certid', 'the answer is about another certificate');
  const revoked = matching.find(({ status }) => status === 'revoked');
  if (revoked !== undefined) return revoked;
  if (matching.some(({ status }) => status !== first.status))
    throw new Unusable('ocsp_conflict', 'the answer contradicts itself');
  // Of several equal statements the oldest binds.
  return matching.reduce((oldest, item) => (item.thisUpdate < oldest.thisUpdate ? item : oldest));
}

function names(certId: Element, certificate: Certificate, issuer: Certificate): boolean {
  try {
    return isCertId(certId, certificate, issuer);
  } catch (cause) {
    if (cause instanceof Malformed) throw new Unusable('ocsp_syntax', cause.message, cause);
    throw cause;
  }
}

function checkTimes(response: OcspResponse, single: SingleResponse, { maximumAgeSeconds, now }: OcspExpectation): void {
  const skew = SKEW_SECONDS * 1000;
  const { thisUpdate, nextUpdate } = single;
  const soon = now.getTime() + skew;
  if (thisUpdate.getTime() > soon || response.producedAt.getTime() > soon) {
    throw new Unusable('ocsp_time', 'the answer is from the future');
  }
  if (nextUpdate === undefined) {
    const stale = now.getTime() - thisUpdate.getTime() >= maximumAgeSeconds * 1000;
    if (stale) throw new Unusable('ocsp_time', 'the answer has no end and is too old');
    return;
  }
  if (nextUpdate < thisUpdate) throw new Unusable('ocsp_time', 'the answer ends before it begins');
  // No tolerance here: an answer is never believed past its own end.
  if (nextUpdate <= now) throw new Unusable('ocsp_time', 'the answer is out of date');
}
