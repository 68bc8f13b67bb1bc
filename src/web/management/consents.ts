import { type Static, Type } from 'typebox';
import type { Consent, ConsentFilter, ConsentStep } from '../../consent/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { type Desk, define, NoBody, NoQuery, staffOf } from './operation.ts';
import { revokeConsent } from './operations.ts';
import { cursorOf, limitOf, momentOf, positionOf, textOf } from './paging.ts';
import {
  bankParameter,
  ConsentDocument,
  ConsentStatus,
  closed,
  Id,
  next,
  paging,
  period,
  StepDocument,
  Why,
} from './schemas.ts';

const Query = Type.Object(
  {
    participant: Type.Optional(Id('Who asked.')),
    client: Type.Optional(Id('Which client asked.')),
    customer: Type.Optional(Id("The bank's own id of the customer.")),
    status: Type.Optional(ConsentStatus),
    ...period,
    ...paging,
  },
  closed,
);
type Query = Static<typeof Query>;

const Params = Type.Object(bankParameter, closed);
const OneParams = Type.Object({ ...bankParameter, consent: Id('Id of the consent.') }, closed);

/** CLD-52: consents of the bank, newest first. */
export const listConsents = define({
  id: 'listConsents',
  method: 'GET',
  path: '/{bank}/consents',
  scope: 'management.consents.read',
  summary: 'Lists consents, newest first; every filter narrows.',
  params: Params,
  query: Query,
  body: NoBody,
  answers: {
    200: {
      description: 'A page of consents.',
      body: Type.Object({ consents: Type.Array(ConsentDocument), ...next }, { ...closed, title: 'ConsentPage' }),
    },
  },
  run: async (desk, { bank, query }) => {
    const limit = limitOf(query.limit);
    const found = await desk.consents.list({ ...filterOf(bank.id, query), limit });
    // The list is newest first: what is older than `from` stands at its end.
    const consents = found.filter(({ createdAt }) => query.from === undefined || createdAt >= new Date(query.from));
    const last = consents.length === limit ? consents.at(-1) : undefined;
    const more = last === undefined ? {} : { next: cursorOf(last.createdAt.toISOString(), last.id) };
    const unended = await desk.consents.unended(
      bank.id,
      consents.map(({ id }) => id),
    );
    return { status: 200, body: { consents: consents.map((consent) => documentOf(consent, unended)), ...more } };
  },
});

/** One consent with its history. */
export const readConsent = define({
  id: 'readConsent',
  method: 'GET',
  path: '/{bank}/consents/{consent}',
  scope: 'management.consents.read',
  summary: 'Reads a consent and every step of its life.',
  params: OneParams,
  query: NoQuery,
  body: NoBody,
  answers: {
    200: {
      description: 'The consent.',
      body: Type.Object(
        { consent: ConsentDocument, history: Type.Array(StepDocument) },
        { ...closed, title: 'ConsentWithHistory' },
      ),
    },
  },
  run: async (desk, { bank, params }) => {
    const consent = await loadConsent(desk, bank.id, params.consent);
    const history = await desk.consents.history(bank.id, consent.id);
    const unended = await desk.consents.unended(bank.id, [consent.id]);
    return { status: 200, body: { consent: documentOf(consent, unended), history: history.map(stepOf) } };
  },
});

/** CLD-47, N-204: ends one customer's consent. */
export const endConsent = define({
  id: 'revokeConsent',
  method: 'POST',
  path: '/{bank}/consents/{consent}/revocation',
  scope: 'management.consents.revoke',
  summary: 'Revokes a consent and ends its tokens; again is the same answer.',
  params: OneParams,
  body: Why,
  query: NoQuery,
  answers: {
    202: {
      description:
        "Access is refused from now on; tokens, or the bank's own store, have yet to confirm their end. It is retried; ask again to see.",
    },
    204: { description: 'The consent is revoked, its tokens are dead.' },
  },
  run: async (desk, call) => {
    const { consent } = await revokeConsent(desk, call.bank.id, call.params.consent, staffOf(call, call.body));
    return { status: consent.revoking === true ? 202 : 204 };
  },
});

/** The lowest printable character: before every id of the moment itself. */
const BEFORE_ALL_IDS = '!';

function filterOf(bank: string, { participant, client, customer, status, to, after }: Query): ConsentFilter {
  const position = after === undefined ? undefined : positionOf(after);
  const start = position === undefined ? undefined : { createdAt: momentOf(position[0]), id: textOf(position[1]) };
  const end = to === undefined ? undefined : { createdAt: new Date(to), id: BEFORE_ALL_IDS };
  // `to` holds on every page: whichever of the two lies earlier.
  const from = start === undefined || (end !== undefined && end.createdAt < start.createdAt) ? end : start;
  return {
    bank,
    ...(participant === undefined ? {} : { participant }),
    ...(client === undefined ? {} : { client }),
    ...(customer === undefined ? {} : { customer }),
    ...(status === undefined ? {} : { state: status }),
    ...(from === undefined ? {} : { after: from }),
  };
}

async function loadConsent({ consents }: Desk, bank: string, id: string): Promise<Consent> {
  const consent = await consents.find(bank, id);
  if (consent === undefined) throw new Refusal('consent_missing', 404, 'There is no consent with this id.');
  return consent;
}

function documentOf(consent: Consent, unended: ReadonlySet<string>): Static<typeof ConsentDocument> {
  const { id, participant, client, customer, state, scopes, accounts, authorizationDetails, lastUsedAt } = consent;
  return {
    id,
    participant,
    client,
    ...(customer === undefined ? {} : { customer }),
    status: state,
    revoking: consent.revoking === true || unended.has(consent.id),
    scopes: [...scopes],
    accounts: [...accounts],
    authorizationDetails: authorizationDetails.map((detail) => ({ ...detail })),
    createdAt: consent.createdAt.toISOString(),
    changedAt: consent.changedAt.toISOString(),
    expiresAt: consent.expiresAt.toISOString(),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: lastUsedAt.toISOString() }),
  };
}

function stepOf({
  at,
  action,
  state,
  actor,
  actorReference,
  reason,
  accounts,
}: ConsentStep): Static<typeof StepDocument> {
  const known = reason === undefined ? {} : { reason };
  const changed = accounts && { before: [...accounts.before], after: [...accounts.after] };
  return {
    at: at.toISOString(),
    action,
    status: state,
    actor,
    actorReference,
    ...known,
    ...(changed && { accounts: changed }),
  };
}
