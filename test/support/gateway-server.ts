import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { createGateway, type GatewayBank, type GatewayOptions } from '../../src/gateway/index.ts';
import { createUpstream } from '../../src/platform/fetch.ts';
import { type Authority, createAuthority, type Issued } from './certificates.ts';
import { bankOf, createWorld, roomsOf, type World } from './gateway.ts';

/** A request as the bank behind the gateway received it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** What a test sends. */
export interface Sending {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
  /** The client certificate; none unless given. */
  readonly identity?: Issued;
}

/** What a test got. */
export interface Got {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A gateway on a real door before a real bank, over in-memory rooms. */
export interface Stage {
  readonly world: World;
  readonly authority: Authority;
  /** Every request that reached the bank whole. */
  readonly received: Received[];
  /** How many reached it at all. */
  arrived: number;
  /** How the bank answers; replaced by tests. */
  answer: (request: Received, response: ServerResponse) => void;
  /** Replaces `answer`: the bank before it has read the body. */
  listener: RequestListener | undefined;
  readonly logged: string[];
  send(sending?: Sending): Promise<Got>;
  /** A connection of its own, for what a well-behaved client cannot send. */
  open(): Promise<TLSSocket>;
  /** The address of the gateway's door. */
  readonly port: number;
  readonly bankPort: number;
  stopBank(): Promise<void>;
  close(): Promise<void>;
}

/** What a test wants different on a stage. */
export interface StageOptions {
  readonly bank?: Partial<GatewayBank>;
  readonly door?: 'mtls' | 'plain';
  readonly options?: Partial<GatewayOptions>;
  readonly headersTimeoutMs?: number;
}

let authority: Authority | undefined;

/** Opens a stage; the authority is one per process, because keys take time. */
export async function openStage({ bank, door = 'mtls', options, headersTimeoutMs }: StageOptions = {}): Promise<Stage> {
  authority ??= createAuthority('Stage');
  const { keyPem: key, chainPem: cert } = authority.issueServer();
  const ca = authority.certificatePem;
  const world = createWorld();
  const received: Received[] = [];
  const logged: string[] = [];
  const bankServer = https.createServer({ key, cert }, (request, response) => {
    stage.arrived += 1;
    if (stage.listener !== undefined) stage.listener(request, response);
    else
      void receive(request).then(
        (one) => stage.answer(received[received.push(one) - 1] ?? one, response),
        // The gateway broke off: that is what such a test is about.
        () => response.destroy(),
      );
  });
  const bankPort = await listen(bankServer);
  const limit = headersTimeoutMs === undefined ? {} : { headersTimeoutMs };
  const upstream = createUpstream({ origin: `https://localhost:${bankPort}`, authorities: [ca], ...limit });
  const log = {
    error: (details: object, message: string) => void logged.push(`${message} ${String(Object.values(details))}`),
  };
  const gateway = createGateway({ ...roomsOf(world), log, banks: [bankOf({ upstream, ...bank })], ...options });
  const server = https.createServer(
    { key, cert, ca, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const [, bankId = '', path = '/'] = /^\/([^/]*)(\/.*)?$/s.exec(request.url ?? '') ?? [];
      void gateway.handle(request, response, bankId, path, door);
    },
  );
  const port = await listen(server);
  const agents = new Map<Issued | undefined, https.Agent>();
  const agentOf = (identity: Issued | undefined): https.Agent => {
    const agent = agents.get(identity) ?? new https.Agent({ keepAlive: true, ca, ...identityOf(identity) });
    agents.set(identity, agent);
    return agent;
  };
  const stage: Stage = {
    world,
    authority,
    received,
    arrived: 0,
    answer: (_request, response) => void response.setHeader('content-type', 'application/json').end('{"data":[]}'),
    listener: undefined,
    logged,
    port,
    bankPort,
    send: (sending = {}) => send(port, agentOf(sending.identity), sending),
    async open() {
      const socket = connect({ port, host: 'localhost', ca });
      await once(socket, 'secureConnect');
      return socket;
    },
    stopBank: () => stop(bankServer),
    async close() {
      for (const agent of agents.values()) agent.destroy();
      await upstream.close();
      await Promise.all([stop(server), stop(bankServer)]);
    },
  };
  return stage;
}

function identityOf(identity: Issued | undefined) {
  return identity === undefined ? {} : { key: identity.keyPem, cert: identity.chainPem };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function receive(request: IncomingMessage): Promise<Received> {
  const { method = '', url = '', headers, rawHeaders } = request;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() };
}

async function send(port: number, agent: https.Agent, sending: Sending): Promise<Got> {
  const { method = 'GET', path = '/gobank/accounts', body } = sending;
  const given = Object.entries({ authorization: 'Bearer customer', ...sending.headers });
  const headers = Object.fromEntries(
    given.map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
  const request = https.request({ port, host: 'localhost', servername: 'localhost', agent, method, path, headers });
  const answered: Promise<unknown[]> = once(request, 'response');
  request.end(body);
  const [response] = await answered;
  if (!isMessage(response)) throw new Error('no response');
  const { body: text } = await receive(response);
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

function isMessage(value: unknown): value is IncomingMessage {
  return typeof value === 'object' && value !== null && 'statusCode' in value;
}

/** The reason in a refusal of the generic format. */
export function reasonOf(got: Got): unknown {
  const body: unknown = JSON.parse(got.body);
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const { error } = body;
  return typeof error === 'object' && error !== null && 'reason' in error ? error.reason : undefined;
}
