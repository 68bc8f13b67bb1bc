import type { Actor, AuditEvent } from '../audit/index.ts';
import type { Consent, ConsentAction } from './consent.ts';

/** Gives the keyed hash that stands for a customer in the trail. */
export type CustomerReference = (bank: string, customer: string) => string;

/** A consent was asked for and awaits the customer. */
export function consentCreated(consent: Consent, actor: Actor, reference: CustomerReference): AuditEvent {
  return changed('consent.created', consent, actor, reference);
}

/** The customer agreed. */
export function consentAuthorised(consent: Consent, actor: Actor, reference: CustomerReference): AuditEvent {
  return changed('consent.authorised', consent, actor, reference);
}

/** The customer said no, or somebody did in their name. */
export function consentRejected(consent: Consent, actor: Actor, reference: CustomerReference): AuditEvent {
  return changed('consent.rejected', consent, actor, reference);
}

/** The one use of a single-use consent happened. */
export function consentConsumed(consent: Consent, actor: Actor, reference: CustomerReference): AuditEvent {
  return changed('consent.consumed', consent, actor, reference);
}

/** The consent was withdrawn. */
export function consentRevoked(consent: Consent, actor: Actor, reference: CustomerReference): AuditEvent {
  return changed('consent.revoked', consent, actor, reference);
}

/** The customer changed the accounts of a consent that stands. */
export function consentAccountsChanged(consent: Consent, actor: Actor, reference: CustomerReference): AuditEvent {
  return changed('consent.accounts-changed', consent, actor, reference);
}

/** The consent's time, or the time to decide, ran out and the row says so now. */
export function consentExpired(consent: Consent, actor: Actor, reference: CustomerReference): AuditEvent {
  return changed('consent.expired', consent, actor, reference);
}

/** A consent in a bank's own store is refused from now on; the store has yet to confirm its end (N-201). */
export function consentRevoking(bank: string, consent: string, actor: Actor): AuditEvent {
  return {
    family: 'consent',
    action: 'consent.revoking',
    outcome: 'changed',
    bank,
    consent,
    interaction: actor.interaction,
    facts: { actor: actor.kind, actorReference: actor.kind === 'customer' ? null : actor.reference },
  };
}

/** The event of each action. */
export const EVENT_OF: Readonly<Record<ConsentAction, typeof consentCreated>> = {
  authorise: consentAuthorised,
  reject: consentRejected,
  consume: consentConsumed,
  revoke: consentRevoked,
  expire: consentExpired,
};

function changed(action: string, consent: Consent, actor: Actor, reference: CustomerReference): AuditEvent {
  return {
    family: 'consent',
    action,
    outcome: 'changed',
    bank: consent.bank,
    participant: consent.participant,
    client: consent.client,
    subject: consent.customer === undefined ? undefined : reference(consent.bank, consent.customer),
    consent: consent.id,
    interaction: actor.interaction,
    facts: {
      state: consent.state,
      expiresAt: consent.expiresAt.toISOString(),
      accounts: consent.accounts.length,
      actor: actor.kind,
      // A customer is named by `subject` alone: the reference of the acting customer may be the bank's own id.
      actorReference: actor.kind === 'customer' ? null : actor.reference,
    },
  };
}
