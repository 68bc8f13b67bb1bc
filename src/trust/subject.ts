import { canonicalAddress } from './alternative-names.ts';
import { sameName } from './name.ts';
import { parseNameText } from './name-text.ts';
import type { ClientCertificate } from './verdict.ts';

/** The client attributes RFC 8705 §2.1.2 allows to be registered, exactly one of them. */
export type SubjectProperty =
  | 'tls_client_auth_subject_dn'
  | 'tls_client_auth_san_dns'
  | 'tls_client_auth_san_uri'
  | 'tls_client_auth_san_ip'
  | 'tls_client_auth_san_email';

/** Structural comparison (RFC 4514, RFC 8705 §2.1.2), never by text; an unknown property is false. */
export type SubjectMatches = (certificate: ClientCertificate, property: string, expected: string) => boolean;

/** Compares what a client registered with what its certificate says. */
export const subjectMatches: SubjectMatches = (certificate, property, expected) => {
  switch (property) {
    case 'tls_client_auth_subject_dn':
      return sameSubject(certificate.subject, expected);
    case 'tls_client_auth_san_dns':
      return certificate.dnsNames.some((name) => sameHost(name, expected));
    case 'tls_client_auth_san_uri':
      return expected !== '' && certificate.uris.includes(expected);
    case 'tls_client_auth_san_ip':
      return certificate.ipAddresses.includes(canonicalAddress(expected) ?? '');
    case 'tls_client_auth_san_email':
      return certificate.emails.some((email) => sameEmail(email, expected));
    default:
      return false;
  }
};

function sameSubject(subject: string, expected: string): boolean {
  const actual = parseNameText(subject);
  const wanted = parseNameText(expected);
  return actual !== undefined && wanted !== undefined && sameName(actual, wanted);
}

/** A wildcard or a trailing dot names no single client (attack 27). */
function sameHost(name: string, expected: string): boolean {
  const single = expected !== '' && !expected.startsWith('*') && !expected.endsWith('.');
  return single && name.toLowerCase() === expected.toLowerCase();
}

/** The local part is its owner's business, the domain is not case-sensitive (RFC 5280 §7.5). */
function sameEmail(email: string, expected: string): boolean {
  const [local, domain] = split(email);
  const [wantedLocal, wantedDomain] = split(expected);
  return local !== '' && local === wantedLocal && domain.toLowerCase() === wantedDomain.toLowerCase();
}

function split(email: string): readonly [string, string] {
  const at = email.lastIndexOf('@');
  return at < 1 ? ['', ''] : [email.slice(0, at), email.slice(at + 1)];
}
