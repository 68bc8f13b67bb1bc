import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The certificate of the connection is the one the token is bound to; an unbound token passes only where the bank allows it. */
export const tokenBound: Check = {
  id: 'token-bound',
  clause: 'acceptance.md §1.3 (5); WSN-42, WSN-45, N-163; RFC 8705 §3; FAPI 1.0 RS-15',
  run(call) {
    const bound = known(call, 'token').thumbprint;
    if (bound === undefined && !call.bank.requireBoundTokens) return;
    if (bound === undefined)
      throw refusal('This bank takes only access tokens that are bound to a client certificate.', 'cnf_missing');
    const presented = call.evidence.certificate?.thumbprint;
    if (presented === undefined)
      throw refusal('The access token is bound to a certificate and none was presented.', 'no_certificate');
    if (presented !== bound)
      throw refusal('The access token is bound to another client certificate.', 'other_certificate');
  },
};

function refusal(message: string, detail: string): Refusal {
  return new Refusal('certificate_not_bound', 401, message, { detail });
}
