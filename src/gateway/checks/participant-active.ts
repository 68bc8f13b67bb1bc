import type { ParticipantStatus } from '../../directory/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** The participant is approved, now. */
export const participantActive: Check = {
  id: 'participant-active',
  clause: 'acceptance.md §1.3 (6); LAB-14, LAB-15, LAB-16',
  run(call) {
    const refusal = refusalOf(known(call, 'standing').participant.status);
    if (refusal !== undefined) throw refusal;
  },
};

function refusalOf(status: ParticipantStatus): Refusal | undefined {
  switch (status) {
    case 'approved':
      return undefined;
    case 'suspended':
      return new Refusal('participant_suspended', 403, 'The participant is suspended; ask the bank why.');
    case 'pending':
    case 'rejected':
    case 'removed':
      return new Refusal('participant_not_approved', 403, 'The participant is not approved at this platform.', {
        detail: status,
      });
    default:
      throw new Error(`unhandled participant status ${status satisfies never}`);
  }
}
