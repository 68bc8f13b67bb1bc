import type { Actor, AuditEvent } from '../audit/index.ts';
import type { Selection } from './denial.ts';
import { SELECTORS } from './denial.ts';
import type { TokenFacts } from './token.ts';

/** An access token was issued; `subject` is the keyed hash that stands for the customer. */
export function tokenIssued(facts: TokenFacts, subject: string | undefined): AuditEvent {
  return {
    family: 'token',
    action: 'token.issued',
    outcome: 'changed',
    bank: facts.bank,
    participant: facts.participant,
    client: facts.client,
    subject,
    consent: facts.consent,
    facts: {
      kind: facts.kind,
      format: facts.format,
      scope: facts.scopes.join(' '),
      thumbprint: facts.thumbprint ?? null,
      expiresAt: facts.expiresAt.toISOString(),
    },
  };
}

/** Access tokens were denied before their time; `subject` as above, when they were chosen by customer. */
export function tokensDenied(
  selection: Selection,
  tokens: number,
  actor: Actor,
  subject: string | undefined,
): AuditEvent {
  return {
    family: 'token',
    action: 'token.denied',
    outcome: 'changed',
    bank: selection.bank,
    participant: selection.participant,
    client: selection.client,
    subject,
    consent: selection.consent,
    interaction: actor.interaction,
    facts: {
      tokens,
      by: SELECTORS.filter((member) => selection[member] !== undefined)
        .map((member) => (member === 'hash' ? 'token' : member))
        .join(' '),
      thumbprint: selection.thumbprint ?? null,
      actor: actor.kind,
      // A customer is named by `subject` alone: the reference of the acting customer may be the bank's own id.
      actorReference: actor.kind === 'customer' ? null : actor.reference,
    },
  };
}
