import type { Actor } from '../audit/index.ts';
import type { Statements } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import { checkApproved, type Participant } from './participant.ts';
import { lockOwner } from './store.ts';

/**
 * The participant of a client that is about to change, locked; its own changes need its approval, those of staff do not.
 * @throws Refusal `client_unknown` 404; `participant_not_approved` and kin 403
 */
export async function lockChangeable(
  statements: Statements,
  bank: string,
  client: string,
  actor: Actor,
): Promise<Participant> {
  const owner = await lockOwner(statements, bank, client);
  if (owner === undefined) throw clientUnknown();
  return actor.kind === 'staff' ? owner : checkApproved(owner);
}

/** The bank has no such client. */
export function clientUnknown(): Refusal {
  return new Refusal('client_unknown', 404, 'There is no client with this id at this bank.');
}
