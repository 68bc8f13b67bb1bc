import type { IncomingHttpHeaders } from 'node:http';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type AnswerHead, AnswerMalformed, parseAnswerHead } from './answer-head.ts';
import { type ChunkReader, createChunkReader } from './chunked-body.ts';

/** What the receiver of an answer may do to its flow. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Ends the exchange; the receiver is told by `onResponseError` with this reason. */
  abort(reason: Error): void;
}

/** Receives one answer as it comes; after `onResponseEnd` or `onResponseError` nothing more. */
export interface AnswerHandler {
  onRequestStart(flow: Flow): void;
  /** The head; what it throws ends the exchange with that error. */
  onResponseStart(flow: Flow, status: number, headers: IncomingHttpHeaders): void;
  onResponseData(flow: Flow, chunk: Buffer): void;
  onResponseEnd(): void;
  onResponseError(flow: Flow | undefined, error: Error): void;
}

/** One request without a body on its way, written out, and who hears the answer. */
export interface Exchange {
  readonly text: string;
  readonly handler: AnswerHandler;
  /** True once it was sent again because a kept connection had ended before any of its answer came. */
  repeated: boolean;
}

/** Longest waits in milliseconds: for a connection, for the head of an answer, for each further piece. */
export interface Waits {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly idleMs: number;
}

/** Where a connection tells its pool what became of it. */
export interface Owner {
  readonly waits: Waits;
  now(): number;
  /** Has `write` called at the end of this turn of the event loop. */
  ready(connection: Connection): void;
  /** It may carry the next request. */
  free(connection: Connection): void;
  /** It is gone; `unanswered` was sent over it, when it was kept, and nobody knows whether it was read. */
  gone(connection: Connection, unanswered: Exchange | undefined): void;
}

/** The bank ended or disturbed a connection, or took too long. */
export class AnswerMissing extends Error {
  override readonly name = 'AnswerMissing';
  readonly code: 'connect_timeout' | 'headers_timeout' | 'body_timeout' | 'connection_ended' | 'too_many_waiting';

  constructor(code: AnswerMissing['code']) {
    super(`the bank gave no complete answer: ${code}`);
    this.code = code;
  }
}

const MAXIMUM_HEAD_OCTETS = 32 * 1024;
/** Interim answers before the final one (RFC 9110 §15.2). */
const MAXIMUM_INTERIM = 10;
const END_OF_HEAD = '\r\n\r\n';

type Body = { readonly kind: 'length'; left: number } | { readonly kind: 'chunks'; readonly reader: ChunkReader };

/** A kept TLS connection to the bank that carries one exchange at a time. */
export class Connection {
  readonly #socket: TLSSocket;
  readonly #owner: Owner;
  #exchange: Exchange | undefined;
  #flow: Flow | undefined;
  #head: AnswerHead | undefined;
  #body: Body | undefined;
  #unread: Buffer | undefined;
  #interim = 0;
  #paused = false;
  #used = false;
  /** The request at hand went out: what came before cannot be its answer. */
  #written = false;
  #connected = false;
  #ended = false;
  #deadline: number;

  constructor(options: ConnectionOptions, owner: Owner) {
    this.#owner = owner;
    this.#deadline = owner.now() + owner.waits.connectMs;
    this.#socket = connect({ ...options, ALPNProtocols: ['http/1.1'] });
    this.#socket.setNoDelay(true).setKeepAlive(true);
    this.#socket.once('secureConnect', () => this.#onConnect());
    this.#socket.on('data', (piece: Buffer) => this.#onData(piece));
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('error', (error) => this.destroy(error));
    this.#socket.on('close', () => this.destroy(new AnswerMissing('connection_ended')));
  }

  /** Gives it the next exchange; one that is still connecting sends it as soon as it can. */
  take(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#connected) this.#send(exchange);
  }

  /** Ends it when it has waited too long for something; called now and then. */
  check(now: number): void {
    if (now < this.#deadline || (this.#paused && this.#exchange !== undefined)) return;
    this.destroy(new AnswerMissing(this.#whatIsLate()));
  }

  /** Ends it, and what it carries with this error. */
  destroy(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    const untouched = this.#head === undefined && this.#unread === undefined && this.#interim === 0;
    const unanswered =
      exchange !== undefined && this.#used && untouched && !exchange.repeated && isBroken(error) ? exchange : undefined;
    this.#owner.gone(this, unanswered);
    if (unanswered === undefined) exchange?.handler.onResponseError(this.#flow, error);
  }

  #whatIsLate(): AnswerMissing['code'] {
    if (!this.#connected) return 'connect_timeout';
    if (this.#exchange === undefined) return 'connection_ended';
    return this.#head === undefined ? 'headers_timeout' : 'body_timeout';
  }

  #onConnect(): void {
    this.#connected = true;
    if (this.#exchange === undefined) this.#rest();
    else this.#send(this.#exchange);
  }

  #send(exchange: Exchange): void {
    const flow = this.#flowOf(exchange);
    this.#flow = flow;
    this.#head = undefined;
    this.#unread = undefined;
    this.#interim = 0;
    this.#written = false;
    this.#deadline = this.#owner.now() + this.#owner.waits.headersMs;
    exchange.handler.onRequestStart(flow);
    if (this.#exchange === exchange) this.#owner.ready(this);
  }

  /** Writes the request it was given, unless that has ended meanwhile. */
  write(): void {
    if (this.#exchange === undefined || this.#ended) return;
    this.#written = true;
    this.#socket.write(this.#exchange.text, 'latin1');
  }

  #flowOf(exchange: Exchange): Flow {
    const ifCurrent = (act: () => void): void => {
      if (this.#exchange === exchange) act();
    };
    return {
      pause: () =>
        ifCurrent(() => {
          this.#paused = true;
          this.#socket.pause();
        }),
      resume: () => ifCurrent(() => this.#resume()),
      abort: (reason) => ifCurrent(() => this.destroy(reason)),
    };
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deadline = this.#owner.now() + this.#owner.waits.bodyMs;
    this.#socket.resume();
  }

  #onData(piece: Buffer): void {
    const exchange = this.#exchange;
    try {
      if (exchange === undefined) throw new AnswerMalformed('the bank sent what nobody asked for');
      // The request that waits here is not to blame, and nobody has read it: it goes out over another connection.
      if (!this.#written) throw new AnswerMissing('connection_ended');
      const rest = this.#head === undefined ? this.#readHead(exchange, piece) : piece;
      if (rest !== undefined && this.#exchange === exchange) this.#readBody(exchange, rest);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error('the answer could not be passed on', { cause: error }));
    }
  }

  /** Reads up to the end of the head and gives what follows it; undefined while the head is not whole. */
  #readHead(exchange: Exchange, piece: Buffer): Buffer | undefined {
    let unread = this.#unread === undefined ? piece : Buffer.concat([this.#unread, piece]);
    for (;;) {
      const end = unread.indexOf(END_OF_HEAD);
      if ((end === -1 ? unread.length : end) > MAXIMUM_HEAD_OCTETS)
        throw new AnswerMalformed('the head of the answer is too large');
      if (end === -1) {
        this.#unread = unread;
        return undefined;
      }
      const head = parseAnswerHead(unread.toString('latin1', 0, end));
      unread = unread.subarray(end + END_OF_HEAD.length);
      if (head.status >= 200) {
        this.#unread = undefined;
        this.#start(exchange, head);
        return unread;
      }
      this.#interim += 1;
      if (head.status === 101 || this.#interim > MAXIMUM_INTERIM)
        throw new AnswerMalformed('the bank switches protocols or never comes to an answer');
    }
  }

  #start(exchange: Exchange, head: AnswerHead): void {
    const { body } = head;
    this.#head = head;
    this.#body =
      body.kind === 'chunks'
        ? { kind: 'chunks', reader: createChunkReader() }
        : { kind: 'length', left: body.kind === 'length' ? body.octets : Number.POSITIVE_INFINITY };
    this.#deadline = this.#owner.now() + this.#owner.waits.bodyMs;
    if (this.#flow !== undefined) exchange.handler.onResponseStart(this.#flow, head.status, head.headers);
  }

  #readBody(exchange: Exchange, piece: Buffer): void {
    const body = this.#body;
    const flow = this.#flow;
    if (body === undefined || flow === undefined) throw new Error('a body came before its head');
    this.#deadline = this.#owner.now() + this.#owner.waits.bodyMs;
    let read: number;
    if (body.kind === 'chunks') {
      read = body.reader.read(piece, (data) => {
        if (this.#exchange === exchange) exchange.handler.onResponseData(flow, data);
      });
    } else {
      read = Math.min(piece.length, body.left);
      body.left -= read;
      if (read > 0) exchange.handler.onResponseData(flow, read === piece.length ? piece : piece.subarray(0, read));
    }
    const ended = body.kind === 'chunks' ? body.reader.ended : body.left === 0;
    if (ended && this.#exchange === exchange) this.#finish(exchange, piece.length - read);
  }

  /** The answer is whole. What came behind it was not asked for, so the connection is not used again. */
  #finish(exchange: Exchange, surplus: number): void {
    const keep = this.#head?.keep === true && surplus === 0;
    this.#exchange = undefined;
    this.#used = true;
    exchange.handler.onResponseEnd();
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    if (keep) this.#rest();
    else this.destroy(new AnswerMissing('connection_ended'));
  }

  #rest(): void {
    this.#deadline = this.#owner.now() + this.#owner.waits.idleMs;
    this.#owner.free(this);
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && this.#head?.body.kind === 'close') this.#finish(exchange, 0);
    else this.destroy(new AnswerMissing('connection_ended'));
  }
}

/** Errors of a connection that its other end let go while we wrote to it. */
function isBroken(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === 'connection_ended' || code === 'ECONNRESET' || code === 'EPIPE';
}
