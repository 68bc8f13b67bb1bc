import { hash, X509Certificate } from 'node:crypto';
import { oid } from '../../authority/der.ts';
import { expectElement, NotDer, readElements, readOnly } from '../../authority/status/der-reader.ts';

/** What a competent authority let a third party do, as its certificate says it (ETSI TS 119 495 §5). */
export interface Psd2Statement {
  /** As the standard writes them: `PSP_AI` reads accounts, `PSP_PI` begins payments. */
  readonly roles: readonly string[];
  readonly authority: string;
  readonly authorityId: string;
}

/** A certificate in fields. */
export interface CertificateFields {
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, as the issuer numbered it. */
  readonly serial: string;
  /** ISO 8601. */
  readonly validFrom: string;
  readonly validUntil: string;
  /** The name of the subject alone. */
  readonly name: string;
  readonly organisationIdentifier: string | undefined;
  /** Undefined when there is none; `unreadable` when there is one that is not what the standard says. */
  readonly psd2: Psd2Statement | 'unreadable' | undefined;
  readonly key: string;
  /** SHA-256 of the whole certificate, once as people compare it and once as tokens name it (RFC 8705 §3.1). */
  readonly thumbprint: { readonly hex: string; readonly x5tS256: string };
}

/** Tags of DER, as far as they are needed here. */
const [SEQUENCE, OCTET_STRING, UTF8_STRING, EXTENSIONS] = [0x30, 0x04, 0x0c, 0xa3];
const QC_STATEMENTS = oid('1.3.6.1.5.5.7.1.3');
const PSD2_STATEMENT = oid('0.4.0.19495.2');

/** Reads the first certificate of a PEM; what stands behind it is the chain that is sent along. @throws Error when it is none */
export function readCertificate(pem: string): CertificateFields {
  const certificate = new X509Certificate(pem);
  const { raw, publicKey, validFromDate, validToDate } = certificate;
  const subject = new Map<string, unknown>(Object.entries(certificate.toLegacyObject().subject));
  const textOf = (field: string) => {
    const value = subject.get(field);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serial: certificate.serialNumber,
    validFrom: validFromDate.toISOString(),
    validUntil: validToDate.toISOString(),
    name: textOf('CN') ?? oneLine(certificate.subject),
    organisationIdentifier: textOf('organizationIdentifier'),
    psd2: psd2In(raw),
    key: describeKey(publicKey.asymmetricKeyType, publicKey.asymmetricKeyDetails),
    thumbprint: { hex: hash('sha256', raw, 'hex'), x5tS256: hash('sha256', raw, 'base64url') },
  };
}

/** Node writes one part of a name on each line. */
function oneLine(name: string): string {
  return name.split('\n').join(', ');
}

function describeKey(
  type: string | undefined,
  details: { readonly modulusLength?: number; readonly namedCurve?: string } = {},
): string {
  const size = details.modulusLength === undefined ? details.namedCurve : `${details.modulusLength} bits`;
  return [type?.toUpperCase(), size].filter((part) => part !== undefined).join(', ');
}

/** Node reads no extension that it does not know, so this one is read from the encoding. */
function psd2In(certificate: Buffer): CertificateFields['psd2'] {
  try {
    const statements = extensionsOf(certificate).find(([id]) => id?.encoded.equals(QC_STATEMENTS));
    if (statements === undefined) return undefined;
    // Between id and value there may be a "critical".
    const value = readOnly(expectElement(statements.at(-1), OCTET_STRING).content, SEQUENCE);
    const psd2 = sequencesIn(value.content).find(([id]) => id?.encoded.equals(PSD2_STATEMENT));
    return psd2 === undefined ? undefined : readStatement(expectElement(psd2[1], SEQUENCE).content);
  } catch (cause) {
    if (cause instanceof NotDer) return 'unreadable';
    throw cause;
  }
}

/** Certificate → tbsCertificate → [3] extensions (RFC 5280 §4.1). */
function extensionsOf(certificate: Buffer) {
  const [signed] = readElements(readOnly(certificate, SEQUENCE).content);
  const extensions = readElements(expectElement(signed, SEQUENCE).content).find(({ tag }) => tag === EXTENSIONS);
  return extensions === undefined ? [] : sequencesIn(readOnly(extensions.content, SEQUENCE).content);
}

function sequencesIn(octets: Buffer) {
  return readElements(octets).map((element) => readElements(expectElement(element, SEQUENCE).content));
}

/** PSD2QcType: RolesOfPSP, NCAName, NCAId (ETSI TS 119 495 §5.1). Every role is an id and a name. */
function readStatement(octets: Buffer): Psd2Statement {
  const [roles, authority, authorityId] = readElements(octets);
  return {
    roles: sequencesIn(expectElement(roles, SEQUENCE).content).map(([, name]) => textIn(name)),
    authority: textIn(authority),
    authorityId: textIn(authorityId),
  };
}

function textIn(element: Parameters<typeof expectElement>[0]): string {
  return expectElement(element, UTF8_STRING).content.toString('utf8');
}
