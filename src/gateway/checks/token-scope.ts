import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The scope of the route is in the token, as a whole word. */
export const tokenScope: Check = {
  id: 'token-scope',
  clause: 'acceptance.md §1.3 (7); LAB-21, LAB-23, LAB-37, LAB-40, WSN-41; RFC 6750 §3.1',
  run(call) {
    if (known(call, 'token').scopes.includes(call.route.scope)) return;
    throw new Refusal('insufficient_scope', 403, `This API needs the scope "${call.route.scope}".`);
  },
};
