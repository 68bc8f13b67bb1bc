import type { Fetcher, FetchResponse } from '../platform/fetch.ts';
import { uuid } from '../platform/random.ts';

/** What is said to the bank's store. */
export interface StoreCall {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** With the ids in it, percent-encoded; the query included. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What it answered; `body` is undefined where an answer has none. */
export interface StoreAnswer {
  readonly status: number;
  readonly body: unknown;
  /** The entity tag, as `If-Match` takes it back. */
  readonly version: string | undefined;
}

/** Calls the bank's store. @throws Error when there is no whole, well-formed answer to this very call */
export type CallStore = (call: StoreCall) => Promise<StoreAnswer>;

/**
 * Ties an answer to its call: a store that answers twice over one connection must not have its second answer taken for the
 * next call's.
 */
const CALL_ID = 'x-request-id';
const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;
/** A strong entity tag (RFC 9110 §8.8.3). */
const STRONG_TAG = /^"[\x21\x23-\x7e]{1,128}"$/;
const NO_CONTENT = 204;

/** @throws Error when the origin is more or less than `https://host:port` */
export function createStoreCalls(fetcher: Pick<Fetcher, 'request'>, origin: string): CallStore {
  const url = new URL(origin);
  if (url.protocol !== 'https:' || url.origin !== origin)
    throw new Error(`consent store ${origin}: write https://host:port`);
  return async ({ method, path, body, headers }) => {
    const id = uuid();
    const answer = await whole(
      fetcher.request({
        method,
        url: `${origin}${path}`,
        headers: {
          ...headers,
          accept: 'application/json',
          [CALL_ID]: id,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    if (answer.headers[CALL_ID] !== id) throw new Error(`the consent store answered ${method} with another call's id`);
    return { status: answer.status, body: contentOf(answer), version: versionOf(answer) };
  };
}

/** To our callers it is the consent store that failed, not the bank behind us. */
async function whole(answer: Promise<FetchResponse>): Promise<FetchResponse> {
  try {
    return await answer;
  } catch (cause) {
    throw new Error('the consent store gave no whole answer', { cause });
  }
}

function contentOf({ status, headers, body }: FetchResponse): unknown {
  if (status === NO_CONTENT && body.length === 0) return undefined;
  if (!JSON_TYPE.test(headers['content-type'] ?? '') || headers['content-encoding'] !== undefined)
    throw new Error(`the consent store answered ${status} with something that is not JSON`);
  return parse(body, status);
}

function parse(octets: Uint8Array, status: number): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets));
  } catch {
    // The parser's message quotes the text, which may name a customer.
    throw new Error(`the consent store answered ${status} with malformed JSON`);
  }
}

function versionOf({ headers }: FetchResponse): string | undefined {
  const { etag } = headers;
  if (etag === undefined) return undefined;
  if (!STRONG_TAG.test(etag)) throw new Error('the consent store gave no strong entity tag');
  return etag;
}

/** An id as one segment of a path. */
export function segment(id: string): string {
  return encodeURIComponent(id);
}

/** `.` and `..` survive encoding and would climb: no consent elsewhere can have such an id. */
export function isSegment(id: string): boolean {
  return id !== '.' && id !== '..';
}
