import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The customer agreed to the scope of this route: a token never lends a consent rights it does not have. */
export const consentPermission: Check = {
  id: 'consent-permission',
  clause: 'acceptance.md §1.3 (11); WSN-43, N-186, N-187',
  run(call) {
    if (known(call, 'consent').scopes.includes(call.route.scope)) return;
    throw new Refusal('permission_missing', 403, 'The customer did not agree to this use.');
  },
};
