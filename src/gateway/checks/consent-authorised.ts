import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The consent is Authorised and its time is not over, to the moment. */
export const consentAuthorised: Check = {
  id: 'consent-authorised',
  clause: 'acceptance.md §1.3 (11); WSN-43, N-185, N-192',
  run(call, { clock }) {
    const { state, expiresAt } = known(call, 'consent');
    if (state === 'Expired' || (state === 'Authorised' && expiresAt.getTime() <= clock.now().getTime()))
      throw new Refusal('consent_expired', 403, 'The consent has expired; ask the customer again.');
    if (state !== 'Authorised')
      throw new Refusal('consent_not_authorised', 403, 'The customer has not agreed to this, or no longer does.', {
        detail: state,
      });
  },
};
