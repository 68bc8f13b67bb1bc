import { Refusal } from '../../platform/refusal.ts';
import type { Check } from '../check.ts';

/**
 * The certificate states a PSD2 role that allows this route. One without a PSD2 statement passes only at a bank whose trust
 * settings take roles from the directory.
 */
export const certificateRole: Check = {
  id: 'certificate-role',
  clause: 'acceptance.md §1.3 (3); WSN-15, WSN-17 to WSN-21, N-26, N-27, N-28',
  run(call) {
    const { certificate } = call.evidence;
    // Only a door without client certificates leads here without one.
    if (certificate === undefined) return;
    const { roles: stated } = certificate;
    if (stated === undefined) {
      if (call.bank.rolesFromDirectory !== true)
        throw refusal('The client certificate states no role.', 'psd2_missing');
      return;
    }
    if (call.route.roles.some((role) => stated.includes(role))) return;
    throw refusal('The roles in the client certificate do not allow this API.', 'certificate_role');
  },
};

function refusal(message: string, detail: string): Refusal {
  return new Refusal('role_missing', 403, message, { detail });
}
