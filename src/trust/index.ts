import type { IncomingMessage } from 'node:http';
import type { TrustScheme } from './scheme.ts';
import type { CertificateVerdict } from './verdict.ts';

export type { CertificateUse, TrustScheme } from './scheme.ts';
export { type SignedJwtExpectation, verifySignedJwt } from './signed-jwt.ts';
export { type SubjectMatches, type SubjectProperty, subjectMatches } from './subject.ts';
export { createTrust, type TrustLog, type TrustOptions } from './trust.ts';
export type { CertificateReason, CertificateVerdict, ClientCertificate } from './verdict.ts';

/** Certificates judged. */
export interface Trust {
  /**
   * The verdict over the client certificate of this request, from the TLS socket (later: the configured proxy's header).
   * Evaluated per request, never per handshake; cached by thumbprint until `validUntil`. Never throws for a bad certificate.
   */
  clientCertificate(request: IncomingMessage, bank: string): Promise<CertificateVerdict>;
  /** The same for a chain at hand, leaf first, DER. */
  judge(chain: readonly Uint8Array[], bank: string): Promise<CertificateVerdict>;
  /** Replaces a bank's anchors without restart; cached verdicts of that bank are dropped. @throws Error naming the bad entry. */
  replaceScheme(bank: string, scheme: TrustScheme): void;
}
