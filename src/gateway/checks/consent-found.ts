import type { Consent } from '../../consent/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { type Call, known, learn, withAnswer } from '../call.ts';
import type { Check } from '../check.ts';

/** The token names a consent, and the bank's store knows it. */
export const consentFound: Check = {
  id: 'consent-found',
  clause: 'acceptance.md §1.3 (11); WSN-43, N-41, N-191, N-199',
  run(call, { consents }) {
    const id = known(call, 'token').consent;
    if (id === undefined) throw refusal('not_in_token');
    return withAnswer(consents.current(call.bank.id, id), (consent) => accept(call, id, consent));
  },
};

function accept(call: Call, id: string, consent: Consent | undefined): void {
  if (consent === undefined || consent.id !== id || consent.bank !== call.bank.id) throw refusal('not_in_store');
  learn(call, 'consent', consent);
}

function refusal(detail: string): Refusal {
  return new Refusal('consent_missing', 403, 'There is no consent behind this access token.', { detail });
}
