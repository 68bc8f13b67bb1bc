import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The authorisation number in the certificate is the one the directory has for the participant, to the byte. */
export const certificateOrganisation: Check = {
  id: 'certificate-organisation',
  clause: 'acceptance.md §1.3 (6); WSN-25, WSO-19',
  run(call) {
    const stated = call.evidence.certificate?.organizationIdentifier;
    // A scheme that asks for no identifier may have certificates without one: enrolment alone ties those to the client.
    if (stated === undefined || stated === known(call, 'standing').participant.registrationNumber) return;
    throw new Refusal(
      'authorisation_number_mismatch',
      403,
      'The client certificate names another authorisation number than the directory has for this participant.',
      { detail: 'organization_identifier' },
    );
  },
};
