import type { AlgorithmPolicy } from './algorithms.ts';
import type { CompiledRevocation } from './revocation-settings.ts';
import type { Certificate } from './x509.ts';

/** Whether a certificate was withdrawn, and how that is known (§9.1). Everything but `good` is refused. */
export interface RevocationStatus {
  readonly state: 'good' | 'revoked' | 'unknown' | 'unavailable' | 'info_missing';
  readonly method: 'ocsp' | 'crl' | undefined;
  /** False while a certificate is only on hold. */
  readonly permanent: boolean;
  readonly thisUpdate: Date | undefined;
  readonly nextUpdate: Date | undefined;
  readonly nonce: 'matched' | 'absent' | undefined;
  /** Until when nothing new is to be expected. */
  readonly validUntil: Date;
  /** Answers that did not count, by code. */
  readonly problems: readonly string[];
}

/** One question: a certificate and the authority above it in a valid path. */
export interface RevocationQuestion {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly policy: AlgorithmPolicy;
  readonly settings: CompiledRevocation;
}
