import { type Static, Type } from 'typebox';
import type { NewParticipant, Participant, ParticipantStatus, RegisteredClient } from '../../directory/index.ts';
import { PARTICIPANT_STATUSES } from '../../directory/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { define, NoBody, NoQuery, staffOf } from './operation.ts';
import { changeParticipantStatus } from './operations.ts';
import { cursorOf, limitOf, positionOf, textOf } from './paging.ts';
import {
  bankParameter,
  ClientDocument,
  closed,
  Id,
  NewParticipantDocument,
  next,
  ParticipantDocument,
  paging,
  Why,
  why,
} from './schemas.ts';

const scope = 'management.participants';
const Params = Type.Object(bankParameter, closed);
const OneParams = Type.Object({ ...bankParameter, participant: Id('Id of the participant.') }, closed);
const status = Type.Enum([...PARTICIPANT_STATUSES]);
const told = (description: string) => ({ description, body: ParticipantDocument });

/** The directory, by id. */
const list = define({
  id: 'listParticipants',
  method: 'GET',
  path: '/{bank}/participants',
  scope,
  summary: 'Lists the directory, by id.',
  params: Params,
  query: Type.Object({ status: Type.Optional(status), ...paging }, closed),
  body: NoBody,
  answers: {
    200: {
      description: 'A page of participants.',
      body: Type.Object(
        { participants: Type.Array(ParticipantDocument), ...next },
        { ...closed, title: 'ParticipantPage' },
      ),
    },
  },
  run: async ({ directory }, { query }) => {
    const limit = limitOf(query.limit);
    const start = query.after === undefined ? '' : textOf(positionOf(query.after)[0]);
    const matching = (await directory.listParticipants())
      .filter((item) => (query.status === undefined || item.status === query.status) && item.id > start)
      .sort((one, other) => (one.id < other.id ? -1 : 1));
    const page = matching.slice(0, limit);
    const last = matching.length > limit ? page.at(-1) : undefined;
    const more = last === undefined ? {} : { next: cursorOf(last.id) };
    return { status: 200, body: { participants: page.map(documentOf), ...more } };
  },
});

const read = define({
  id: 'readParticipant',
  method: 'GET',
  path: '/{bank}/participants/{participant}',
  scope,
  summary: 'Reads a participant.',
  params: OneParams,
  query: NoQuery,
  body: NoBody,
  answers: { 200: told('The participant.') },
  run: async ({ directory }, { params }) => {
    const found = await directory.findParticipant(params.participant);
    if (found === undefined)
      throw new Refusal('participant_unknown', 404, 'There is no participant with this id in the directory.');
    return { status: 200, body: documentOf(found) };
  },
});

const create = define({
  id: 'createParticipant',
  method: 'POST',
  path: '/{bank}/participants',
  scope,
  changesDirectory: true,
  summary: 'Enters a participant; it is pending until it is approved.',
  params: Params,
  body: NewParticipantDocument,
  query: NoQuery,
  answers: { 201: told('The participant, pending.') },
  run: async ({ directory }, call) => {
    const { reason, by, ...fields } = call.body;
    const participant: NewParticipant = { ...fields, status: 'pending' };
    const staff = staffOf(call, { reason, ...(by === undefined ? {} : { by }) });
    const created = await directory.createParticipant(participant, staff);
    const location = `${call.bank.audience}/participants/${encodeURIComponent(created.id)}`;
    return { status: 201, body: documentOf(created), headers: { location } };
  },
});

function change(name: string, noun: string, to: ParticipantStatus, summary: string) {
  return define({
    id: `${name}Participant`,
    method: 'POST',
    path: `/{bank}/participants/{participant}/${noun}`,
    scope,
    changesDirectory: true,
    summary,
    params: OneParams,
    body: Why,
    query: NoQuery,
    answers: { 200: told(`The participant, ${to}.`) },
    run: async (desk, call) => {
      const { participant } = call.params;
      const changed = await changeParticipantStatus(desk, desk.banks, participant, to, staffOf(call, call.body));
      return { status: 200, body: documentOf(changed) };
    },
  });
}

const limitRate = define({
  id: 'limitParticipant',
  method: 'PUT',
  path: '/{bank}/participants/{participant}/rate-limit',
  scope,
  changesDirectory: true,
  summary: 'Sets how many requests a minute a participant may make; null takes the limit away.',
  params: OneParams,
  body: Type.Object(
    { requestsPerMinute: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]), ...why },
    { ...closed, title: 'RateLimit' },
  ),
  query: NoQuery,
  answers: { 200: told('The participant with its new limit.') },
  run: async ({ directory }, call) => {
    const { requestsPerMinute: limit, ...given } = call.body;
    const changed = await directory.changeRateLimit(call.params.participant, limit ?? undefined, staffOf(call, given));
    return { status: 200, body: documentOf(changed) };
  },
});

const clients = define({
  id: 'listClients',
  method: 'GET',
  path: '/{bank}/clients',
  scope,
  summary: 'Lists the clients registered at this bank.',
  params: Params,
  query: Type.Object({ participant: Type.Optional(Id('Whose clients.')) }, closed),
  body: NoBody,
  answers: {
    200: {
      description: 'The clients.',
      body: Type.Object({ clients: Type.Array(ClientDocument) }, { ...closed, title: 'ClientList' }),
    },
  },
  run: async ({ directory }, { bank, query }) => {
    const found = await directory.listClients(bank.id, query.participant);
    return { status: 200, body: { clients: found.map(clientDocument) } };
  },
});

/** The directory of participants and their clients (LAB-12 to LAB-17). */
export const participantOperations = [
  list,
  read,
  create,
  change('approve', 'approval', 'approved', 'Approves a participant that is pending or suspended.'),
  change('suspend', 'suspension', 'suspended', 'Suspends a participant: nothing of it works from the next request on.'),
  change('reject', 'rejection', 'rejected', 'Rejects a participant that is pending.'),
  change('remove', 'removal', 'removed', 'Removes a participant for good: clients, certificates, tokens.'),
  limitRate,
  clients,
] as const;

function documentOf(participant: Participant): Static<typeof ParticipantDocument> {
  const { id, name, registrationNumber, email, phone, roles, requestsPerMinute, statusReason } = participant;
  return {
    id,
    name,
    registrationNumber,
    email,
    ...(phone === undefined ? {} : { phone }),
    roles: [...roles],
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    status: participant.status,
    ...(statusReason === undefined ? {} : { statusReason }),
    createdAt: participant.createdAt.toISOString(),
    updatedAt: participant.updatedAt.toISOString(),
  };
}

function clientDocument({ id, participant, softwareId, metadata, createdAt }: RegisteredClient) {
  const { client_name: name, scope: granted, grant_types: grants } = metadata;
  return {
    id,
    participant,
    softwareId,
    name: typeof name === 'string' ? name : undefined,
    scope: typeof granted === 'string' ? granted : undefined,
    grantTypes: Array.isArray(grants) ? grants.map(String) : [],
    createdAt: createdAt.toISOString(),
  };
}
