import { Type } from 'typebox';
import type { AuditFilter, AuditRecord } from '../../audit/index.ts';
import { AUDIT_FAMILIES, AUDIT_OUTCOMES } from '../../audit/index.ts';
import { define, NoBody, NoQuery } from './operation.ts';
import { badCursor, cursorOf, limitOf, momentOf, positionOf, textOf } from './paging.ts';
import { AuditDocument, bankParameter, closed, Id, next, paging, period } from './schemas.ts';

const filters = {
  participant: Type.Optional(Id('Id of a participant.')),
  client: Type.Optional(Id('client_id')),
  consent: Type.Optional(Id('Id of a consent.')),
  interaction: Type.Optional(Id('x-fapi-interaction-id')),
  action: Type.Optional(Id('noun.verb, such as consent.revoked.')),
  reason: Type.Optional(Id('Code of a refusal.')),
} as const;

/** CLD-49: what happened at this bank, newest first, by whoever it concerns. */
export const searchTrail = define({
  id: 'searchAudit',
  method: 'GET',
  path: '/{bank}/audit',
  scope: 'management.audit',
  summary: 'Searches the audit trail of this bank, newest first; every filter narrows.',
  params: Type.Object(bankParameter, closed),
  query: Type.Object(
    {
      ...filters,
      family: Type.Optional(Type.Enum([...AUDIT_FAMILIES])),
      outcome: Type.Optional(Type.Enum([...AUDIT_OUTCOMES])),
      ...period,
      ...paging,
    },
    closed,
  ),
  body: NoBody,
  answers: {
    200: {
      description: 'A page of records.',
      body: Type.Object({ records: Type.Array(AuditDocument), ...next }, { ...closed, title: 'AuditPage' }),
    },
  },
  run: async ({ audit }, { bank, query }) => {
    const { limit: asked, after, from, to, ...narrow } = query;
    const limit = limitOf(asked);
    const filter: AuditFilter = {
      ...narrow,
      bank: bank.id,
      limit,
      ...(from === undefined ? {} : { from: new Date(from) }),
      ...(to === undefined ? {} : { to: new Date(to) }),
      ...(after === undefined ? {} : { after: placeOf(after) }),
    };
    // What was answered a moment ago must be found.
    await audit.flush();
    const records = await audit.search(filter);
    const last = records.length === limit ? records.at(-1) : undefined;
    const more = last === undefined ? {} : { next: cursorOf(last.at.toISOString(), last.chain, last.sequence) };
    return { status: 200, body: { records: records.map(documentOf), ...more } };
  },
});

/** A directory is one for all banks: what was done to a participant concerns each of them, what another bank did with it does not. */
export const participantHistory = define({
  id: 'readParticipantHistory',
  method: 'GET',
  path: '/{bank}/participants/{participant}/history',
  scope: 'management.audit',
  summary: 'Reads what was done to a participant in the directory, newest first.',
  params: Type.Object({ ...bankParameter, participant: Id('Id of the participant.') }, closed),
  query: NoQuery,
  body: NoBody,
  answers: {
    200: {
      description: 'The records, newest first.',
      body: Type.Object({ records: Type.Array(AuditDocument) }, { ...closed, title: 'ParticipantHistory' }),
    },
  },
  run: async ({ audit }, { bank, params }) => {
    await audit.flush();
    const found = await audit.search({
      participant: params.participant,
      family: 'directory',
      limit: limitOf(undefined),
    });
    const records = found.filter((record) => record.bank === undefined || record.bank === bank.id);
    return { status: 200, body: { records: records.map(documentOf) } };
  },
});

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function placeOf(cursor: string): NonNullable<AuditFilter['after']> {
  const [at, chain, sequence] = positionOf(cursor);
  const name = textOf(chain);
  if (!UUID.test(name) || typeof sequence !== 'number' || !Number.isSafeInteger(sequence)) throw badCursor();
  return { at: momentOf(at), chain: name, sequence };
}

function documentOf(record: AuditRecord) {
  return { ...record, at: record.at.toISOString() };
}
