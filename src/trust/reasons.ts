import type { HeaderCode } from './header-problem.ts';
import type { MalformedCode } from './malformed.ts';
import type { PathCode } from './path.ts';
import type { QcCode } from './qc-statements.ts';
import type { CertificateReason } from './verdict.ts';

/** The finer codes of certificates.md §19, each with the reason that callers know it by (acceptance.md §1.3). */
export type DetailCode =
  | MalformedCode
  | PathCode
  | QcCode
  | 'certificate_absent'
  | 'session_resumed'
  | 'scheme_missing'
  | 'trusted_list_missing'
  | 'key_usage'
  | 'eku'
  | 'denied'
  | 'revoked'
  | 'ca_revoked'
  | 'revocation_unknown'
  | 'revocation_unavailable'
  | 'revocation_info_missing'
  | 'header_untrusted_source'
  | HeaderCode;

const OTHER: Readonly<Record<Exclude<DetailCode, MalformedCode>, CertificateReason>> = {
  certificate_absent: 'certificate_missing',
  session_resumed: 'certificate_missing',
  scheme_missing: 'certificate_untrusted',
  header_untrusted_source: 'certificate_missing',
  header_duplicate: 'certificate_malformed',
  header_malformed: 'certificate_malformed',
  header_no_certificate: 'certificate_malformed',
  header_inconsistent: 'certificate_malformed',
  header_too_large: 'certificate_malformed',
  issuer_unknown: 'certificate_untrusted',
  path_signature: 'certificate_untrusted',
  not_a_ca: 'certificate_untrusted',
  path_length: 'certificate_untrusted',
  path_budget: 'certificate_untrusted',
  name_constraint: 'certificate_untrusted',
  critical_extension: 'certificate_untrusted',
  algorithm_policy: 'certificate_untrusted',
  anchor_not_granted: 'certificate_untrusted',
  trusted_list_expired: 'certificate_untrusted',
  trusted_list_missing: 'certificate_untrusted',
  chain_too_long: 'certificate_untrusted',
  expired: 'certificate_expired',
  not_yet_valid: 'certificate_not_yet_valid',
  key_usage: 'certificate_wrong_purpose',
  eku: 'certificate_wrong_purpose',
  qc_type: 'certificate_wrong_purpose',
  denied: 'certificate_revoked',
  revoked: 'certificate_revoked',
  ca_revoked: 'certificate_revoked',
  revocation_unknown: 'revocation_unknown',
  revocation_unavailable: 'revocation_unavailable',
  revocation_info_missing: 'revocation_info_missing',
  qc_missing: 'certificate_not_qualified',
  not_qualified: 'certificate_not_qualified',
  psd2_missing: 'certificate_not_qualified',
  qc_syntax: 'certificate_malformed',
  qc_duplicate: 'certificate_malformed',
  roles_empty: 'certificate_malformed',
  roles_encoding: 'certificate_malformed',
  role_unknown: 'certificate_malformed',
  role_mismatch: 'certificate_malformed',
  nca_name: 'certificate_malformed',
  nca_format: 'certificate_malformed',
  nca_mismatch: 'certificate_malformed',
  orgid_missing: 'certificate_malformed',
  orgid_format: 'certificate_malformed',
};

/** The reason a finer code is told by; everything that is not listed came from a reader. */
export function reasonOf(code: DetailCode): CertificateReason {
  return isOther(code) ? OTHER[code] : 'certificate_malformed';
}

function isOther(code: DetailCode): code is Exclude<DetailCode, MalformedCode> {
  return Object.hasOwn(OTHER, code);
}
