import { Refusal } from '../../platform/refusal.ts';
import { known, learn } from '../call.ts';
import type { Check } from '../check.ts';

/** The directory gives the participant a role that allows the scope of the route. */
export const participantRole: Check = {
  id: 'participant-role',
  clause: 'acceptance.md §1.3 (6); WSN-17 to WSN-21, N-27',
  run(call) {
    const held: readonly string[] = known(call, 'standing').participant.roles;
    // Where the certificate states roles, the one that allows must stand in both: neither source lends to the other.
    const stated = call.evidence.certificate?.roles ?? held;
    const role = call.route.roles.find((allowed) => held.includes(allowed) && stated.includes(allowed));
    if (role === undefined)
      throw new Refusal('role_missing', 403, 'The roles of the participant do not allow this API.', {
        detail: 'directory_role',
      });
    learn(call, 'role', role);
  },
};
