import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { monotonicMilliseconds } from './clock.ts';
import { atEndOfTurn } from './end-of-turn.ts';
import {
  type AnswerHandler,
  AnswerMissing,
  Connection,
  type Exchange,
  type Owner,
  type Waits,
} from './forwarder-connection.ts';

/** A request that has no body, and whose answer has one. */
export interface GetRequest {
  /** Path and query as they are written in the request line. */
  readonly path: string;
  /** Names and values in turn, without those of the connection: host, connection, lengths and codings. */
  readonly headers: readonly string[];
}

/** Forwards GET requests over kept connections. */
export interface Forwarder {
  /** @throws Error when the request could not be written as one request: it holds a line break */
  get(request: GetRequest, handler: AnswerHandler): void;
  close(): void;
}

/** How the forwarder reaches the one server it forwards to. */
export interface ForwarderOptions {
  readonly url: URL;
  readonly tls: Omit<ConnectionOptions, 'host' | 'port' | 'servername'>;
  readonly connections: number;
  readonly waits: Waits;
}

/** Requests that wait for a connection; the door admits fewer, so beyond it something is wrong. */
const MAXIMUM_WAITING = 10_000;
/** How exactly the time limits are kept. */
const CHECK_EVERY_MS = 100;
/** What ends a line for some reader, and what no header and no request line holds. */
const FORBIDDEN = /[\0\r\n]/;

/**
 * A pool of connections that carry one exchange at a time. Our own, because the library's way of a request costs as much as
 * all checks of the gateway together (decision 9); it does no more than the gateway needs, and refuses what it does not know.
 */
export function createForwarder({ url, tls, connections, waits }: ForwarderOptions): Forwarder {
  const options = { ...tls, ...placeOf(url) };
  const all = new Set<Connection>();
  const idle: Connection[] = [];
  let closed = false;
  const waiting: { readonly exchange: Exchange; readonly until: number }[] = [];

  const owner: Owner = {
    waits,
    now: monotonicMilliseconds,
    ready: atEndOfTurn((connection) => connection.write()),
    free: (connection) => {
      const next = waiting.shift();
      if (next === undefined) idle.push(connection);
      else connection.take(next.exchange);
    },
    gone: (connection, unanswered) => {
      all.delete(connection);
      const at = idle.indexOf(connection);
      if (at !== -1) idle.splice(at, 1);
      // A request without a body is safe to send twice (RFC 9110 §9.2.2); on a new connection, and once.
      if (unanswered !== undefined) again(unanswered);
      else if (all.size < connections) open(waiting.shift()?.exchange);
    },
  };

  function open(exchange: Exchange | undefined): void {
    if (exchange === undefined) return;
    const connection = new Connection(options, owner);
    all.add(connection);
    connection.take(exchange);
  }

  function again(exchange: Exchange): void {
    if (closed) fail({ exchange }, 'connection_ended');
    else open({ ...exchange, repeated: true });
  }

  function checkLimits(): void {
    const now = monotonicMilliseconds();
    for (const connection of all) connection.check(now);
    while (waiting[0] !== undefined && waiting[0].until <= now) fail(waiting.shift(), 'headers_timeout');
  }

  const timer = setInterval(checkLimits, CHECK_EVERY_MS).unref();

  return {
    get(request, handler) {
      const exchange = { text: written(request, url.host), handler, repeated: false };
      // The one that was used last: the others may then end by themselves.
      const kept = idle.pop();
      if (kept !== undefined) kept.take(exchange);
      else if (all.size < connections) open(exchange);
      else if (waiting.length < MAXIMUM_WAITING)
        waiting.push({ exchange, until: monotonicMilliseconds() + waits.headersMs });
      else fail({ exchange }, 'too_many_waiting');
    },
    close() {
      closed = true;
      clearInterval(timer);
      const left = waiting.splice(0);
      for (const connection of [...all]) connection.destroy(new AnswerMissing('connection_ended'));
      for (const one of left) fail(one, 'connection_ended');
    },
  };
}

/** RFC 6066 §3: an address is no server name. */
function placeOf({ hostname, port }: URL): ConnectionOptions {
  const host = hostname.replaceAll(/^\[|\]$/g, '');
  return { host, port: Number(port === '' ? 443 : port), ...(isIP(host) === 0 ? { servername: host } : {}) };
}

function fail(waiting: { readonly exchange: Exchange } | undefined, code: AnswerMissing['code']): void {
  waiting?.exchange.handler.onResponseError(undefined, new AnswerMissing(code));
}

function written({ path, headers }: GetRequest, host: string): string {
  if (path.includes(' ') || FORBIDDEN.test(path)) throw new Error('a request line holds a space or a line break');
  let text = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const line = `${headers[index]}: ${headers[index + 1]}`;
    if (FORBIDDEN.test(line)) throw new Error('a header holds a line break');
    text += `${line}\r\n`;
  }
  return `${text}\r\n`;
}
