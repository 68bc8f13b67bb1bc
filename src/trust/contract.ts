import type { IncomingMessage } from 'node:http';
import type { DeniedCertificate } from './deny-list.ts';
import type { Explanation } from './explain.ts';
import type { AnchorChange, TrustScheme } from './scheme.ts';
import type { CertificateVerdict } from './verdict.ts';

/** What a caller may ask of one judgement. */
export interface JudgeOptions {
  /** `soft`: go on when no source of revocation answers, for APIs that only read. "revoked" and "unknown" refuse still. */
  readonly revocation?: 'strict' | 'soft' | undefined;
}

/** Certificates judged. */
export interface Trust {
  /**
   * The verdict over the client certificate of this request, from the TLS socket, or from the header of the door's one
   * configured proxy; certificate headers are deleted from the request.
   * Evaluated per request, never per handshake; cached by the whole chain until `validUntil`, and given
   * at once when at hand. Never throws for a bad certificate.
   */
  clientCertificate(
    request: IncomingMessage,
    bank: string,
    options?: JudgeOptions,
  ): CertificateVerdict | Promise<CertificateVerdict>;
  /** The same for a chain at hand, leaf first, DER. */
  judge(chain: readonly Uint8Array[], bank: string, options?: JudgeOptions): Promise<CertificateVerdict>;
  /** Replaces a bank's anchors without restart; cached verdicts of that bank are dropped. @throws Error naming the bad entry. */
  replaceScheme(bank: string, scheme: TrustScheme): void;
  /**
   * Replaces the anchors of a bank that are named, and leaves everything else of its scheme: configured files and trusted
   * lists change each without the other. In force from the next request on, also over connections that are open. A bank
   * without any anchor left lets nobody in. @throws Error naming the bad entry, or the bank that does not exist; the former
   * anchors then stay in force
   */
  replaceAnchors(bank: string, change: AnchorChange): void;
  /**
   * Replaces what a bank denies beside its scheme; in force from the next request on, also over connections that are open.
   * @throws Error naming the entry that cannot be read, or the bank that does not exist; the former list then stays in force
   */
  replaceDenied(bank: string, denied: readonly DeniedCertificate[]): void;
}

/** The room as the composition root holds it. */
export interface TrustRoom extends Trust {
  /** The analysis behind `certificate explain`: every check on its own. @throws Error for a bank that does not exist */
  explain(chain: readonly Uint8Array[], bank: string): Promise<Explanation>;
  /**
   * Forgets every verdict and every answer about revocation, here and in all processes: what was withdrawn just now is
   * refused from the next request on. @throws Error when the other processes could not be told; this one has forgotten
   */
  forget(): Promise<void>;
  /** Removes shared answers that are of no use any more, a bounded batch, and counts them. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}
