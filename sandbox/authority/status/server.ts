import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Authority, keepIdentity, type SandboxIssuer } from '../authority.ts';
import { extendedKeyUsage, keyUsage, leafConstraints, withoutStatusCheck } from '../extensions.ts';
import { openList, type RevocationList } from './crl.ts';
import { NotDer } from './der-reader.ts';
import { parseOcspRequest } from './ocsp-request.ts';
import { type AnsweringAuthority, answerOcsp, ocspProblems } from './ocsp-response.ts';

/** The service that tells whether the sandbox's certificates still count: OCSP (RFC 6960) and revocation lists (RFC 5280 §5). */
export interface StatusService {
  readonly port: number;
  close(): Promise<void>;
}

/** What the service is opened with. */
export interface StatusOptions {
  readonly directory: string;
  readonly authority: Authority;
  /** 0 takes a free one. */
  readonly port: number;
  /** The clock; tests have their own. */
  readonly clock?: () => Date;
}

/** A question about sixteen certificates, with a signature nobody reads, stays far below. */
const MAXIMUM_BODY_OCTETS = 8 * 1024;
/** A GET has the question in its address. */
const MAXIMUM_HEADER_OCTETS = 16 * 1024;
/** From the first octet of a request to its last: whoever is slower is cut off. */
const REQUEST_MS = 5_000;
const KEEP_ALIVE_MS = 5_000;
const CHECK_MS = 1_000;
const MAXIMUM_CONNECTIONS = 256;
/** Responder certificates are made anew at a start near their end, like every other. */
const RESPONDER_DAYS = 397;

interface Published {
  readonly answering: AnsweringAuthority;
  readonly list: RevocationList;
}

interface Service {
  readonly published: ReadonlyMap<string, Published>;
  readonly clock: () => Date;
}

/** An answer before it is sent. */
interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** Opens the service; makes the responders' keys and certificates where they are missing. @throws Error when the port is taken */
export async function openStatusService(options: StatusOptions): Promise<StatusService> {
  const { authority, directory, clock = () => new Date() } = options;
  const published = new Map<string, Published>();
  for (const issuer of [authority.root, authority.issuing, authority.internal]) {
    published.set(issuer.name, await publish(issuer, directory, clock()));
  }
  const service: Service = { published, clock };
  const server = createServer(
    {
      maxHeaderSize: MAXIMUM_HEADER_OCTETS,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    (request, response) => void serve(service, request, response),
  );
  server.maxConnections = MAXIMUM_CONNECTIONS;
  server.listen(options.port, 'localhost');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function publish(issuer: SandboxIssuer, directory: string, now: Date): Promise<Published> {
  const path = join(directory, `${issuer.name}-ocsp`);
  const commonName = `${issuer.subject.commonName} OCSP`;
  const extensions = [
    leafConstraints(),
    keyUsage(['digitalSignature']),
    ...extendedKeyUsage(['ocspSigning']),
    withoutStatusCheck(),
  ];
  const subject = { ...issuer.subject, commonName };
  const files = { path: `${path}.pem`, keyPath: `${path}.key`, kind: 'ec' } as const;
  // It names no place to ask about itself: that would be this responder again.
  const plan = { ...files, subject, extensions, days: RESPONDER_DAYS, issuer: { ...issuer, status: undefined } };
  await keepIdentity(plan, now);
  const [certificate, key] = await Promise.all([readFile(plan.path), readFile(plan.keyPath)]);
  const responder = { certificate: new X509Certificate(certificate), key: createPrivateKey(key) };
  const answering = {
    subject: issuer.subject,
    publicKey: createPublicKey(issuer.key),
    book: issuer.book,
    responder,
  };
  return { answering, list: openList(directory, issuer.name, issuer, issuer.book) };
}

/** Whatever goes wrong is an answer too, and never "good". */
async function serve(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.on('error', () => response.destroy());
  const answer = await answerTo(service, request).catch(() => failed(request));
  if (response.destroyed) return;
  // A body that was not read to its end makes the connection useless.
  const connection = request.complete ? {} : { connection: 'close' };
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': answer.body.length,
    // What is revoked now must not be good in somebody's cache.
    'cache-control': 'no-store',
    ...connection,
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

/** A book that cannot be read, most of all. */
function failed({ url = '/' }: IncomingMessage): Answer {
  return url.startsWith('/ocsp/') ? ocsp(ocspProblems.internalError) : words(500, 'there is no list at the moment');
}

async function answerTo({ published, clock }: Service, request: IncomingMessage): Promise<Answer> {
  const { method, url = '/' } = request;
  const [, ocspName, question] = /^\/ocsp\/([a-z]+)(?:\/(.*))?$/s.exec(url) ?? [];
  const ocspOf = ocspName === undefined ? undefined : published.get(ocspName);
  if (ocspOf !== undefined) {
    if (method === 'POST' && question === undefined) {
      const body = await readBody(request);
      if (body === undefined) return words(413, `a question has at most ${MAXIMUM_BODY_OCTETS} octets`);
      return ocsp(await answerQuestion(body, ocspOf, clock()));
    }
    if (method === 'GET') return ocsp(await answerQuestion(decodeQuestion(question ?? ''), ocspOf, clock()));
    return words(405, 'ask with GET or POST (RFC 6960 appendix A)');
  }
  const [, listName] = /^\/([a-z]+)\.crl$/.exec(url) ?? [];
  const listOf = listName === undefined ? undefined : published.get(listName);
  if (listOf === undefined) return words(url === '/' ? 200 : 404, indexOf(published));
  if (method !== 'GET' && method !== 'HEAD') return words(405, 'a list is fetched with GET');
  return { status: 200, type: 'application/pkix-crl', body: await listOf.list.current(clock()) };
}

async function answerQuestion(octets: Buffer, { answering }: Published, now: Date): Promise<Buffer> {
  try {
    return await answerOcsp(parseOcspRequest(octets), answering, now);
  } catch (cause) {
    if (cause instanceof NotDer) return ocspProblems.malformedRequest;
    throw cause;
  }
}

/** Base64 in an address (RFC 6960 appendix A.1); what is none is a question that cannot be read. */
function decodeQuestion(text: string): Buffer {
  try {
    const decoded = decodeURIComponent(text);
    return /^[A-Za-z0-9+/]+={0,2}$/.test(decoded) ? Buffer.from(decoded, 'base64') : Buffer.alloc(0);
  } catch {
    return Buffer.alloc(0);
  }
}

/** The whole body; undefined when it is larger than any question: the rest is left unread. */
function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  const parts: Buffer[] = [];
  let octets = 0;
  request.on('data', (part: Buffer) => {
    octets += part.length;
    if (octets <= MAXIMUM_BODY_OCTETS) parts.push(part);
    else {
      request.pause();
      resolve(undefined);
    }
  });
  request.once('end', () => resolve(Buffer.concat(parts)));
  request.once('close', () => reject(new Error('the request ended early')));
  return promise;
}

function ocsp(body: Buffer): Answer {
  return { status: 200, type: 'application/ocsp-response', body };
}

function words(status: number, text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: Buffer.from(`${text}\n`) };
}

function indexOf(published: ReadonlyMap<string, Published>): string {
  const lines = [...published.keys()].flatMap((name) => [`/ocsp/${name}`, `/${name}.crl`]);
  return ['What this address answers:', ...lines].join('\n');
}
