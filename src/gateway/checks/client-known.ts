import type { Standing } from '../../directory/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { type Call, known, learn, withAnswer } from '../call.ts';
import type { Check } from '../check.ts';

/** The client of the token is registered at this bank and belongs to the participant the token names. */
export const clientKnown: Check = {
  id: 'client-known',
  clause: 'acceptance.md §1.3 (5)(6); LAB-04, LAB-12',
  run(call, { directory }) {
    const standing = directory.standing(call.bank.id, known(call, 'token').client);
    return withAnswer(standing, (answer) => accept(call, answer));
  },
};

function accept(call: Call, standing: Standing | undefined): void {
  const token = known(call, 'token');
  if (standing === undefined || standing.client.id !== token.client || standing.client.bank !== call.bank.id)
    throw refusal('client_unknown');
  if (standing.participant.id !== token.participant) throw refusal('participant_differs');
  learn(call, 'standing', standing);
}

function refusal(detail: string): Refusal {
  return new Refusal('participant_unknown', 403, 'The participant of this access token is not in the directory.', {
    detail,
  });
}
