import { Refusal } from '../../platform/refusal.ts';
import type { Check } from '../check.ts';

/** A certificate that states PSD2 roles states one that allows this route; one without a PSD2 statement leaves it to the directory. */
export const certificateRole: Check = {
  id: 'certificate-role',
  clause: 'acceptance.md §1.3 (3); WSN-17 to WSN-21, N-26, N-27',
  run(call) {
    const stated = call.evidence.certificate?.roles;
    if (stated === undefined || call.route.roles.some((role) => stated.includes(role))) return;
    throw new Refusal('role_missing', 403, 'The roles in the client certificate do not allow this API.', {
      detail: 'certificate_role',
    });
  },
};
