import type { IncomingMessage } from 'node:http';
import type { Explanation } from './explain.ts';
import type { TrustScheme } from './scheme.ts';
import type { CertificateVerdict } from './verdict.ts';

export type { DeniedCertificate } from './deny-list.ts';
export type { CertificateFields, ExplainedCheck, Explanation } from './explain.ts';
export type { TrustLog, TrustObservation } from './observation.ts';
export { certificatesOfPem } from './pem.ts';
export type { RevocationOrder, RevocationSettings } from './revocation-settings.ts';
export type { CertificateUse, TrustScheme } from './scheme.ts';
export { type SignedJwtExpectation, verifySignedJwt } from './signed-jwt.ts';
export { type SubjectMatches, type SubjectProperty, subjectMatches } from './subject.ts';
export { createTrust, type TrustOptions } from './trust.ts';
export type { CertificateReason, CertificateVerdict, ClientCertificate, RevocationEvidence } from './verdict.ts';

/** What a caller may ask of one judgement. */
export interface JudgeOptions {
  /** `soft`: go on when no source of revocation answers, for APIs that only read. "revoked" and "unknown" refuse still. */
  readonly revocation?: 'strict' | 'soft' | undefined;
}

/** Certificates judged. */
export interface Trust {
  /**
   * The verdict over the client certificate of this request, from the TLS socket (later: the configured proxy's header).
   * Evaluated per request, never per handshake; cached by thumbprint until `validUntil`. Never throws for a bad certificate.
   */
  clientCertificate(request: IncomingMessage, bank: string, options?: JudgeOptions): Promise<CertificateVerdict>;
  /** The same for a chain at hand, leaf first, DER. */
  judge(chain: readonly Uint8Array[], bank: string, options?: JudgeOptions): Promise<CertificateVerdict>;
  /** Replaces a bank's anchors without restart; cached verdicts of that bank are dropped. @throws Error naming the bad entry. */
  replaceScheme(bank: string, scheme: TrustScheme): void;
}

/** The room as the composition root holds it. */
export interface TrustRoom extends Trust {
  /** The analysis behind `certificate explain`: every check on its own. @throws Error for a bank that does not exist */
  explain(chain: readonly Uint8Array[], bank: string): Promise<Explanation>;
  /** Forgets every verdict and every answer about revocation: what was withdrawn just now is refused from the next request on. */
  forget(): void;
  close(): Promise<void>;
}
