import { lookup as lookUp } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, Client, type Dispatcher, Pool } from 'undici';
import { isPublicAddress } from './address.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { Refusal } from './refusal.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;
const DEFAULT_MAXIMUM_BYTES = 1024 * 1024;
const MAXIMUM_HEADER_BYTES = 32 * 1024;
/** Sockets to one host: whatever makes us call out cannot flood it through us. */
const CONNECTIONS_PER_HOST = 16;
const KEEP_ALIVE_MS = 4_000;

/** Names to addresses, as `dns.lookup` with `all` does it. */
export type Resolve = (hostname: string, answer: (error: Error | null, addresses: readonly string[]) => void) => void;

/** With whom, as whom and how long a fetcher talks. */
export interface FetcherOptions {
  /** True: private, loopback and link-local addresses may be called. For addresses the operator wrote, never for a caller's. */
  readonly allowPrivateAddresses: boolean;
  /** True: `http:` may be called as well. */
  readonly allowPlainHttp?: boolean;
  /** PEM certificates to trust instead of the public ones. */
  readonly authorities?: readonly string[];
  /** Our own identity, PEM, both or neither. */
  readonly certificate?: string;
  readonly key?: string;
  /** Limit on the whole call, connecting and body included. */
  readonly timeoutMs?: number;
  /** Limit on the response body. */
  readonly maximumBytes?: number;
  /** Name resolution; the system's unless given. */
  readonly resolve?: Resolve;
}

/** One call. */
export interface FetchRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** A whole answer; several headers of one name are joined by a comma. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The way out of this process, with limits. */
export interface Fetcher {
  /**
   * Calls and reads the whole answer; a redirect is an answer and is not followed.
   * @throws Refusal `address_refused` 400 when the URL or the address it leads to may not be called; `upstream_unavailable`
   * 502 when there is no complete answer within the limits.
   */
  request(request: FetchRequest): Promise<FetchResponse>;
  /** The same as a `fetch` for libraries; a redirect is refused unless they ask for `manual`. */
  asWebFetch(): typeof fetch;
  close(): Promise<void>;
}

/** A fetcher with its own connections. */
export function createFetcher(options: FetcherOptions): Fetcher {
  const agent = new Agent({
    allowH2: false,
    connections: CONNECTIONS_PER_HOST,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    maxResponseSize: options.maximumBytes ?? DEFAULT_MAXIMUM_BYTES,
    connect: { ...identityOf(options), timeout: CONNECT_TIMEOUT_MS, lookup: guardedLookup(options) },
  });
  const request = async (call: FetchRequest): Promise<FetchResponse> => {
    const url = checkUrl(call.url, options);
    const limit = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const signal = call.signal === undefined ? limit : AbortSignal.any([limit, call.signal]);
    try {
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: methodOf(call.method),
        headers: { ...call.headers },
        body: call.body ?? null,
        signal,
      });
      return { status: answer.statusCode, headers: joined(answer.headers), body: await answer.body.bytes() };
    } catch (cause) {
      throw refusalOf(cause, url);
    }
  };
  return { request, asWebFetch: () => (input, init) => webFetch(request, input, init), close: () => agent.destroy() };
}

/** What an upstream is and how long it may take. */
export interface UpstreamOptions {
  /** Scheme, host and port; the operator's word, so private addresses are allowed. */
  readonly origin: string;
  readonly authorities?: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
  /** Most sockets at a time; further requests wait. */
  readonly connections?: number;
  /** Longest wait for the response's head, and for each further piece of its body. */
  readonly headersTimeoutMs?: number;
  readonly bodyTimeoutMs?: number;
}

/** The one server the gateway forwards to, over kept connections. */
export interface Upstream {
  readonly origin: string;
  /** For requests with a body: `dispatch` with handlers is the fastest way through undici (performance.md §1). */
  readonly dispatcher: Dispatcher;
  /** For requests without one, which nearly all are (decision 9). */
  readonly get: Forwarder['get'];
  close(): Promise<void>;
}

const UPSTREAM_CONNECTIONS = 128;
const UPSTREAM_HEADERS_TIMEOUT_MS = 10_000;
const UPSTREAM_BODY_TIMEOUT_MS = 30_000;
/** Shorter than what servers keep idle connections for, so that few are ended under a request. */
const UPSTREAM_IDLE_MS = 4_000;

/** A pool of connections to one origin. @throws Error when the origin is not `https://host[:port]` */
export function createUpstream(options: UpstreamOptions): Upstream {
  const url = new URL(options.origin);
  if (url.protocol !== 'https:' || url.origin !== options.origin) {
    throw new Error(`upstream ${options.origin}: write https://host:port and nothing else`);
  }
  const tls = identityOf(options);
  const connections = options.connections ?? UPSTREAM_CONNECTIONS;
  const headersMs = options.headersTimeoutMs ?? UPSTREAM_HEADERS_TIMEOUT_MS;
  const bodyMs = options.bodyTimeoutMs ?? UPSTREAM_BODY_TIMEOUT_MS;
  const dispatcher = new Pool(url.origin, {
    allowH2: false,
    connections,
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    connect: { ...tls, timeout: CONNECT_TIMEOUT_MS },
  });
  const waits = { connectMs: CONNECT_TIMEOUT_MS, headersMs, bodyMs, idleMs: UPSTREAM_IDLE_MS };
  const { get, close } = createForwarder({ url, tls, connections, waits });
  return {
    origin: url.origin,
    dispatcher,
    get,
    close: async () => {
      close();
      await dispatcher.destroy();
    },
  };
}

/** A command may rotate keys and re-encrypt what they protect. */
const LOCAL_TIMEOUT_MS = 120_000;

/**
 * Posts to the process that listens on a UNIX socket (see `openLocalDoor`) and gives its answer; undefined when no process
 * listens there.
 */
export async function callLocal(path: string, body: string): Promise<string | undefined> {
  const client = new Client('http://localhost', {
    socketPath: path,
    headersTimeout: LOCAL_TIMEOUT_MS,
    bodyTimeout: LOCAL_TIMEOUT_MS,
  });
  try {
    const answer = await client.request({ method: 'POST', path: '/', body });
    if (answer.statusCode !== 200) throw new Error(`the running process answered ${answer.statusCode}`);
    return await answer.body.text();
  } catch (cause) {
    if (['ENOENT', 'ECONNREFUSED'].includes(codeOf(cause))) return undefined;
    throw cause;
  } finally {
    await client.destroy();
  }
}

function identityOf({ authorities, certificate, key }: Pick<FetcherOptions, 'authorities' | 'certificate' | 'key'>) {
  if ((certificate === undefined) !== (key === undefined)) throw new Error('a certificate and its key belong together');
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(authorities === undefined ? {} : { ca: [...authorities] }),
    ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
  } as const;
}

function refusedAddress(message: string, detail: string): Refusal {
  return new Refusal('address_refused', 400, message, { detail });
}

function checkUrl(text: string, options: FetcherOptions): URL {
  if (!URL.canParse(text)) throw refusedAddress('this is not an address that can be called', 'malformed');
  const url = new URL(text);
  const schemes = options.allowPlainHttp === true ? ['https:', 'http:'] : ['https:'];
  if (!schemes.includes(url.protocol)) throw refusedAddress('only https addresses are called', 'scheme');
  if (url.username !== '' || url.password !== '') throw refusedAddress('an address carries no user name', 'userinfo');
  // A literal address is never looked up, so it is judged here; the URL parser has already made it canonical.
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !options.allowPrivateAddresses && !isPublicAddress(host)) throw privateAddress();
  return url;
}

function privateAddress(): Refusal {
  return refusedAddress('this address leads to a network that is not called', 'private');
}

const systemResolve: Resolve = (hostname, answer) =>
  lookUp(hostname, { all: true }, (error, found) =>
    answer(error, error === null ? found.map((one) => one.address) : []),
  );

/**
 * Judges the very addresses the socket will connect to: a name that answers differently the second time (DNS rebinding)
 * gains nothing. One address that may not be called condemns the name.
 */
function guardedLookup({ allowPrivateAddresses, resolve = systemResolve }: FetcherOptions): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname, (error, addresses) => {
      const [first] = addresses;
      if (error !== null) callback(error, []);
      else if (first === undefined) callback(new Error(`${hostname} has no address`), []);
      else if (!allowPrivateAddresses && !addresses.every(isPublicAddress)) callback(privateAddress(), []);
      else if (all === true)
        callback(
          null,
          addresses.map((address) => ({ address, family: isIP(address) })),
        );
      else callback(null, first, isIP(first));
    });
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

function methodOf(text: string): (typeof METHODS)[number] {
  const method = METHODS.find((candidate) => candidate === text);
  if (method === undefined) throw new Error(`no call uses the method ${text}`);
  return method;
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

function refusalOf(cause: unknown, url: URL): Refusal {
  if (cause instanceof Refusal) return cause;
  if (cause instanceof Error && cause.cause instanceof Refusal) return cause.cause;
  return new Refusal('upstream_unavailable', 502, `${url.host} gave no complete answer within the limits`, {
    detail: codeOf(cause),
    cause,
  });
}

async function webFetch(
  call: Fetcher['request'],
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1],
): Promise<Response> {
  const request = new Request(input, init);
  const body = request.body === null ? {} : { body: await request.bytes() };
  const answer = await call({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    signal: request.signal,
    ...body,
  });
  if (answer.status >= 300 && answer.status < 400 && answer.status !== 304 && request.redirect !== 'manual') {
    throw refusedAddress('this address answers with a redirect, which is not followed', 'redirect');
  }
  const empty = [204, 205, 304].includes(answer.status);
  return new Response(empty ? null : Buffer.from(answer.body), {
    status: answer.status,
    headers: { ...answer.headers },
  });
}
