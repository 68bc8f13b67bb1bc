import { createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { bitString, explicit, integer, oid, printable, sequence, set, time, utf8 } from './der.ts';
import { extensionList, keyIdentifiers, type StatusAddresses, statusAddresses } from './extensions.ts';

/** Who a certificate names. */
export interface Subject {
  readonly country: string;
  readonly organisation: string;
  /** `PSDXX-SANDBOX-…` (ETSI EN 319 412-1 §5.1.4). */
  readonly organisationIdentifier?: string;
  readonly commonName: string;
}

/** What goes into a certificate. */
export interface CertificateRequest {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly issuer: Issuer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Beside the key identifiers, which every certificate has. */
  readonly extensions: readonly Uint8Array[];
}

/** Who signs. */
export interface Issuer {
  readonly subject: Subject;
  /** An EC P-256 private key. */
  readonly key: KeyObject;
  /** Written into what it issues, where somebody answers there. */
  readonly status?: StatusAddresses | undefined;
}

const VERSION_3 = explicit(0, integer(Buffer.from([2])));
/** AlgorithmIdentifier of every signature here. */
export const ECDSA_WITH_SHA256: Buffer = sequence(oid('1.2.840.10045.4.3.2'));
const RANDOM_SERIAL_OCTETS = 16;

/** Signs a certificate (RFC 5280 §4.1) and gives it as PEM. */
export function issueCertificate(request: CertificateRequest): string {
  const issuerPublicKey = createPublicKey(request.issuer.key);
  const body = sequence(
    VERSION_3,
    integer(randomBytes(RANDOM_SERIAL_OCTETS)),
    ECDSA_WITH_SHA256,
    distinguishedName(request.issuer.subject),
    sequence(time(request.notBefore), time(request.notAfter)),
    distinguishedName(request.subject),
    request.publicKey.export({ type: 'spki', format: 'der' }),
    extensionList([
      ...keyIdentifiers(request.publicKey, issuerPublicKey),
      ...request.extensions,
      ...statusAddresses(request.issuer.status),
    ]),
  );
  const signature = sign('sha256', body, request.issuer.key);
  return pem(sequence(body, ECDSA_WITH_SHA256, bitString(signature)));
}

/** A Name (RFC 5280 §4.1.2.4). */
export function distinguishedName(subject: Subject): Buffer {
  const { organisationIdentifier } = subject;
  return sequence(
    attribute('2.5.4.6', printable(subject.country)),
    attribute('2.5.4.10', utf8(subject.organisation)),
    ...(organisationIdentifier === undefined ? [] : [attribute('2.5.4.97', utf8(organisationIdentifier))]),
    attribute('2.5.4.3', utf8(subject.commonName)),
  );
}

function attribute(id: string, value: Uint8Array): Buffer {
  return set(sequence(oid(id), value));
}

function pem(der: Uint8Array): string {
  return new X509Certificate(der).toString();
}
