import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, fetch as send } from 'undici';
import type { Places } from '../places.ts';

/** A request with its answer, as a transcript shows it. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly requestBody: string | undefined;
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly responseBody: string;
  /** PEM of the client certificate that the connection has, whether the other side asks for it or not. */
  readonly certificate?: string | undefined;
}

/** What a request needs. */
export interface WireRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A connection to the bank, with or without a client certificate; every exchange is told to a listener. */
export interface Wire {
  send(url: string, request?: WireRequest): Promise<Exchange>;
  /** How many connections were opened so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** A TLS identity: certificate with chain, and key, as PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** Longest wait for an answer, in milliseconds. */
const ANSWER_MS = 15_000;

/** The transport identity of a participant. */
export async function transportIdentity(places: Places, participant: string): Promise<Identity> {
  const path = join(places.participants, participant, 'transport');
  const [certificate, key] = await Promise.all([readFile(`${path}.pem`, 'utf8'), readFile(`${path}.key`, 'utf8')]);
  return { certificate, key };
}

/** The root that every server certificate of the sandbox leads to. @throws Error when there is no sandbox yet */
export function trustedRoot(places: Places): Promise<string> {
  return readFile(join(places.authority, 'root.pem'), 'utf8').catch((cause: unknown) => {
    throw new Error('there is no sandbox yet: run npm start in another terminal first', { cause });
  });
}

/** Opens a wire that trusts the sandbox's root alone. Redirects are not followed: the caller wants to see them. */
export function openWire(root: string, identity: Identity | undefined, listen: (exchange: Exchange) => void): Wire {
  const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key };
  const dispatcher = new Agent({ connect: { ca: root, ...own }, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS });
  let connections = 0;
  dispatcher.on('connect', () => {
    connections += 1;
  });
  return {
    get connections() {
      return connections;
    },
    close: () => dispatcher.close(),
    send: async (url, { method = 'GET', headers = {}, body } = {}) => {
      const answer = await send(url, {
        dispatcher,
        method,
        headers,
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
      });
      const exchange: Exchange = {
        method,
        url,
        requestHeaders: headers,
        requestBody: body,
        status: answer.status,
        responseHeaders: Object.fromEntries(answer.headers),
        cookies: answer.headers.getSetCookie(),
        responseBody: await answer.text(),
        certificate: identity?.certificate,
      };
      listen(exchange);
      return exchange;
    },
  };
}

/** True when the connection was there, and the other side ended it before it answered anything. */
export async function isCutOff(wire: Wire, url: string): Promise<boolean> {
  const before = wire.connections;
  const exchange = await wire.send(url).catch(() => undefined);
  return exchange === undefined && wire.connections > before;
}

/** What openid-client asks with. */
export interface FetchOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The wire as openid-client's `customFetch`. */
export function fetchOver(wire: Wire): (url: string, options: FetchOptions) => Promise<Response> {
  return async (url, { method, headers, body }) => {
    const exchange = await wire.send(url, { method, headers, ...(body == null ? {} : { body: textOf(body) }) });
    const empty = exchange.status === 204 || exchange.status === 304;
    return new Response(empty ? null : exchange.responseBody, {
      status: exchange.status,
      headers: { ...exchange.responseHeaders },
    });
  };
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  throw new Error('this wire sends texts alone');
}
