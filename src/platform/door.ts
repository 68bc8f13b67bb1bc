import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { connect, type ListenOptions, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { answerRefusal, answerUnreadable, checkRequest } from './door-guard.ts';
import { type DoorTls, type HandshakeRefusal, judgePeer, tlsOptions } from './door-tls.ts';
import { Refusal } from './refusal.ts';

export type { DoorTls, HandshakeRefusal } from './door-tls.ts';

/** Answers one request. What it throws is answered too: a Refusal as it says, anything else with 500. */
export type DoorHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** How much and how long a door bears; every one has a default. */
export interface DoorLimits {
  /** From the first octet of a request to the end of its headers, and to the end of its body. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How long a connection may rest between requests, and how long nothing may move while one is answered. */
  readonly keepAliveTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly maximumConnections: number;
  /** How often the time limits are looked at. */
  readonly checkEveryMs: number;
  /** How long requests in flight may take to finish when the door closes. */
  readonly closeTimeoutMs: number;
}

const LIMITS: DoorLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 60_000,
  stallTimeoutMs: 120_000,
  handshakeTimeoutMs: 10_000,
  maximumConnections: 10_000,
  checkEveryMs: 1_000,
  closeTimeoutMs: 10_000,
};

/** Certificate headers of a load balancer reach 24 KiB (certificates.md §11.3). */
const MAXIMUM_HEADER_BYTES = 32 * 1024;

/** A connection that ended before HTTP, for the audit trail. */
export interface RefusedHandshake {
  readonly address: string;
  readonly reason: HandshakeRefusal;
}

/** What a door is. */
export interface DoorOptions {
  /** For messages: `issuer`, `mtls`. */
  readonly name: string;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** The Host values it serves, with port where callers write one; the port 0 stands for the port that was taken. */
  readonly authorities: readonly string[];
  readonly tls?: DoorTls;
  readonly handler: DoorHandler;
  readonly limits?: Partial<DoorLimits>;
  readonly onRefusedHandshake?: (refused: RefusedHandshake) => void;
  /** Told of what a handler threw that is no Refusal. */
  readonly onDefect?: (cause: unknown) => void;
}

/** An open door. */
export interface Door {
  readonly name: string;
  /** 0 for a door without a port. */
  readonly port: number;
  readonly origin: string;
  /** New connections see the new certificate; open ones are not cut (LAB-32). @throws Error when key and certificate do not fit */
  replaceCertificate(tls: Pick<DoorTls, 'key' | 'certificate'>): void;
  /** Accepts nothing more, lets requests in flight finish within the limit, and ends. */
  close(): Promise<void>;
}

/** Opens a listener. @throws Error naming the door when the address cannot be had */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const limits = { ...LIMITS, ...options.limits };
  const authorities = new Set<string>();
  const check = (request: IncomingMessage): void => checkRequest(request, authorities);
  let { tls } = options;
  const server =
    tls === undefined ? createServer(serverOptions(limits)) : guardedTlsServer(tls, limits, options.onRefusedHandshake);
  const close = answerRequests(server, { ...options, limits, check });
  await listen(server, { host: options.host, port: options.port }, `door ${options.name}`);
  const port = portOf(server);
  for (const authority of options.authorities) authorities.add(authority.toLowerCase().replace(/:0$/, `:${port}`));
  const [first = `${options.host}:${port}`] = authorities;
  return {
    name: options.name,
    port,
    origin: `${tls === undefined ? 'http' : 'https'}://${first}`,
    replaceCertificate: (fresh) => {
      if (tls === undefined || !('setSecureContext' in server))
        throw new Error(`door ${options.name} has no certificate`);
      const next = { ...tls, ...fresh };
      server.setSecureContext(tlsOptions(next));
      tls = next;
    },
    close,
  };
}

/**
 * Opens a listener on a UNIX socket that only this user may use (mode 0600): commands for the running process.
 * @throws Error when another process listens there
 */
export async function openLocalDoor(path: string, handler: DoorHandler): Promise<Door> {
  await removeStaleSocket(path);
  const server = createServer(serverOptions(LIMITS));
  const close = answerRequests(server, { handler, limits: LIMITS, check: () => undefined });
  // The socket is made by `listen` itself, before it returns: it must not be open to others for even a moment.
  const mask = process.umask(0o177);
  const listening = listen(server, { path }, `socket ${path}`);
  process.umask(mask);
  await listening;
  await chmod(path, 0o600);
  const replaceCertificate = () => {
    throw new Error('a local door has no certificate');
  };
  return { name: path, port: 0, origin: `unix:${path}`, replaceCertificate, close };
}

function serverOptions(limits: DoorLimits) {
  return {
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    // Checked here, so that the refusal has a body.
    requireHostHeader: false,
    insecureHTTPParser: false,
  };
}

/** A TLS server that hands a connection to HTTP only once its certificate was judged. */
function guardedTlsServer(tls: DoorTls, limits: DoorLimits, report: DoorOptions['onRefusedHandshake']): TlsServer {
  const server = createTlsServer({
    ...serverOptions(limits),
    ...tlsOptions(tls),
    handshakeTimeout: limits.handshakeTimeoutMs,
  });
  const toHttp = server.listeners('secureConnection');
  const admit = (socket: TLSSocket): void => {
    for (const listener of toHttp) Reflect.apply(listener, server, [socket]);
  };
  server.removeAllListeners('secureConnection');
  // Node would answer a failed handshake with HTTP.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    if (tls.clientCertificate !== 'handshake') admit(socket);
    else void judge(tls, socket, admit, report);
  });
  return server;
}

async function judge(
  tls: DoorTls,
  socket: TLSSocket,
  admit: (socket: TLSSocket) => void,
  report: DoorOptions['onRefusedHandshake'],
): Promise<void> {
  const leave = (): void => void socket.destroy();
  socket.on('error', leave);
  const address = socket.remoteAddress ?? 'unknown';
  const reason = await judgePeer(tls, socket);
  if (reason === undefined) {
    socket.off('error', leave);
    if (!socket.destroyed) admit(socket);
    return;
  }
  socket.destroy();
  try {
    report?.({ address, reason });
  } catch {
    // The connection has ended already: when the record cannot be taken there is nothing left to refuse.
  }
}

interface Answering {
  readonly handler: DoorHandler;
  readonly limits: DoorLimits;
  readonly check: (request: IncomingMessage) => void;
  readonly onDefect?: (cause: unknown) => void;
}

/** Joins the handler to the server; gives the orderly way to close it. */
function answerRequests(server: Server | TlsServer, answering: Answering): () => Promise<void> {
  const sockets = new Set<Socket>();
  const answers = new Map<Duplex, number>();
  let closing = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const serve = (request: IncomingMessage, response: ServerResponse, expects: boolean): void => {
    const { socket } = request;
    answers.set(socket, (answers.get(socket) ?? 0) + 1);
    response.on('close', () => {
      const left = (answers.get(socket) ?? 1) - 1;
      if (left > 0) answers.set(socket, left);
      else answers.delete(socket);
      if (closing && left === 0) socket.end();
    });
    answer(request, response, answering, expects);
  };
  server.maxConnections = answering.limits.maximumConnections;
  server.timeout = answering.limits.stallTimeoutMs;
  // Node's own count drops lines silently; `checkRequest` counts and refuses.
  server.maxHeadersCount = 0;
  server.on('connection', keep);
  server.on('secureConnection', keep);
  server.on('request', (request, response) => serve(request, response, false));
  server.on('checkContinue', (request, response) => serve(request, response, true));
  server.on('clientError', (error, socket) => answerUnreadable(error, socket, answers.has(socket)));
  return () => {
    closing = true;
    return closeServer(server, { sockets, answers, limitMs: answering.limits.closeTimeoutMs });
  };
}

function answer(request: IncomingMessage, response: ServerResponse, answering: Answering, expects: boolean): void {
  const fail = (cause: unknown): void => {
    if (!(cause instanceof Refusal)) answering.onDefect?.(cause);
    const defect = () => new Refusal('internal_error', 500, 'Something went wrong here.', { cause });
    answerRefusal(request, response, cause instanceof Refusal ? cause : defect());
  };
  try {
    answering.check(request);
    if (expects) response.writeContinue();
    // A handler that is done in one breath is not made to wait for a promise.
    answering.handler(request, response)?.catch(fail);
  } catch (cause) {
    fail(cause);
  }
}

interface Connections {
  readonly sockets: ReadonlySet<Socket>;
  readonly answers: ReadonlyMap<Duplex, number>;
  readonly limitMs: number;
}

function closeServer(server: Server, { sockets, answers, limitMs }: Connections): Promise<void> {
  if (!server.listening) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const limit = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, limitMs);
  server.close(() => {
    clearTimeout(limit);
    resolve();
  });
  // Connections that answer nothing are cut now; below a busy TLS connection lies a TCP socket of the same peer.
  const busy = new Set([...sockets].filter((socket) => answers.has(socket)).map(peerOf));
  for (const socket of sockets) if (!answers.has(socket) && !busy.has(peerOf(socket))) socket.destroy();
  return promise;
}

/** Tells the two sockets of one TLS connection from all others of a door; a UNIX socket is only itself. */
function peerOf(socket: Socket): unknown {
  return socket.remotePort === undefined ? socket : `${socket.remoteAddress} ${socket.remotePort}`;
}

function listen(server: Server, where: ListenOptions, what: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const refuse = (cause: Error): void => reject(new Error(`${what} cannot open: ${cause.message}`, { cause }));
  server.once('error', refuse);
  server.listen(where, () => {
    server.off('error', refuse);
    resolve();
  });
  return promise;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening door has a port');
  return address.port;
}

/** A socket file outlives the process that was killed; one that answers belongs to a living one. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`socket ${path}: something else is there`);
  const { promise: alive, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path, () => resolve(true)).once('error', () => resolve(false));
  const answered = await alive;
  probe.destroy();
  if (answered) throw new Error(`socket ${path}: a running process listens there`);
  await unlink(path);
}
