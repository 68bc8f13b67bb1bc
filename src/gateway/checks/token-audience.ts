import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The token was made for this resource server. */
export const tokenAudience: Check = {
  id: 'token-audience',
  clause: 'acceptance.md §1.3 (7); LAB-19, LAB-22; RFC 9068 §4',
  run(call) {
    if (known(call, 'token').audience === call.bank.audience) return;
    throw new Refusal('wrong_audience', 401, 'The access token was made for another resource server.');
  },
};
