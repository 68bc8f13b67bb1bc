import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The participant, over all its clients, is within its limit. */
export const rateLimit: Check = {
  id: 'rate-limit',
  clause: 'acceptance.md §1.3 (8); LAB-13, LAB-17, N-172',
  run(call, { directory }) {
    const wait = directory.takeRequest(known(call, 'standing').participant);
    if (wait === undefined) return;
    const seconds = String(Math.max(1, Math.ceil(wait)));
    throw new Refusal('rate_limited', 429, `The request limit is reached; try again in ${seconds} s.`, {
      headers: { 'retry-after': seconds },
    });
  },
};
