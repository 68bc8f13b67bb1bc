import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The consent was given to this client of this participant, by the customer of the token. */
export const consentOwner: Check = {
  id: 'consent-owner',
  clause: 'acceptance.md §1.3 (11); N-188, N-189, N-203',
  run(call) {
    const token = known(call, 'token');
    const consent = known(call, 'consent');
    if (consent.client !== token.client || consent.participant !== token.participant)
      throw new Refusal('consent_wrong_client', 403, 'The consent was given to another client.');
    if (token.customer === undefined || consent.customer !== token.customer)
      throw new Refusal('consent_wrong_user', 403, 'The consent was given by another customer.');
  },
};
