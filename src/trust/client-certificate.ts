import { textOfAddress } from './alternative-names.ts';
import { valuesOf } from './name.ts';
import { textOfName } from './name-text.ts';
import { pemOfCertificate } from './pem.ts';
import type { ClientCertificate } from './verdict.ts';
import { type Certificate, serialText } from './x509.ts';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION_IDENTIFIER = '2.5.4.97';

/** What other rooms see of a certificate. */
export function clientCertificateOf(certificate: Certificate, roles: readonly string[] | undefined): ClientCertificate {
  const { der, thumbprint, serial, subject, issuer, notBefore, notAfter, spkiSha256, alternativeNames } = certificate;
  return {
    der,
    pem: pemOfCertificate(der),
    thumbprint,
    subject: textOfName(subject.rdns),
    issuer: textOfName(issuer.rdns),
    serial: serialText(serial),
    notBefore,
    notAfter,
    dnsNames: alternativeNames.dnsNames,
    uris: alternativeNames.uris,
    emails: alternativeNames.emails,
    ipAddresses: alternativeNames.ipAddresses.map(textOfAddress),
    spkiSha256,
    organizationIdentifier: organizationIdentifierOf(certificate),
    commonName: valuesOf(subject, COMMON_NAME)[0],
    roles,
  };
}

/** organizationIdentifier of the subject (EN 319 412-1 §5.1.4); the strict reader allows one at most. */
export function organizationIdentifierOf({ subject }: Certificate): string | undefined {
  return valuesOf(subject, ORGANIZATION_IDENTIFIER)[0];
}
