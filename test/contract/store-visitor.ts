import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:https';
import { after, before } from 'node:test';
import { call, type Received } from '../support/http.ts';

/** A certificate and its key, PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** A consent store to be judged, of whatever make. It may hold other consents; the tests make their own. */
export interface StoreUnderTest {
  /** `https://host:port` */
  readonly origin: string;
  /** PEM of the authorities of its server certificate. */
  readonly authorities: string;
  readonly platform: Identity;
  /** The bank's staff; without it the tests of their operations are left out. */
  readonly bank?: Identity | undefined;
  /** A certificate that the store's authority made for somebody else; without it that test is left out. */
  readonly stranger?: Identity | undefined;
  /** A declared attribute with a value that fits and one that does not. */
  readonly attribute?: { readonly name: string; readonly right: unknown; readonly wrong: unknown } | undefined;
  close?(): Promise<void>;
}

/** A minute in milliseconds. */
export const MINUTE_MS = 60_000;
/** Who acts in these tests. */
export const ACTOR = { kind: 'system', reference: 'contract-test' };

/** Somebody who speaks to a store under test. */
export type Visitor = ReturnType<typeof openVisitor>;
/** A JSON object. */
export type Body = Readonly<Record<string, unknown>>;

/** Opens the store before the tests of a suite and lets go of it after them. */
export function openVisitor(open: () => Promise<StoreUnderTest>) {
  let opened: { target: StoreUnderTest; agents: Map<Identity | undefined, Agent> } | undefined;
  const parts = () => {
    if (opened === undefined) throw new Error('the store opens before the first test');
    return opened;
  };
  before(async () => {
    opened = { target: await open(), agents: new Map() };
  });
  after(async () => {
    for (const agent of parts().agents.values()) agent.destroy();
    await parts().target.close?.();
  });
  const agentOf = (identity: Identity | undefined): Agent => {
    const { target, agents } = parts();
    const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key };
    const agent = agents.get(identity) ?? new Agent({ keepAlive: true, ca: target.authorities, ...own });
    agents.set(identity, agent);
    return agent;
  };
  /** A call as somebody; `body` undefined sends none. */
  const as =
    (identity: Identity | undefined) =>
    (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      call(`${parts().target.origin}${path}`, {
        method,
        agent: agentOf(identity),
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
  const send: ReturnType<typeof as> = (...words) => as(parts().target.platform)(...words);
  const create = (changes: Body = {}, key = randomUUID()) =>
    send('POST', '/consents', creation(changes), { 'idempotency-key': key });
  const change = (id: unknown, version: string | undefined, body: Body) =>
    send(
      'PUT',
      `/consents/${id}/status`,
      { actor: ACTOR, ...body },
      version === undefined ? {} : { 'if-match': version },
    );
  const made = async (changes: Body = {}): Promise<Received> => {
    const answer = await create(changes);
    assert.equal(answer.status, 201, answer.text);
    return answer;
  };
  const agreed = async (changes: Body = {}): Promise<Received> => {
    const waiting = await made(changes);
    const answer = await change(waiting.json().id, waiting.headers.etag, agreement(changes));
    assert.equal(answer.status, 200, answer.text);
    return answer;
  };
  return { target: () => parts().target, as, send, create, change, made, agreed };
}

/** A moment from now, as the contract writes it. */
export function later(milliseconds: number): string {
  return new Date(Date.now() + milliseconds).toISOString();
}

/** A whole request for a consent, with what a test changes. */
export function creation(changes: Body = {}): Body {
  return {
    id: `contract-${randomUUID()}`,
    participant: 'contract-participant',
    client: 'contract-client',
    customer: 'contract-customer',
    scopes: ['accounts', 'payments.create'],
    authorizationDetails: [{ type: 'contract', amount: '1.00' }],
    expiresAt: later(10 * MINUTE_MS),
    actor: ACTOR,
    ...changes,
  };
}

/** What a customer agrees to. */
export function agreement(changes: Body = {}): Body {
  return {
    state: 'Authorised',
    customer: changes.customer ?? 'contract-customer',
    scopes: ['accounts'],
    accounts: ['account-2', 'account-1'],
    expiresAt: later(90 * MINUTE_MS),
  };
}

/** A refusal says what was wrong, as JSON with a stable reason. */
export function refused(answer: Received, ...statuses: readonly number[]): void {
  assert.ok(statuses.includes(answer.status), `${answer.status} instead of ${statuses.join(' or ')}: ${answer.text}`);
  const { error } = answer.json();
  assert.ok(typeof error === 'object' && error !== null && 'reason' in error && typeof error.reason === 'string');
}

export function tagOf({ headers }: Received): string {
  assert.match(headers.etag ?? '', /^"[\x21\x23-\x7e]{1,128}"$/, 'a strong entity tag');
  return headers.etag ?? '';
}
