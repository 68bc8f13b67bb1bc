import type { AuditEvent } from '../../audit/index.ts';

/** What the register says of a participant is new, or another thing than before; numbers and names stay in the directory. */
export function registerAnswered(answer: {
  readonly bank: string;
  readonly participant: string;
  /** `authorised`, or why not. */
  readonly finding: string;
  readonly roles: readonly string[];
  readonly interaction: string;
  /** The reason code that the caller hears unless the finding is `authorised`. */
  readonly reason: string;
}): AuditEvent {
  const { bank, participant, finding, roles, interaction, reason } = answer;
  const authorised = finding === 'authorised';
  return {
    family: 'directory',
    action: 'register.answered',
    outcome: authorised ? 'allowed' : 'refused',
    bank,
    participant,
    interaction,
    reason: authorised ? undefined : reason,
    detail: authorised ? undefined : finding,
    facts: { finding, roles: roles.join(' ') },
  };
}
