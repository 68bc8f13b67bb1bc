import { Refusal } from '../platform/refusal.ts';
import { textOfName } from './name-text.ts';
import type { DetailCode } from './reasons.ts';
import type { CertificateFault, CertificateVerdict } from './verdict.ts';
import { type Certificate, serialText } from './x509.ts';

const ENCODING = ['parse', 'one X.509 certificate, version 3, in canonical DER with well-formed fields'] as const;
const ISSUED = 'a chain whose every signature was made by the authority that the certificate names';
const STATEMENT = 'a PSD2 statement as TS 119 495 clause 5 writes it';
const HEADER = 'the configured header once, in the configured form, with the certificate of this very connection';
const PROXY = 'certificate headers from the configured proxy alone, which proves itself';
const NAMED =
  'a responder or list, named by the certificate over http, that gives a current and properly signed answer';

type Known = readonly [check: CertificateFault['check'], expected: string];

/** What would have been right, by code; codes that are not here come from the strict reader. */
const EXPECTED: Readonly<Partial<Record<DetailCode, Known>>> = {
  certificate_absent: ['presentation', 'a client certificate in the handshake, or from the configured proxy'],
  session_resumed: ['presentation', 'a full handshake: a resumed session proves no certificate'],
  header_untrusted_source: ['presentation', PROXY],
  header_duplicate: ['presentation', HEADER],
  header_malformed: ['presentation', HEADER],
  header_no_certificate: ['presentation', HEADER],
  header_inconsistent: ['presentation', HEADER],
  header_too_large: ['presentation', HEADER],
  scheme_missing: ['path', 'a bank that trusts certificates'],
  issuer_unknown: ['path', 'a chain that ends at an anchor of this bank, with every intermediate sent along'],
  path_signature: ['path', ISSUED],
  not_a_ca: ['path', 'issuers with basicConstraints cA and key usage keyCertSign'],
  path_length: ['path', 'no more authorities below one than its pathLenConstraint allows'],
  path_budget: ['path', 'a chain of five certificates at most, without cross-signed loops'],
  chain_too_long: ['path', 'the certificate and its intermediates alone'],
  name_constraint: ['path', 'names inside the name constraints of every authority above'],
  critical_extension: ['path', 'no critical extension but those that are acted on'],
  algorithm_policy: ['path', 'a key and signature of the kinds and sizes that the policy of the bank lists'],
  anchor_not_granted: ['path', 'an authority whose status was granted at issuance and is granted now'],
  trusted_list_expired: ['path', 'a trusted list that is within its time'],
  trusted_list_missing: ['path', 'an anchor of the bank, or a trusted list that is at hand'],
  expired: ['path', 'a certificate whose notAfter has not passed'],
  not_yet_valid: ['path', 'a certificate whose notBefore has passed'],
  key_usage: ['purpose', 'the key usages that the bank asks for; digitalSignature where it asks for none'],
  eku: ['purpose', 'the extended key usages that the bank asks for, in the certificate and allowed by its authorities'],
  qc_type: ['purpose', 'QcType web for transport, eseal for seals'],
  qc_missing: ['purpose', 'QcStatements'],
  not_qualified: ['purpose', 'QcCompliance, and no legislation of another country'],
  psd2_missing: ['purpose', 'a PSD2 statement with roles'],
  qc_syntax: ['purpose', 'QcStatements as RFC 3739 and EN 319 412-5 write them'],
  qc_duplicate: ['purpose', 'each QcStatement once'],
  roles_empty: ['purpose', 'a role in the PSD2 statement'],
  roles_encoding: ['purpose', STATEMENT],
  role_unknown: ['purpose', STATEMENT],
  role_mismatch: ['purpose', 'role names that belong to their object identifiers'],
  nca_name: ['purpose', 'the name of the competent authority in Latin letters'],
  nca_format: ['purpose', 'a country and a code of the competent authority, such as XX-NCA'],
  nca_mismatch: ['purpose', 'one authority in the PSD2 statement and in the organizationIdentifier'],
  orgid_missing: ['purpose', 'an organizationIdentifier (2.5.4.97) in the subject'],
  orgid_format: ['purpose', 'an organizationIdentifier of the form that the bank asks for'],
  denied: ['deny list', 'a certificate, key and authorities that the bank has not denied'],
  revoked: ['revocation', 'a certificate that its issuer has not withdrawn'],
  ca_revoked: ['revocation', 'authorities that their issuers have not withdrawn'],
  revocation_unknown: ['revocation', 'a certificate that its responder knows'],
  revocation_unavailable: ['revocation', NAMED],
  revocation_info_missing: ['revocation', 'an OCSP responder or a distribution point of lists in the certificate'],
};

/** The fault behind a code, at the certificate that failed. */
export function faultOf(code: DetailCode, at: Certificate | undefined): CertificateFault {
  const [check, expected] = EXPECTED[code] ?? ENCODING;
  if (at === undefined) return { check, expected, certificate: undefined };
  const { subject, serial, thumbprint } = at;
  return {
    check,
    expected,
    certificate: { subject: textOfName(subject.rdns), serial: serialText(serial), thumbprint },
  };
}

/** Small facts of a verdict for the audit record: a request names its certificate and how it was cleared, or why it was not. */
export function verdictFacts(verdict: CertificateVerdict | undefined): Readonly<Record<string, string | null>> {
  if (verdict === undefined) return { thumbprint: null, revocation: null };
  const thumbprint = verdict.certificate?.thumbprint ?? null;
  if (verdict.ok) return { thumbprint, revocation: verdict.revocation?.method ?? 'off' };
  const { certificate, fault } = verdict;
  return {
    thumbprint,
    subject: certificate?.subject ?? null,
    issuer: certificate?.issuer ?? null,
    serial: certificate?.serial ?? null,
    certificateCheck: fault?.check ?? null,
    failedSubject: fault?.certificate?.subject ?? null,
    failedSerial: fault?.certificate?.serial ?? null,
    failedThumbprint: fault?.certificate?.thumbprint ?? null,
    expected: fault?.expected ?? null,
  };
}

/** A refused certificate on its way to the caller, who learns the sentence alone; the record gets the rest. */
export class CertificateRefusal extends Refusal {
  readonly verdict: RefusedVerdict;

  /** A header in another form is a bad request; everything else is a caller without proof. */
  constructor(verdict: RefusedVerdict) {
    super(verdict.reason, verdict.reason === 'header_invalid' ? 400 : 401, verdict.message, { detail: verdict.detail });
    this.verdict = verdict;
  }
}

type RefusedVerdict = Extract<CertificateVerdict, { ok: false }>;

/** The facts for the record of a refusal; none when it was not about a certificate. */
export function refusalFacts(refusal: Refusal): Readonly<Record<string, string | null>> {
  return refusal instanceof CertificateRefusal ? verdictFacts(refusal.verdict) : {};
}
