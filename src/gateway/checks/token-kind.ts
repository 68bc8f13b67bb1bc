import { Refusal } from '../../platform/refusal.ts';
import { known } from '../call.ts';
import type { Check } from '../check.ts';

/** A customer's route gets a customer's token, a participant's route the participant's own. */
export const tokenKind: Check = {
  id: 'token-kind',
  clause: 'acceptance.md §1.3 (7); LAB-02, WSN-40',
  run(call) {
    const { kind } = known(call, 'token');
    if (kind === call.route.token) return;
    throw new Refusal(
      'wrong_token_type',
      401,
      `This API needs a ${call.route.token} token, and this is a ${kind} token.`,
    );
  },
};
