import type { Actor, AuditEvent } from '../audit/index.ts';
import type { TrustedList } from './list.ts';

/** A list took the place of the former one: from now on it says who issues qualified certificates. */
export function listImported(bank: string, list: TrustedList, actor: Actor): AuditEvent {
  const { territory, sequence, issuedAt, nextUpdate, signer, services } = list;
  return {
    family: 'administration',
    action: 'trusted_list.imported',
    outcome: 'changed',
    bank,
    facts: {
      territory,
      sequence,
      issuedAt: issuedAt.toISOString(),
      nextUpdate: nextUpdate.toISOString(),
      signer,
      services: services.length,
      ...factsOf(actor),
    },
  };
}

/** A document was offered as a list and does not count; `detail` is the finer code. */
export function listRefused(bank: string, detail: string, actor: Actor): AuditEvent {
  return {
    family: 'administration',
    action: 'trusted_list.refused',
    outcome: 'refused',
    bank,
    reason: 'trusted_list_refused',
    detail,
    facts: factsOf(actor),
  };
}

function factsOf({ kind, reference, reason }: Actor) {
  return { actorKind: kind, actor: reference, why: reason ?? null };
}
