import type { IncomingMessage } from 'node:http';
import type { CertificateVerdict, ClientCertificate } from './verdict.ts';

export type { CertificateReason, CertificateVerdict, ClientCertificate } from './verdict.ts';

/** Which certificates a bank trusts, and how strictly: data of the configuration and the regime. */
export interface TrustScheme {
  /** PEM certificates of the anchors: roots or issuing CAs. */
  readonly anchors: readonly string[];
  /** Purpose OIDs or names the leaf's EKU must contain; empty when the scheme does not ask. Default: clientAuth. */
  readonly extendedKeyUsages: readonly string[];
}

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

/** The client attributes RFC 8705 §2.1.2 allows to be registered, exactly one of them. */
export type SubjectProperty =
  | 'tls_client_auth_subject_dn'
  | 'tls_client_auth_san_dns'
  | 'tls_client_auth_san_uri'
  | 'tls_client_auth_san_ip'
  | 'tls_client_auth_san_email';

/** Structural comparison (RFC 4514, RFC 8705 §2.1.2), never by text; an unknown property is false. */
export type SubjectMatches = (certificate: ClientCertificate, property: string, expected: string) => boolean;
