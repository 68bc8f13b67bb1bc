/** Why a certificate was refused, as callers may know it (acceptance.md §1.3). */
export type CertificateReason =
  | 'certificate_missing'
  | 'certificate_malformed'
  | 'certificate_untrusted'
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'certificate_revoked'
  | 'revocation_unavailable'
  | 'revocation_unknown'
  | 'revocation_info_missing'
  | 'certificate_not_qualified'
  | 'certificate_wrong_purpose'
  | 'header_invalid';

/** A certificate that the strict reader accepted: every field the checks need, read once. */
export interface ClientCertificate {
  readonly der: Uint8Array;
  readonly pem: string;
  /** `x5t#S256`: unpadded base64url SHA-256 over exactly the accepted DER (RFC 8705 §3.1), 43 characters. */
  readonly thumbprint: string;
  /** Subject and issuer as RFC 4514 text, escaped for output. */
  readonly subject: string;
  readonly issuer: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly emails: readonly string[];
  readonly ipAddresses: readonly string[];
  /** SHA-256 of the SubjectPublicKeyInfo, base64url: deny lists go by key and by (issuer, serial), never by thumbprint. */
  readonly spkiSha256: string;
  /** organizationIdentifier (2.5.4.97), such as `PSDGB-OB-…`. */
  readonly organizationIdentifier: string | undefined;
  readonly commonName: string | undefined;
  /** PSD2 roles of the QcStatements, by the names this platform uses: AISP, PISP, CBPII, ASPSP. Undefined: no PSD2 statement. */
  readonly roles: readonly string[] | undefined;
}

/**
 * The answer that cleared a certificate; `soft` when there was none and the caller said that none is needed, `proxy` when the
 * proxy before the door has asked.
 */
export interface RevocationEvidence {
  readonly method: 'ocsp' | 'crl' | 'soft' | 'proxy';
  readonly thisUpdate: Date | undefined;
  readonly nextUpdate: Date | undefined;
  readonly nonce: 'matched' | 'absent' | undefined;
}

/** What a refusal is about, for the audit record; never told to the caller. */
export interface CertificateFault {
  /** The step that refused. */
  readonly check: 'presentation' | 'parse' | 'path' | 'purpose' | 'deny list' | 'revocation';
  /** The certificate that failed, the caller's own or one above it; undefined when none could be read, or no single one is to blame. */
  readonly certificate: { readonly subject: string; readonly serial: string; readonly thumbprint: string } | undefined;
  /** What would have been right. */
  readonly expected: string;
}

/** What trust says of a certificate, for one bank, at one moment. Absence of anything is refusal. */
export type CertificateVerdict =
  | {
      readonly ok: true;
      readonly certificate: ClientCertificate;
      readonly validUntil: Date;
      /** How it is known that the certificate was not withdrawn; absent when the scheme does not ask. */
      readonly revocation?: RevocationEvidence | undefined;
    }
  | {
      readonly ok: false;
      readonly reason: CertificateReason;
      /** The finer code of certificates.md §19, for the audit record: `signature_invalid`, `path_length`, `der_length`… */
      readonly detail: string;
      /** A sentence that is safe for the caller and says what to change. */
      readonly message: string;
      /** Present when the certificate could be read. */
      readonly certificate: ClientCertificate | undefined;
      readonly fault?: CertificateFault | undefined;
    };
