import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Problem } from '../bank/problem.ts';
import { type AttributeSchema, hyperscaleAttributes } from './attributes.ts';
import { type Callbacks, type CallbackTarget, startCallbacks } from './callbacks.ts';
import { callerOf, type Identities } from './callers.ts';
import { type Faults, faultsFor, noFaults } from './faults.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { type Answer, answerStore, type Service } from './service.ts';

/** What the store needs to open. */
export interface ConsentStoreOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** PEM of the store's own certificate and key, and of the authority that made its callers'. */
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  /** The names in the certificates of those who may call. */
  readonly identities: Identities;
  /** Where consents are kept; undefined: in memory alone. */
  readonly file: string | undefined;
  /** Whom to tell of what the bank changes; undefined: nobody. */
  readonly callback?: CallbackTarget;
  readonly attributes?: AttributeSchema;
  readonly now?: () => Date;
}

/** An open store. */
export interface OpenConsentStore {
  readonly origin: string;
  /** What tests make it do wrong. */
  readonly faults: Faults;
  readonly ledger: Ledger;
  /** Tells the platform now what it has not heard; also happens by itself. */
  tellPlatform(): Promise<void>;
  /** From now on, changes are told there. */
  callBackTo(target: CallbackTarget): void;
  close(): Promise<void>;
}

const HEADERS_MS = 5_000;
const REQUEST_MS = 15_000;
const CALL_ID = 'x-request-id';
const CALL_ID_PATTERN = /^[\w-]{1,64}$/;

/** Opens Hyperscale Bank's own consent store: mutual TLS, two callers, one file. */
export async function openConsentStore(options: ConsentStoreOptions): Promise<OpenConsentStore> {
  const now = options.now ?? (() => new Date());
  const ledger = openLedger(options.file);
  const faults = noFaults();
  const service: Service = {
    ledger,
    schema: options.attributes ?? hyperscaleAttributes,
    now: () => now().getTime(),
  };
  const server = createServer(
    {
      cert: options.certificate,
      key: options.key,
      ca: options.authority,
      requestCert: true,
      // Who has no certificate is told so, in the answer.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
    },
    (request, response) => {
      respond(service, options.identities, faults, request, response).catch(() => response.destroy());
    },
  );
  await listen(server, options.host, options.port);
  let callbacks: Callbacks | undefined;
  const callBackTo = (target: CallbackTarget): void => {
    // The machine's clock: how long to wait for the platform is no matter of the bank's business time.
    callbacks ??= startCallbacks(
      ledger,
      target,
      () => Date.now(),
      () => faults.loseCallbacks,
    );
  };
  if (options.callback !== undefined) callBackTo(options.callback);
  return {
    origin: `https://localhost:${portOf(server)}`,
    faults,
    ledger,
    tellPlatform: async () => callbacks?.tell(),
    callBackTo,
    close: async () => {
      await callbacks?.close();
      await close(server);
      ledger.close();
    },
  };
}

async function respond(
  service: Service,
  identities: Identities,
  faults: Faults,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const wrong = faultsFor(faults, request.method ?? '', request.url ?? '');
  if (wrong.down === 'refuse') return void request.socket.destroy();
  const answer =
    typeof wrong.down === 'number'
      ? refusal(new Problem(wrong.down, 'unavailable', 'The store does not work at the moment.'))
      : await answerOf(service, identities, request);
  if (wrong.down === 'after') return void request.socket.destroy();
  if (wrong.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, wrong.delayMs));
  send(request, response, answer, wrong);
}

async function answerOf(service: Service, identities: Identities, request: IncomingMessage): Promise<Answer> {
  try {
    return await answerStore(service, request, callerOf(request, identities));
  } catch (cause) {
    if (cause instanceof Problem) return refusal(cause);
    console.error('consent store:', cause);
    return refusal(new Problem(500, 'internal_error', 'Something went wrong in the consent store.'));
  }
}

function refusal({ status, reason, message }: Problem): Answer {
  return { status, body: { error: { reason, message } } };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer, wrong: Faults): void {
  const headers = headersOf(request, answer, wrong);
  if (answer.body === undefined) {
    response.writeHead(answer.status, headers).end();
    return;
  }
  const right = JSON.stringify(lied(answer, wrong));
  const body = wrong.body ?? (wrong.twice === 'body' ? `${right}${right}` : right);
  response.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body, () => {
    if (wrong.twice === 'wire') sayAgain(response, answer.status, headers, body);
  });
}

/** The same answer once more over the same connection, though nobody asked. */
function sayAgain(
  { socket }: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)) });
  socket?.write(
    [`HTTP/1.1 ${status} Again`, ...lines.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n'),
  );
}

function lied({ body, version }: Answer, { lie }: Faults): unknown {
  if (lie === undefined || version === undefined || typeof body !== 'object' || body === null) return body;
  return lie({ ...body });
}

function headersOf(request: IncomingMessage, { version }: Answer, wrong: Faults): Record<string, string> {
  const asked = request.headers[CALL_ID];
  const tag = wrong.version === undefined ? version && `"${version}"` : wrong.version;
  return {
    'content-type': wrong.contentType ?? 'application/json',
    'cache-control': 'no-store',
    ...(typeof asked === 'string' && CALL_ID_PATTERN.test(asked) ? { [CALL_ID]: asked } : {}),
    ...(typeof tag === 'string' ? { etag: tag } : {}),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the consent store listens on no port');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
