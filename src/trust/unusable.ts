/** Why an answer about revocation does not count. */
export type UnusableCode =
  | 'ocsp_syntax'
  | 'ocsp_status'
  | 'ocsp_signer'
  | 'ocsp_signature'
  | 'ocsp_time'
  | 'ocsp_nonce'
  | 'ocsp_certid'
  | 'ocsp_conflict'
  | 'ocsp_critical'
  | 'crl_syntax'
  | 'crl_issuer'
  | 'crl_signature'
  | 'crl_time'
  | 'crl_rollback'
  | 'crl_scope'
  | 'crl_critical'
  | 'fetch_forbidden'
  | 'fetch_failed'
  | 'fetch_answer'
  | 'fetch_paused'
  | 'fetch_timeout';

/** An answer that does not count: as good as none. Never turns into "good". */
export class Unusable extends Error {
  readonly code: UnusableCode;

  constructor(code: UnusableCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Unusable';
    this.code = code;
  }
}
