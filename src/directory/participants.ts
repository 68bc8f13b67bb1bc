import type { Actor } from '../audit/index.ts';
import type { Database, Statements } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import { withdrawCertificatesOf } from './certificate-store.ts';
import type { Commit } from './changes.ts';
import {
  clientRemoved,
  participantCreated,
  participantImported,
  participantStatusChanged,
  rateLimitChanged,
} from './events.ts';
import { mayBecome, type NewParticipant, type Participant, type ParticipantStatus } from './participant.ts';
import { invalid, parseNewParticipant, parseRateLimit, parseStatus } from './participant-fields.ts';
import {
  type Change,
  deleteClientsOf,
  insertParticipant,
  lockParticipant,
  selectParticipant,
  selectParticipants,
  updateRateLimit,
  updateStatus,
} from './store.ts';

/** A list taken over at once: more than any market's register of third parties holds. */
const MAXIMUM_IMPORTED = 5_000;

/** Entering participants and changing what they may do. */
export interface Participants {
  /** @throws Refusal `participant_exists` 409; `field_missing`, `field_invalid` 400 naming the field */
  createParticipant(participant: NewParticipant, actor: Actor): Promise<Participant>;
  /**
   * Inserts those that are absent, never overrules staff; gives the ids inserted. All or none: one wrong item refuses the list.
   * @throws Refusal `field_missing`, `field_invalid` 400 naming item and field
   */
  importParticipants(participants: readonly unknown[], actor: Actor): Promise<readonly string[]>;
  findParticipant(id: string): Promise<Participant | undefined>;
  listParticipants(): Promise<readonly Participant[]>;
  /**
   * Takes effect from the next request on, on every node. `removed` is final and ends the participant's clients and relations.
   * @throws Refusal `participant_unknown` 404, `status_invalid` 409, `field_invalid` 400
   */
  changeStatus(id: string, status: ParticipantStatus, actor: Actor): Promise<Participant>;
  /** Undefined: no limit. @throws Refusal `participant_unknown` 404, `status_invalid` 409, `field_invalid` 400 */
  changeRateLimit(id: string, requestsPerMinute: number | undefined, actor: Actor): Promise<Participant>;
}

/** Participants in the database; every change announced and audited in its transaction. */
export function createParticipants({ database, commit }: { database: Database; commit: Commit }): Participants {
  return {
    createParticipant: async (participant, actor) => create(commit, parseNewParticipant(participant), actor),
    importParticipants: async (participants, actor) => importAbsent(commit, parseList(participants), actor),
    findParticipant: (id) => selectParticipant(database, id),
    listParticipants: () => selectParticipants(database),
    changeStatus: async (id, status, actor) => changeStatus(commit, id, parseStatus(status), actor),
    changeRateLimit: async (id, limit, actor) => changeRateLimit(commit, id, parseRateLimit(limit), actor),
  };
}

async function create(commit: Commit, participant: NewParticipant, actor: Actor): Promise<Participant> {
  return commit(actor, async (statements, now) => {
    const created = await insertParticipant(statements, participant, now);
    if (created === undefined)
      throw new Refusal('participant_exists', 409, `A participant with the id ${participant.id} exists already.`);
    return {
      result: created,
      changes: [{ participant: created.id }],
      events: [participantCreated(created, actor)],
    };
  });
}

function parseList(participants: readonly unknown[]): readonly NewParticipant[] {
  if (participants.length > MAXIMUM_IMPORTED)
    throw invalid('participants', `must be at most ${MAXIMUM_IMPORTED} at a time.`);
  const parsed = participants.map((item, index) => parseNewParticipant(item, `participants[${index}]`));
  const seen = new Set<string>();
  for (const [index, { id }] of parsed.entries()) {
    if (seen.has(id)) throw invalid(`participants[${index}].id`, 'stands in the list twice.');
    seen.add(id);
  }
  return parsed;
}

async function importAbsent(
  commit: Commit,
  participants: readonly NewParticipant[],
  actor: Actor,
): Promise<readonly string[]> {
  return commit(actor, async (statements, now) => {
    const inserted: Participant[] = [];
    for (const participant of participants) {
      const created = await insertParticipant(statements, participant, now);
      if (created !== undefined) inserted.push(created);
    }
    return {
      result: inserted.map(({ id }) => id),
      changes: inserted.map(({ id }) => ({ participant: id })),
      events: inserted.map((participant) => participantImported(participant, actor)),
    };
  });
}

async function changeStatus(commit: Commit, id: string, status: ParticipantStatus, actor: Actor): Promise<Participant> {
  return commit(actor, async (statements, now) => {
    const before = known(await lockParticipant(statements, id));
    if (!mayBecome(before.status, status))
      throw new Refusal('status_invalid', 409, `A participant that is ${before.status} cannot become ${status}.`);
    const removed = status === 'removed' ? await endClients(statements, id, now) : [];
    const after = known(await updateStatus(statements, id, status, actor.reason, now));
    const removals = removed.map((client) => clientRemoved({ ...client, participant: id }, actor));
    return {
      result: after,
      changes: [
        { participant: id },
        ...removed.map(({ bank, id: client }): Change => ({ participant: id, bank, client })),
      ],
      events: [participantStatusChanged(after, before.status, actor), ...removals],
    };
  });
}

/** LAB-16: clients, secrets and relations go; the certificates may not come back without review. */
async function endClients(statements: Statements, participant: string, now: Date) {
  await withdrawCertificatesOf(statements, participant, now);
  return deleteClientsOf(statements, participant);
}

async function changeRateLimit(
  commit: Commit,
  id: string,
  limit: number | undefined,
  actor: Actor,
): Promise<Participant> {
  return commit(actor, async (statements, now) => {
    const before = known(await lockParticipant(statements, id));
    if (before.status === 'removed')
      throw new Refusal('status_invalid', 409, 'A participant that is removed cannot be changed.');
    const after = known(await updateRateLimit(statements, id, limit, now));
    return {
      result: after,
      changes: [{ participant: id }],
      events: [rateLimitChanged(after, before.requestsPerMinute, actor)],
    };
  });
}

function known(participant: Participant | undefined): Participant {
  if (participant === undefined)
    throw new Refusal('participant_unknown', 404, 'There is no participant with this id in the directory.');
  return participant;
}
