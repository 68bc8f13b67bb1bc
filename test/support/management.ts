import assert from 'node:assert/strict';
import type { Agent } from 'node:https';
import { call, type Received } from './http.ts';
import type { TestPlatform } from './platform.ts';
import type { Registered, ThirdParty } from './third-party.ts';

/** A bank's own service: its entry in the directory, its client, and the way to the management API. */
export interface BankService {
  readonly party: ThirdParty;
  readonly client: Registered;
  /** An access token with exactly these scopes. @throws Error when the bank gives none */
  token(scope: string): Promise<string>;
  /** One call; `token` undefined: none is sent. */
  send(
    method: string,
    path: string,
    token: string | undefined,
    sent?: { readonly body?: unknown; readonly agent?: Agent; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Received>;
}

/** Registers the bank's own service, as the bank's staff would. */
export async function bankService(platform: TestPlatform, bank: string): Promise<BankService> {
  const party = await platform.thirdParty(`${bank}-core`, ['ASPSP']);
  const client = await party.register(bank, 'private_key_jwt', { grant_types: ['client_credentials'] });
  return {
    party,
    client,
    token: async (scope) => {
      const answer = await party.clientToken(client, scope);
      if (answer.status !== 200) throw new Error(`no token for ${scope}: ${answer.status} ${answer.text}`);
      return String(answer.json().access_token);
    },
    send: (method, path, token, sent = {}) =>
      manage(platform, method, `/${bank}${path}`, token, { agent: party.agent, ...sent }),
  };
}

/** One call of the management API by whoever holds the agent. */
export function manage(
  platform: TestPlatform,
  method: string,
  path: string,
  token: string | undefined,
  sent: { readonly body?: unknown; readonly agent?: Agent; readonly headers?: Readonly<Record<string, string>> },
): Promise<Received> {
  const origin = platform.settings.doors.management?.origin ?? '';
  return call(`${origin}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...sent.headers,
    },
    ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
    agent: sent.agent ?? platform.browserAgent,
  });
}

/** Why staff acts, in tests. */
export const why = { reason: 'asked by the customer at the counter' };

/** Holds a refusal to its form: status, code, sentence, and the trace id of its header. */
export function refuses(answer: Received, status: number, reason: string): void {
  assert.equal(answer.status, status, answer.text);
  const { error } = answer.json();
  assert.ok(typeof error === 'object' && error !== null && 'reason' in error && 'message' in error);
  assert.ok('traceId' in error && error.traceId === answer.headers['x-fapi-interaction-id']);
  assert.equal(error.reason, reason, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
}

/** A JSON object. */
export function record(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value));
  return { ...value };
}

/** A list of JSON objects. */
export function listOf(value: unknown): readonly Record<string, unknown>[] {
  assert.ok(Array.isArray(value));
  return value.map(record);
}
