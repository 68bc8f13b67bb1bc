import type { Actor } from '../audit/index.ts';
import { randomToken } from '../platform/random.ts';
import type { Authorisation, Consent, ConsentFilter, ConsentState, ConsentStep, NewConsent } from './consent.ts';
import { parseConsent, parseConsents, parseSteps } from './external-answer.ts';
import { type CallStore, type StoreAnswer, segment } from './external-calls.ts';
import { words } from './history.ts';
import type { ConsentUse } from './store.ts';

/** A consent as the store keeps it, and the version a change has to name. */
export interface Kept {
  readonly consent: Consent;
  readonly version: string;
}

/** What a change is to lead to. */
export interface Change {
  readonly state: Exclude<ConsentState, 'Awaiting' | 'Expired'>;
  readonly actor: Actor;
  /** With `Authorised` alone. */
  readonly agreed?: Authorisation;
}

/** What became of a change: `stale` when the consent is no longer what it was, `declined` when the store says no for good. */
export type Changed = Kept | 'stale' | 'absent' | 'declined';

/**
 * The bank's store, spoken to in the words of docs/integrate/consent-store.md. Every function throws an Error when the
 * answer is missing, late, malformed or of another consent: nobody knows then what the store did.
 */
export interface Remote {
  read(id: string): Promise<Kept | undefined>;
  /** `taken` when the id is in use. */
  create(asked: NewConsent, actor: Actor): Promise<Kept | 'taken'>;
  change(kept: Kept, change: Change): Promise<Changed>;
  /** One page, newest first. */
  list(filter: ConsentFilter, limit: number): Promise<readonly Consent[]>;
  steps(id: string): Promise<readonly ConsentStep[] | undefined>;
  noteUses(uses: readonly ConsentUse[]): Promise<void>;
  health(): Promise<boolean>;
}

/** Uses told in one call. */
const USES_AT_ONCE = 500;

/** The store of one bank behind `call`. */
export function createRemote(call: CallStore, bank: string): Remote {
  return {
    read: async (id) => {
      const answer = await call({ method: 'GET', path: pathOf(id) });
      return answer.status === 404 ? undefined : keptOf(answer, 200, bank, id);
    },
    create: async (asked, actor) => {
      const { bank: _, decideBefore, ...rest } = asked;
      const answer = await call({
        method: 'POST',
        path: '/consents',
        headers: { 'idempotency-key': randomToken() },
        body: { ...rest, customer: asked.customer ?? null, expiresAt: decideBefore.toISOString(), actor: told(actor) },
      });
      return answer.status === 409 ? 'taken' : keptOf(answer, 201, bank, asked.id);
    },
    change: (kept, change) => changeAt(call, bank, kept, change),
    list: async (filter, limit) => {
      const answer = await call({ method: 'GET', path: `/consents?${queryOf(filter, limit)}` });
      expect(answer, 200);
      return parseConsents(answer.body, bank, limit);
    },
    steps: async (id) => {
      const answer = await call({ method: 'GET', path: `${pathOf(id)}/history` });
      if (answer.status === 404) return undefined;
      expect(answer, 200);
      return parseSteps(answer.body);
    },
    noteUses: async (uses) => {
      for (let first = 0; first < uses.length; first += USES_AT_ONCE) {
        const some = uses.slice(first, first + USES_AT_ONCE).map(({ id, at }) => ({ id, at: at.toISOString() }));
        expect(await call({ method: 'POST', path: '/uses', body: { uses: some } }), 204);
      }
    },
    health: async () => (await call({ method: 'GET', path: '/health' })).status === 200,
  };
}

async function changeAt(call: CallStore, bank: string, kept: Kept, change: Change): Promise<Changed> {
  const { id } = kept.consent;
  const answer = await call({
    method: 'PUT',
    path: `${pathOf(id)}/status`,
    headers: { 'if-match': kept.version },
    body: { state: change.state, actor: told(change.actor), ...agreedOf(change.agreed) },
  });
  if (answer.status === 412 || answer.status === 409) return 'stale';
  if (answer.status === 404) return 'absent';
  if ([400, 401, 403, 405, 413, 415, 422, 428].includes(answer.status)) return 'declined';
  return keptOf(answer, 200, bank, id);
}

/** @throws Error when the answer is of another kind, without version, or of another consent than was asked (CLD-54, N-199) */
function keptOf(answer: StoreAnswer, status: number, bank: string, id: string): Kept {
  expect(answer, status);
  const consent = parseConsent(answer.body, bank);
  if (consent.id !== id) throw new Error('the consent store answered with another consent than it was asked for');
  if (answer.version === undefined) throw new Error('the consent store gave no version');
  return { consent, version: answer.version };
}

function expect(answer: StoreAnswer, status: number): void {
  if (answer.status !== status) throw new Error(`the consent store answered ${answer.status} instead of ${status}`);
}

function pathOf(id: string): string {
  return `/consents/${segment(id)}`;
}

function told({ kind, reference, reason }: Actor) {
  return { kind, reference: words(reference), ...(reason === undefined ? {} : { reason: words(reason) }) };
}

function agreedOf(agreed: Authorisation | undefined) {
  return agreed === undefined ? {} : { ...agreed, expiresAt: agreed.expiresAt.toISOString() };
}

function queryOf({ customer, participant, client, state, after }: ConsentFilter, limit: number): URLSearchParams {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries({ customer, participant, client, state }))
    if (value !== undefined) query.set(name, value);
  if (after !== undefined) {
    query.set('afterCreatedAt', after.createdAt.toISOString());
    query.set('afterId', after.id);
  }
  return query;
}
