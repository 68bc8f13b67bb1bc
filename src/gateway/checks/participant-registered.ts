import { registerRefused } from '../../directory/index.ts';
import { type Call, known, learn, withAnswer } from '../call.ts';
import type { Check } from '../check.ts';

/** The competent authority's register authorises the participant for this route, now; where the bank asks it at calls. */
export const participantRegistered: Check = {
  id: 'participant-registered',
  clause: 'acceptance.md §1.3 (6); WSN-14, N-30, N-31; certificates.md §14',
  run(call) {
    const { register } = call.bank;
    if (register?.atCalls !== true) return;
    const { certificate } = call.evidence;
    const { roles } = call.route;
    const { participant } = known(call, 'standing');
    const registered = register.check(participant, { certificate, roles, interaction: call.interaction });
    return withAnswer(registered, (answer) => accept(call, answer));
  },
};

function accept(call: Call, roles: readonly string[]): void {
  if (!call.route.roles.some((role) => roles.includes(role))) throw registerRefused('register_role');
  learn(call, 'registered', roles);
}
