import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { atEndOfTurn } from '../platform/end-of-turn.ts';
import type { Upstream } from '../platform/fetch.ts';
import { Refusal } from '../platform/refusal.ts';
import { bodyExpected, bodyLimit, bodyTooLarge, bodyUnderWay, ClientGone } from './body.ts';
import type { Call } from './call.ts';
import { factsHeader } from './facts.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { interactionHeader } from './interaction.ts';

type Handler = Parameters<Upstream['get']>[1];
type Flow = Parameters<Handler['onRequestStart']>[0];

/** Longest time a caller may let the answer wait, in milliseconds: each stalled one holds a connection to the bank. */
const stallMilliseconds = 30_000;

/** How much of an answer that is not given on is read to keep the connection, in bytes; beyond it the connection is cheaper. */
const discardLimit = 65_536;

/** Up to this size a piece is copied rather than written beside the head, in bytes. */
const joinedLimit = 16_384;

/**
 * Last pieces of answers; nearly every answer is one piece. Node joins the head with a text, not with octets: as Latin-1, in
 * which every octet is one character and back, both go out in one write.
 */
const end = atEndOfTurn(({ response, chunk }: { readonly response: ServerResponse; readonly chunk: Buffer }) => {
  if (chunk.length > joinedLimit) response.end(chunk);
  else response.end(chunk.toString('latin1'), 'latin1');
});

/** What the forwarder tells about its one exchange; one of the two, once. */
export interface Relay {
  /** The bank answered; called before the first byte goes to the caller. @throws Refusal that is answered instead */
  started(status: number): void;
  /** Nothing was sent to the caller yet, and this is why nothing will be. */
  failed(error: Refusal | ClientGone): void;
}

/** Streams the request to the bank and its answer back, with backpressure both ways; how long the bank may take is the upstream's setting. */
export function forward(call: Call, facts: string, relay: Relay): void {
  const { request, bank } = call;
  const headers = requestHeaders(request.rawHeaders, request.headers.connection);
  headers.push(interactionHeader, call.interaction, factsHeader, facts);
  const handler = relayHandler(call.response, call.interaction, relay);
  if (call.route.method === 'GET' && !bodyExpected(request)) {
    bank.upstream.get({ path: call.target, headers }, handler);
    return;
  }
  const body = bodyExpected(request) ? countedBody(request) : null;
  const length = request.headers['content-length'];
  if (body !== null && length !== undefined) headers.push('content-length', length);
  bank.upstream.dispatcher.dispatch(
    {
      path: call.target,
      method: call.route.method,
      headers,
      body,
    },
    handler,
  );
}

/** The request body, cut off at the limit. A stream between, because undici destroys what it reads from, and with it the socket. */
function countedBody(request: IncomingMessage): Readable {
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bodyLimit) done(bodyTooLarge());
      else done(null, chunk);
    },
  });
  // undici reports it through `onResponseError`; without a listener of its own a late one would end the process.
  counted.on('error', () => undefined);
  return request.pipe(counted);
}

function unavailable(detail: string, cause?: unknown): Refusal {
  return new Refusal('upstream_unavailable', 502, 'The bank did not answer this request.', { detail, cause });
}

/** Answers of the bank that concern the caller. The others are the platform's affair: 401 and 407 refuse our own statement. */
function concernsCaller(status: number): boolean {
  if (status < 300 || status === 304) return true;
  return status >= 400 && status < 500 && status !== 401 && status !== 407;
}

function relayHandler(response: ServerResponse, interaction: string, relay: Relay): Handler {
  let controller: Flow | undefined;
  let gone = response.destroyed;
  let refused: Refusal | undefined;
  let discarded = 0;
  /** Octets of the body still to come, where the bank announced them: the last piece ends the answer in one write. */
  let left = Number.NaN;
  let ending = false;
  let stall: NodeJS.Timeout | undefined;
  const give = (reason: Error) => controller?.abort(reason);
  const flow = () => {
    clearTimeout(stall);
    controller?.resume();
  };
  response.on('close', () => {
    clearTimeout(stall);
    gone = !response.writableFinished;
    if (gone) give(new ClientGone('the client left before the answer was complete'));
  });
  return {
    onRequestStart(started) {
      controller = started;
      if (gone) give(new ClientGone('the client left before the request was sent'));
    },
    onResponseStart(_controller, status, headers) {
      if (status < 200) return;
      if (!concernsCaller(status)) {
        refused = unavailable(`status_${status}`);
        return;
      }
      relay.started(status);
      left = lengthOf(headers);
      response.writeHead(status, headOf(response, headers, interaction));
    },
    onResponseData(paused, chunk) {
      if (refused !== undefined) {
        discarded += chunk.length;
        if (discarded > discardLimit) give(refused);
        return;
      }
      left -= chunk.length;
      if (left === 0) {
        ending = true;
        end({ response, chunk });
        return;
      }
      if (response.write(chunk)) return;
      paused.pause();
      response.once('drain', flow);
      clearTimeout(stall);
      stall = setTimeout(() => response.destroy(), stallMilliseconds);
    },
    onResponseEnd() {
      if (refused !== undefined) relay.failed(refused);
      else if (!ending) response.end();
    },
    onResponseError(_controller, error) {
      if (response.headersSent) response.destroy();
      else relay.failed(failureOf(refused ?? error));
    },
  };
}

function lengthOf({ 'content-length': length }: IncomingHttpHeaders): number {
  return length === undefined ? Number.NaN : Number(length);
}

function failureOf(error: Error): Refusal | ClientGone {
  if (error instanceof Refusal || error instanceof ClientGone) return error;
  return unavailable('code' in error && typeof error.code === 'string' ? error.code : error.name, error);
}

function headOf(response: ServerResponse, headers: IncomingHttpHeaders, interaction: string): string[] {
  const head = responseHeaders(headers);
  head.push(interactionHeader, interaction);
  if (bodyUnderWay(response.req)) head.push('connection', 'close');
  return head;
}
