import { Refusal } from '../../platform/refusal.ts';
import { known, learn } from '../call.ts';
import type { Check } from '../check.ts';

/** The directory gives the participant a role that allows the scope of the route. */
export const participantRole: Check = {
  id: 'participant-role',
  clause: 'acceptance.md §1.3 (6); WSN-17 to WSN-21, N-27; certificates.md §14',
  run(call) {
    const held: readonly string[] = known(call, 'standing').participant.roles;
    const { certificate, registered = held } = call.evidence;
    // The one that allows must stand in every source that states roles: none lends to the other (certificates.md §14).
    const stated = certificate?.roles ?? held;
    const role = call.route.roles.find(
      (allowed) => held.includes(allowed) && stated.includes(allowed) && registered.includes(allowed),
    );
    if (role === undefined)
      throw new Refusal('role_missing', 403, 'The roles of the participant do not allow this API.', {
        detail: 'directory_role',
      });
    learn(call, 'role', role);
  },
};
