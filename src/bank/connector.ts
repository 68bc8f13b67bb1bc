import type { Fetcher, FetchResponse } from '../platform/fetch.ts';
import { Refusal } from '../platform/refusal.ts';
import { parseAccounts, parseCustomer, parseNumber } from './answer.ts';
import type { BankConnector } from './bank.ts';

/** Where the bank is and how it is called. */
export interface BankConnectorOptions {
  /** With the bank's authorities, our certificate, and limits on time and size; private addresses allowed: the operator wrote them. */
  readonly fetcher: Pick<Fetcher, 'request'>;
  /** `https://host:port` of the bank's own service. */
  readonly origin: string;
  /** Headers by which the bank knows that it is us, made anew for each call. */
  readonly headers?: ((call: BankCall) => Promise<Readonly<Record<string, string>>>) | undefined;
}

/** A call to the bank, as far as a signature over it goes. */
export interface BankCall {
  readonly method: 'GET' | 'POST';
  /** With the ids in it, percent-encoded. */
  readonly path: string;
}

/**
 * The bank's own service over HTTPS: `POST /sign-in`, `GET /customers/{id}/accounts`,
 * `GET /customers/{id}/accounts/{account}/number`. What it answers is parsed strictly; anything unexpected is no answer.
 * @throws Error when the origin is more or less than `https://host:port`
 */
export function createBankConnector({ fetcher, origin, headers }: BankConnectorOptions): BankConnector {
  checkOrigin(origin);
  const call = async (bankCall: BankCall, body?: string): Promise<FetchResponse> => {
    const own = (await headers?.(bankCall)) ?? {};
    const content = body === undefined ? {} : { 'content-type': 'application/json' };
    try {
      return await fetcher.request({
        method: bankCall.method,
        url: `${origin}${bankCall.path}`,
        headers: { ...own, ...content, accept: 'application/json' },
        ...(body === undefined ? {} : { body }),
      });
    } catch (cause) {
      throw unavailable('no_answer', cause);
    }
  };
  return {
    signIn: async (username, password) => {
      const answer = await call({ method: 'POST', path: '/sign-in' }, JSON.stringify({ username, password }));
      return answer.status === 401 ? undefined : parseAnswer(answer, parseCustomer);
    },
    accounts: async (customer) => {
      const answer = await call({ method: 'GET', path: `/customers/${segment(customer)}/accounts` });
      return parseAnswer(answer, parseAccounts);
    },
    accountNumber: async (customer, account) => {
      const path = `/customers/${segment(customer)}/accounts/${segment(account)}/number`;
      const answer = await call({ method: 'GET', path });
      return answer.status === 404 ? undefined : parseAnswer(answer, parseNumber);
    },
  };
}

function checkOrigin(origin: string): void {
  const url = new URL(origin);
  if (url.protocol !== 'https:' || url.origin !== origin) throw new Error(`bank ${origin}: write https://host:port`);
}

/** An id as one segment of a path. `.` and `..` survive encoding and would climb. @throws Refusal `field_invalid` 400 */
function segment(id: string): string {
  if (id === '' || id === '.' || id === '..') throw new Refusal('field_invalid', 400, 'This is not an id.');
  return encodeURIComponent(id);
}

/** @throws Refusal `upstream_unavailable` 502 unless the answer is 200 with the JSON that was agreed */
function parseAnswer<T>(answer: FetchResponse, parse: (value: unknown) => T | undefined): T {
  if (answer.status !== 200) throw unavailable(`status_${answer.status}`);
  if (!/^application\/json\s*(;|$)/i.test(answer.headers['content-type'] ?? '')) throw unavailable('content_type');
  const parsed = parse(readJson(answer.body));
  if (parsed === undefined) throw unavailable('malformed');
  return parsed;
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // The cause would quote the body, which may hold personal details.
    throw unavailable('malformed');
  }
}

function unavailable(detail: string, cause?: unknown): Refusal {
  return new Refusal('upstream_unavailable', 502, 'The bank behind us gave no usable answer. Try again later.', {
    detail,
    cause,
  });
}
