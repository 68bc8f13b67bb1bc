import type { Actor, AuditEvent } from '../audit/index.ts';

/** Who acted, as the facts of an event show it. */
function actorFacts(actor: Actor) {
  return { actor: actor.kind, actorReference: actor.reference, why: actor.reason ?? null };
}

/** A bank's first signing keys were made. */
export function keysCreated(bank: string, kids: readonly string[]): AuditEvent {
  return {
    family: 'key',
    action: 'key.created',
    outcome: 'changed',
    bank,
    facts: { actor: 'system', kids: kids.join(' ') },
  };
}

/** New signing keys are current; the old ones stay published until `until`. */
export function keysRotated(
  bank: string,
  change: { readonly made: readonly string[]; readonly retiring: readonly string[]; readonly until: Date },
  actor: Actor,
): AuditEvent {
  const { made, retiring, until } = change;
  return {
    family: 'key',
    action: 'key.rotated',
    outcome: 'changed',
    bank,
    interaction: actor.interaction,
    facts: {
      ...actorFacts(actor),
      kids: made.join(' '),
      retiring: retiring.join(' '),
      publishedUntil: until.toISOString(),
    },
  };
}

/** A new master key wraps from now on. */
export function masterKeyRotated(keyId: string, actor: Actor): AuditEvent {
  return {
    family: 'key',
    action: 'key.master_rotated',
    outcome: 'changed',
    interaction: actor.interaction,
    facts: { ...actorFacts(actor), keyId },
  };
}

/** An account number was replaced by a token (LAB-29). */
export function numberTokenized(
  entry: {
    readonly bank: string;
    readonly reference: string;
    readonly consent: string | undefined;
    readonly participant: string | undefined;
  },
  actor: Actor,
): AuditEvent {
  const { bank, reference, consent, participant } = entry;
  return {
    family: 'handler',
    action: 'vault.tokenized',
    outcome: 'changed',
    bank,
    consent,
    participant,
    interaction: actor.interaction,
    facts: { ...actorFacts(actor), entry: reference },
  };
}

/** An entry was removed; its token is useless from now on. */
export function numberForgotten(bank: string, reference: string, actor: Actor): AuditEvent {
  return {
    family: 'handler',
    action: 'vault.forgotten',
    outcome: 'changed',
    bank,
    interaction: actor.interaction,
    facts: { ...actorFacts(actor), entry: reference },
  };
}

/** Who looks behind a token, and for which request. */
export interface Lookup {
  readonly bank: string;
  readonly participant: string;
  readonly client: string;
  readonly interaction: string | undefined;
}

/** A token was presented: the vault found its entry, or refuses for `reason` (LAB-06). */
export function entryLookedUp(
  lookup: Lookup,
  found: { readonly reference?: string; readonly consent?: string | undefined; readonly reason?: string },
): AuditEvent {
  return {
    family: 'handler',
    action: 'vault.lookup',
    outcome: found.reason === undefined ? 'allowed' : 'refused',
    ...lookup,
    consent: found.consent,
    reason: found.reason,
    facts: { entry: found.reference ?? null },
  };
}

/** A master key was used, or refused, to decrypt an account number for a participant (LAB-30). */
export function keyUsed(
  lookup: Lookup,
  use: {
    readonly reference: string;
    readonly keyId: string;
    readonly consent: string | undefined;
    readonly reason?: string;
  },
): AuditEvent {
  return {
    family: 'key',
    action: 'key.used',
    outcome: use.reason === undefined ? 'allowed' : 'failed',
    ...lookup,
    consent: use.consent,
    reason: use.reason,
    facts: { purpose: 'account-number', keyId: use.keyId, entry: use.reference },
  };
}
