import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The account is one the customer chose; a foreign one and one that does not exist get the same answer. */
export const accountInConsent: Check = {
  id: 'account-in-consent',
  clause: 'acceptance.md §1.3 (11); LAB-03, WSO-35, N-190',
  run(call) {
    const account = call.parameters.account ?? known(call, 'account');
    if (!known(call, 'consent').accounts.includes(account)) throw accountNotInConsent();
  },
};

/** Also the answer when the bank itself says that the account is not the customer's (WSO-35). */
export function accountNotInConsent(): Refusal {
  return new Refusal('account_not_in_consent', 403, 'The customer gave no access to this account.');
}
