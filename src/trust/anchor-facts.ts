import { KEY_USAGE } from './extensions.ts';
import { Malformed } from './malformed.ts';
import { textOfName } from './name-text.ts';
import { pemOfCertificate } from './pem.ts';
import { parseCertificate } from './x509.ts';

/** A certificate that could be an anchor, or that signs lists of anchors: what is told of it. */
export interface AnchorFacts {
  readonly pem: string;
  /** RFC 4514 text, escaped for output. */
  readonly subject: string;
  /** SHA-256 of the certificate, base64url. */
  readonly thumbprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo, base64url. */
  readonly spkiSha256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** False: it may not issue certificates, so it is no anchor. */
  readonly authority: boolean;
}

/** Reads a certificate as anchors are read; undefined when it cannot be read, so that it can be left out. */
export function findAnchorFacts(der: Uint8Array): AnchorFacts | undefined {
  try {
    const certificate = parseCertificate(der, { anchor: true });
    const { version, basicConstraints, keyUsage, thumbprint, spkiSha256, notBefore, notAfter } = certificate;
    const issues = basicConstraints?.authority === true && keyUsage?.has(KEY_USAGE.keyCertSign) === true;
    return {
      pem: pemOfCertificate(certificate.der),
      subject: textOfName(certificate.subject.rdns),
      thumbprint,
      spkiSha256,
      notBefore,
      notAfter,
      authority: version === 1 || issues,
    };
  } catch (cause) {
    if (cause instanceof Malformed) return undefined;
    throw cause;
  }
}
