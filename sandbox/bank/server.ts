import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { gatewayIdentity } from '../authority/identities.ts';
import { createBooks } from './books.ts';
import { createFactsReader, type FactsReader } from './facts.ts';
import { createPasswordBook } from './passwords.ts';
import { openPaymentBook } from './payments.ts';
import { populationOf } from './people.ts';
import { Problem } from './problem.ts';
import { answerBank, type BankService } from './service.ts';

/** What a demo bank needs to open. */
export interface BankOptions {
  readonly id: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** PEM of the bank's own certificate and key, and of the authority that made the platform's. */
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  /** The platform's issuer for this bank: who signs statements. */
  readonly issuer: string;
  readonly keys: Parameters<typeof createFactsReader>[2];
  /** Where payments are kept; undefined: in memory alone. */
  readonly paymentsFile: string | undefined;
  readonly now?: () => Date;
}

/** An open bank. */
export interface OpenBank {
  readonly origin: string;
  close(): Promise<void>;
}

/** Times after which a silent caller is left, in milliseconds. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 15_000;
/** How long requests under way may take when the bank closes. */
const CLOSE_MS = 2_000;

/** Opens a bank's core service: mutual TLS, and only the platform's own identity is let in (N-04). */
export async function openBank(options: BankOptions): Promise<OpenBank> {
  const now = options.now ?? (() => new Date());
  const readFacts: FactsReader = createFactsReader(options.id, options.issuer, options.keys, now);
  const population = populationOf(options.id);
  const service: BankService = {
    books: createBooks(options.id, population, await openPaymentBook(options.paymentsFile), now),
    passwords: await createPasswordBook(population.people.map((person) => person.username)),
    readFacts,
    now,
  };
  const server = createServer(
    {
      cert: options.certificate,
      key: options.key,
      ca: options.authority,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
    },
    (request, response) => {
      respond(service, request, response).catch(() => response.destroy());
    },
  );
  await listen(server, options.host, options.port);
  return { origin: `https://localhost:${portOf(server)}`, close: () => close(server) };
}

async function respond(service: BankService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (!isGateway(request)) throw new Problem(401, 'caller_unknown', 'Only the platform is served here.');
    send(response, 200, await answerBank(service, request));
  } catch (cause) {
    const problem =
      cause instanceof Problem ? cause : new Problem(500, 'internal_error', 'Something went wrong at the bank.');
    if (!(cause instanceof Problem)) console.error('bank:', cause);
    const traceId = request.headers['x-fapi-interaction-id'];
    send(response, problem.status, { error: { reason: problem.reason, message: problem.message, traceId } });
  }
}

/** The internal authority makes certificates for banks as well; the platform's is the one with its name in it. */
function isGateway(request: IncomingMessage): boolean {
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return false;
  const names = socket.getPeerX509Certificate()?.subjectAltName?.split(', ') ?? [];
  return names.includes(`URI:${gatewayIdentity}`);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
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
  if (address === null || typeof address === 'string') throw new Error('the bank listens on no port');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), CLOSE_MS).unref();
  });
}
