import { randomUUID } from 'node:crypto';
import {
  type Configuration,
  fetchProtectedResource,
  refreshTokenGrant,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import type { BankClient } from './bank-client.ts';
import { isRefusal, PermissionEnded, Problem, sentenceOf } from './problem.ts';
import type { Connection, Store, Tokens } from './store.ts';

/** An answer of a bank's API. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A request to a bank's API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

/** An access token about to end is renewed before, rather than refused on the way. */
const RENEW_BEFORE_MS = 20_000;

/** Sends a request with a token, over the connection with Financroo's certificate (N-120). */
export async function callApi(client: BankClient, access: string, request: ApiRequest): Promise<ApiAnswer> {
  const { method, path, body } = request;
  const headers = new Headers({ accept: 'application/json', 'x-fapi-interaction-id': randomUUID() });
  if (body !== undefined) headers.set('content-type', 'application/json');
  const url = new URL(`${client.bank.resourceBase}${path}`);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetchProtectedResource(client.configuration(), access, url, method, text, headers).catch(
    refused,
  );
  return { status: answer.status, body: parse(await answer.text()) };
}

/** openid-client makes an error of an answer with `WWW-Authenticate`; the answer inside says more. */
function refused(cause: unknown): Response {
  if (cause instanceof WWWAuthenticateChallengeError) return cause.response;
  throw cause;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads with a customer's permission. @throws PermissionEnded when the bank says that it is over, Problem for everything else
 */
export async function askFor(connection: Connection, client: BankClient, store: Store, request: ApiRequest, now: Date) {
  const { name } = client.bank;
  return inWords(name, async () => {
    const { access, fresh } = await accessOf(connection, client, store, now);
    let answer = await callApi(client, access, request);
    // Revoked, or expired by the bank's clock: only the refresh token tells which.
    if (answer.status === 401 && fresh)
      answer = await callApi(client, await renew(connection, client, store, now), request);
    return checked(answer, name);
  });
}

/** An access token that is alive, renewed when its time is nearly over. @throws PermissionEnded as the bank says */
export async function liveAccess(connection: Connection, client: BankClient, store: Store, now: Date): Promise<string> {
  const { access } = await inWords(client.bank.name, () => accessOf(connection, client, store, now));
  return access;
}

/** `fresh` when it is the one that was kept, not a new one. */
async function accessOf(connection: Connection, client: BankClient, store: Store, now: Date) {
  const { access, accessEndsAt } = tokensOf(store, connection);
  const fresh = Date.parse(accessEndsAt) - now.getTime() > RENEW_BEFORE_MS;
  return { access: fresh ? access : await renew(connection, client, store, now), fresh };
}

/** What goes wrong on the way is told in a sentence; what has one already keeps it. */
async function inWords<Result>(bank: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PermissionEnded || cause instanceof Problem) throw cause;
    throw new Problem(sentenceOf(cause, bank), { cause });
  }
}

function tokensOf(store: Store, { id }: Connection): Tokens {
  const tokens = store.find(id)?.tokens;
  if (tokens === undefined) throw new PermissionEnded('there are no tokens any more');
  return tokens;
}

/** RFC 6749 §6. `invalid_grant`: the permission behind the refresh token has ended. */
async function renew(connection: Connection, client: BankClient, store: Store, now: Date): Promise<string> {
  const { refresh } = tokensOf(store, connection);
  if (refresh === undefined) throw new PermissionEnded('there is no refresh token');
  const answer = await refreshed(client.configuration(), refresh);
  const tokens: Tokens = {
    access: answer.access_token,
    accessEndsAt: new Date(now.getTime() + (answer.expires_in ?? 60) * 1_000).toISOString(),
    refresh: answer.refresh_token ?? refresh,
  };
  const current = store.find(connection.id);
  // Meanwhile the customer may have disconnected: then there is nothing to keep.
  if (current?.standing === 'connected') await store.save({ ...current, tokens });
  return tokens.access;
}

async function refreshed(configuration: Configuration, refresh: string) {
  try {
    return await refreshTokenGrant(configuration, refresh);
  } catch (cause) {
    if (isRefusal(cause, 'invalid_grant')) throw new PermissionEnded('the refresh token is worth nothing', { cause });
    throw cause;
  }
}

function checked({ status, body }: ApiAnswer, bank: string): unknown {
  if (status >= 200 && status < 300) return body;
  const { reason, message } = refusalIn(body);
  if (status === 401 || (status === 403 && reason.startsWith('consent_'))) throw new PermissionEnded(reason);
  if (status === 429) throw new Problem(`${bank} asks for a pause: too many requests.`);
  throw new Problem(`${bank} refused: ${message} (${reason}).`);
}

/** What a bank's refusal says: its reason and its sentence. */
export function refusalIn(body: unknown): { readonly reason: string; readonly message: string } {
  const error: unknown = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  if (typeof error !== 'object' || error === null) return { reason: 'no reason', message: 'it gave no reason' };
  const { reason, message } = { reason: undefined, message: undefined, ...error };
  return { reason: String(reason ?? 'no reason'), message: String(message ?? 'it gave no reason') };
}
