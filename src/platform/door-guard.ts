import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { uuid } from './random.ts';
import { Refusal } from './refusal.ts';

/** More header lines than any of our callers sends. Counted here: Node's own limit drops the rest without a word. */
const MAXIMUM_HEADER_LINES = 100;
const MAXIMUM_TARGET_LENGTH = 8 * 1024;
const INTERACTION = 'x-fapi-interaction-id';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A path as seen from the root: printable, no fragment, no backslash, not the `//host` a browser would take for another site. */
const TARGET = /^\/(?!\/)[!-"$-[\]-~]*$/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;

/**
 * What every request must satisfy before any handler sees it.
 * @throws Refusal `header_invalid` 400 or 431, `target_invalid` 400, `misdirected_request` 421 (RFC 9110 §15.5.20)
 */
export function checkRequest(request: IncomingMessage, authorities: ReadonlySet<string>): void {
  if (request.rawHeaders.length / 2 > MAXIMUM_HEADER_LINES) {
    throw new Refusal('header_invalid', 431, `The request has more than ${MAXIMUM_HEADER_LINES} header lines.`);
  }
  checkTarget(request.url ?? '');
  checkHost(request, authorities);
}

/** @throws Refusal `target_invalid` 400 */
function checkTarget(target: string): void {
  const [path = ''] = target.split('?', 1);
  const plain = target.length <= MAXIMUM_TARGET_LENGTH && TARGET.test(target);
  const decoded = plain ? decode(path) : undefined;
  if (decoded !== undefined && !decoded.includes('\0') && !DOT_SEGMENT.test(decoded)) return;
  throw new Refusal('target_invalid', 400, 'The request target must be a plain, correctly encoded path.');
}

function decode(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** @throws Refusal `header_invalid` 400, `misdirected_request` 421 */
function checkHost(request: IncomingMessage, authorities: ReadonlySet<string>): void {
  const { host } = request.headers;
  if (host === undefined || hostLines(request.rawHeaders) !== 1) {
    throw new Refusal('header_invalid', 400, 'A request names exactly one Host.');
  }
  if (authorities.has(host) || authorities.has(host.toLowerCase())) return;
  throw new Refusal('misdirected_request', 421, 'This door does not serve the host that the request names.');
}

/** Node keeps the first of several silently, so the raw lines are counted. */
function hostLines(raw: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/** Answers with a refusal in the generic form and ends the connection: what else came over it is not looked at. */
export function answerRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const sent = request.headers[INTERACTION];
  const traceId = typeof sent === 'string' && UUID.test(sent) ? sent : uuid();
  const body = bodyOf(refusal, traceId);
  response.writeHead(refusal.status, { ...refusal.headers, ...headersOf(body, traceId) });
  response.end(body);
}

/** Answers what the HTTP parser could not read, when the caller can still be reached. */
export function answerUnreadable(error: Error, socket: Duplex, answering: boolean): void {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ECONNRESET' || answering || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = unreadable(code);
  const traceId = uuid();
  const body = bodyOf(refusal, traceId);
  const lines = Object.entries(headersOf(body, traceId)).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${refusal.status} Refused`, ...lines, '', body].join('\r\n'), () => socket.destroy());
}

function unreadable(code: unknown): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Refusal('header_invalid', 431, 'The headers of the request are too large.');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Refusal('request_timeout', 408, 'The request did not arrive in time.');
  return new Refusal('request_malformed', 400, 'The request is not well-formed HTTP/1.1.');
}

function bodyOf(refusal: Refusal, traceId: string): string {
  return JSON.stringify({ error: { reason: refusal.code, message: refusal.message, traceId } });
}

function headersOf(body: string, traceId: string): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    [INTERACTION]: traceId,
    connection: 'close',
  };
}
