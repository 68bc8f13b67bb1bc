import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The certificate of the connection is the one stored for this client. */
export const certificateEnrolled: Check = {
  id: 'certificate-enrolled',
  clause: 'acceptance.md §1.3 (5); CA-01, CA-03, CA-18, CA-19',
  run(call, { clock }) {
    const { certificate } = call.evidence;
    // Without a certificate the door let the request in as one without; a bound token was refused before.
    if (certificate === undefined && !call.bank.requireBoundTokens) return;
    const enrolled = known(call, 'standing').certificates;
    // A baseline client may authenticate by secret alone and then has no certificate of its own (LAB-41).
    if (enrolled.length === 0 && !call.bank.requireBoundTokens) return;
    const stored = enrolled.find(({ thumbprint }) => thumbprint === certificate?.thumbprint);
    if (stored === undefined) throw refusal('not_stored');
    if (stored.endsAt !== undefined && stored.endsAt <= clock.now()) throw refusal('rotation_window_over');
  },
};

function refusal(detail: string): Refusal {
  return new Refusal(
    'certificate_not_enrolled',
    401,
    'The client certificate is not the one enrolled for this client.',
    {
      detail,
    },
  );
}
