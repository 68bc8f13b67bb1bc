import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { notFound, Problem } from '../bank/problem.ts';
import { type AttributeSchema, checkAttributes } from './attributes.ts';
import type { Caller } from './callers.ts';
import {
  type Actor,
  type Consent,
  consentAt,
  reaching,
  type State,
  states,
  type Target,
  written,
  writtenStep,
} from './consent.ts';
import * as fields from './fields.ts';
import type { Ledger, ListFilter } from './ledger.ts';

/** What the service works with. */
export interface Service {
  readonly ledger: Ledger;
  readonly schema: AttributeSchema;
  readonly now: () => number;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Makes the entity tag. */
  readonly version?: number;
}

/** A request, taken apart. */
interface Asked {
  readonly request: IncomingMessage;
  readonly caller: Caller;
  readonly query: URLSearchParams;
  /** What stands for `*` in the route. */
  readonly id: string;
}

interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly callers: readonly Caller[];
  readonly answer: (service: Service, asked: Asked) => Answer | Promise<Answer>;
}

const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/health',
    callers: ['platform', 'bank'],
    answer: () => ({ status: 200, body: { status: 'ok' } }),
  },
  {
    method: 'GET',
    path: '/attributes',
    callers: ['platform', 'bank'],
    answer: ({ schema }) => ({ status: 200, body: schema }),
  },
  { method: 'POST', path: '/consents', callers: ['platform'], answer: create },
  { method: 'GET', path: '/consents', callers: ['platform', 'bank'], answer: list },
  { method: 'GET', path: '/consents/*', callers: ['platform', 'bank'], answer: read },
  { method: 'PUT', path: '/consents/*/status', callers: ['platform', 'bank'], answer: change },
  { method: 'PATCH', path: '/consents/*/attributes', callers: ['bank'], answer: describe },
  { method: 'GET', path: '/consents/*/history', callers: ['platform', 'bank'], answer: history },
  { method: 'POST', path: '/uses', callers: ['platform'], answer: noteUses },
];

const MAXIMUM_SCOPES = 100;
const MAXIMUM_ACCOUNTS = 1_000;
const DEFAULT_LIST = 100;
const MAXIMUM_LIST = 500;
const MAXIMUM_USES = 500;
const KEY = /^[\x21-\x7e]{16,128}$/;

/** Answers a request. @throws Problem for everything the caller did wrong */
export async function answerStore(service: Service, request: IncomingMessage, caller: Caller): Promise<Answer> {
  const url = URL.parse(request.url ?? '', 'https://store.invalid');
  if (url === null || !request.url?.startsWith('/')) throw notFound();
  const candidates = routes.flatMap((route) => {
    const id = match(route.path, url.pathname);
    return id === undefined ? [] : [{ route, id }];
  });
  if (candidates.length === 0) throw notFound();
  const found = candidates.find(({ route }) => route.method === request.method);
  if (found === undefined) throw new Problem(405, 'method_not_allowed', 'Not with this method.');
  const { route, id } = found;
  if (!route.callers.includes(caller)) throw new Problem(403, 'role_missing', 'This is not for this caller to do.');
  return route.answer(service, { request, caller, query: url.searchParams, id });
}

/** What stands for the `*`, empty when there is none; undefined when the path is another one. */
function match(pattern: string, path: string): string | undefined {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return path === pattern ? '' : undefined;
  const inner = path.slice(before.length, path.length - after.length);
  if (!path.startsWith(before) || !path.endsWith(after) || inner === '' || inner.includes('/')) return undefined;
  try {
    return decodeURIComponent(inner);
  } catch {
    return undefined;
  }
}

function given(status: number, consent: Consent): Answer {
  return { status, body: written(consent), version: consent.version };
}

function load({ ledger, now }: Service, id: string): Consent {
  const consent = ledger.find(id);
  if (consent === undefined) throw notFound();
  return consentAt(consent, now());
}

const CREATION = ['id', 'participant', 'client', 'customer', 'scopes', 'authorizationDetails', 'expiresAt', 'actor'];

async function create(service: Service, { request }: Asked): Promise<Answer> {
  const { ledger, schema, now } = service;
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string' || !KEY.test(key))
    throw new Problem(400, 'idempotency_key_missing', 'Send an Idempotency-Key of 16 to 128 printable characters.');
  const body = await fields.readFields(request, CREATION, ['attributes']);
  const at = now();
  const consent: Consent = {
    id: fields.reference(body, 'id'),
    participant: fields.reference(body, 'participant'),
    client: fields.reference(body, 'client'),
    customer: fields.referenceOrNull(body, 'customer'),
    state: 'Awaiting',
    scopes: fields.references(body, 'scopes', MAXIMUM_SCOPES),
    accounts: [],
    authorizationDetails: fields.details(body, 'authorizationDetails'),
    attributes: checkAttributes(body.get('attributes') ?? {}, schema),
    createdAt: at,
    changedAt: at,
    expiresAt: fields.moment(body.get('expiresAt'), 'expiresAt'),
    lastUsedAt: null,
    version: 1,
  };
  if (consent.expiresAt <= at) throw fields.invalid('expiresAt');
  const digest = hash('sha256', JSON.stringify([...body].toSorted()));
  const used = ledger.findKey(key);
  if (used !== undefined) return repeat(service, used, digest);
  const step = { at, action: 'create', state: 'Awaiting', actor: fields.actorOf(body) } as const;
  if (!ledger.insert(consent, step, { key, digest }))
    throw new Problem(409, 'id_taken', 'A consent with this id exists already.');
  return given(201, consent);
}

/** The same request again has the same answer; another one under the same key is a mistake. */
function repeat(service: Service, used: { digest: string; consent: string }, digest: string): Answer {
  if (used.digest !== digest)
    throw new Problem(422, 'idempotency_key_reused', 'This Idempotency-Key was used for something else.');
  return given(201, load(service, used.consent));
}

function read(service: Service, { id }: Asked): Answer {
  return given(200, load(service, id));
}

function history(service: Service, { id }: Asked): Answer {
  const consent = load(service, id);
  const steps = service.ledger.steps(id);
  const last = steps.at(-1);
  const ended = last !== undefined && last.state !== consent.state;
  const clock: Actor = { kind: 'system', reference: 'clock' };
  const end = { at: consent.expiresAt, action: 'expire', state: consent.state, actor: clock } as const;
  return { status: 200, body: { steps: [...steps, ...(ended ? [end] : [])].map(writtenStep) } };
}

const AGREEMENT = ['customer', 'scopes', 'accounts', 'expiresAt'];

/** One step of a consent's life, under the version the caller read: of two callers at once, one wins. */
async function change(service: Service, { request, caller, id }: Asked): Promise<Answer> {
  const body = await fields.readFields(request, ['state', 'actor'], AGREEMENT);
  const state = targetOf(body);
  const actor = fields.actorOf(body);
  if (caller === 'bank' && state !== 'Revoked')
    throw new Problem(403, 'role_missing', 'The bank itself can only revoke.');
  const consent = load(service, id);
  checkVersion(request, consent, caller);
  if (state === 'Revoked' && consent.state === 'Revoked') return given(200, consent);
  const { from, action } = reaching[state];
  if (!from.includes(consent.state))
    throw new Problem(409, 'state_invalid', `The consent is ${consent.state}: it cannot become ${state}.`);
  const at = service.now();
  const agreed = agreementOf(body, state, consent, at);
  const next: Consent = { ...consent, ...agreed, state, changedAt: at, version: consent.version + 1 };
  // What the platform does itself, it knows; what the bank does, the platform has to be told.
  if (!service.ledger.replace(next, { at, action, state, actor }, caller === 'bank')) throw stale();
  return given(200, next);
}

function targetOf(body: fields.Fields): Target {
  const name = body.get('state');
  const targets: readonly Target[] = ['Authorised', 'Rejected', 'Consumed', 'Revoked'];
  const target = targets.find((known) => known === name);
  if (target === undefined) throw fields.invalid('state');
  return target;
}

function checkVersion(request: IncomingMessage, consent: Consent, caller: Caller): void {
  const version = request.headers['if-match'];
  if (version === undefined) throw new Problem(428, 'version_missing', 'Name the version you read in If-Match.');
  if (version === '*' && caller === 'bank') return;
  if (version !== `"${consent.version}"`) throw stale();
}

function stale(): Problem {
  return new Problem(412, 'version_stale', 'The consent has changed since you read it.');
}

/** What the customer agreed to: nothing that was not asked, for nobody else (N-195). */
function agreementOf(body: fields.Fields, state: Target, consent: Consent, at: number): Partial<Consent> {
  if (state !== 'Authorised') {
    const surplus = AGREEMENT.find((name) => body.has(name));
    if (surplus !== undefined) throw fields.invalid(surplus);
    return {};
  }
  const missing = AGREEMENT.find((name) => !body.has(name));
  if (missing !== undefined) throw new Problem(400, 'field_missing', `The member "${missing}" is missing.`);
  const customer = fields.reference(body, 'customer');
  const scopes = fields.references(body, 'scopes', MAXIMUM_SCOPES);
  const expiresAt = fields.moment(body.get('expiresAt'), 'expiresAt');
  if (consent.customer !== null && consent.customer !== customer) throw fields.invalid('customer');
  if (!scopes.every((scope) => consent.scopes.includes(scope))) throw fields.invalid('scopes');
  if (expiresAt <= at) throw fields.invalid('expiresAt');
  return { customer, scopes, accounts: fields.references(body, 'accounts', MAXIMUM_ACCOUNTS), expiresAt };
}

/** The bank writes its own attributes beside a consent; everything else stays as it is (CLD-51, CLD-54). */
async function describe(service: Service, { request, caller, id }: Asked): Promise<Answer> {
  const body = await fields.readFields(request, ['attributes']);
  const attributes = checkAttributes(body.get('attributes'), service.schema);
  const consent = load(service, id);
  checkVersion(request, consent, caller);
  // Written from the row as it stands, so that a state that only time brought about is not written with it.
  const kept = service.ledger.find(id) ?? consent;
  const next: Consent = { ...kept, attributes: { ...kept.attributes, ...attributes }, version: kept.version + 1 };
  if (!service.ledger.replace(next, undefined, false)) throw stale();
  return given(200, consentAt(next, service.now()));
}

const QUERY = [
  'customer',
  'participant',
  'client',
  'state',
  'createdFrom',
  'createdTo',
  'afterCreatedAt',
  'afterId',
  'limit',
];

function list({ ledger, now }: Service, { query }: Asked): Answer {
  const filter = filterOf(fields.readQuery(query, QUERY));
  const consents = ledger.list(filter, now()).map((consent) => written(consentAt(consent, now())));
  return { status: 200, body: { consents } };
}

function filterOf(query: ReadonlyMap<string, string>): ListFilter {
  const momentOf = (name: string): number | undefined =>
    query.has(name) ? fields.moment(query.get(name), name) : undefined;
  const [createdAt, id] = [momentOf('afterCreatedAt'), query.get('afterId')];
  if ((createdAt === undefined) !== (id === undefined)) throw fields.invalid('afterId');
  return {
    customer: query.get('customer'),
    participant: query.get('participant'),
    client: query.get('client'),
    state: stateOf(query.get('state')),
    createdFrom: momentOf('createdFrom'),
    createdTo: momentOf('createdTo'),
    after: createdAt === undefined || id === undefined ? undefined : { createdAt, id },
    limit: limitOf(query.get('limit')),
  };
}

function stateOf(name: string | undefined): State | undefined {
  if (name === undefined) return undefined;
  const state = states.find((known) => known === name);
  if (state === undefined) throw fields.invalid('state');
  return state;
}

function limitOf(value: string | undefined): number {
  const limit = Number(value ?? DEFAULT_LIST);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAXIMUM_LIST) throw fields.invalid('limit');
  return limit;
}

async function noteUses({ ledger }: Service, { request }: Asked): Promise<Answer> {
  const uses = (await fields.readFields(request, ['uses'])).get('uses');
  if (!Array.isArray(uses) || uses.length > MAXIMUM_USES) throw fields.invalid('uses');
  const notes = uses.map((use: unknown) => {
    const members: fields.Fields = new Map(Object.entries(typeof use === 'object' && use !== null ? use : {}));
    return { id: fields.reference(members, 'id'), at: fields.moment(members.get('at'), 'at') };
  });
  for (const { id, at } of notes) ledger.noteUse(id, at);
  return { status: 204, body: undefined };
}
