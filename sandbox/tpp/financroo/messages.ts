import { AsyncLocalStorage } from 'node:async_hooks';
import { shown, shownAddress, shownParameters } from '../blanking.ts';
import { type CurlOptions, curlOf } from '../curl.ts';
import type { Exchange } from '../wire.ts';
import { type Binding, createBindingFinder } from './binding.ts';
import { type CertificateFields, readCertificate } from './certificate.ts';
import { type Explanation, explain } from './explanations.ts';
import type { Signature, SignatureChecker } from './signatures.ts';

/** One side of a message, decoded and without secrets. */
export interface Side {
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
}

/** A protocol message with its answer, as the page "Under the hood" shows it. No secret is ever stored in one. */
export interface Message extends Explanation {
  readonly at: string;
  readonly sent: Side;
  readonly answered: Side | undefined;
  /** The command that sends the same, secrets as shell variables. */
  readonly curl: string | undefined;
  /** The client certificate of the connection, by its SHA-256 as tokens name it. */
  readonly certificate?: string | undefined;
  /** Whether a token in it belongs to that certificate, where that can be told. */
  readonly binding?: Binding | undefined;
  /** Of the JWTs in it; checked when the message was taken, because no JWT is kept. */
  readonly signatures?: readonly Signature[];
}

/** The messages of one connection or registration, in order. */
export type Log = Message[];

/** Keeps messages where they belong. */
export interface Recorder {
  /** For the wire: whatever is sent inside `within` goes to that log, decoded and blanked. */
  readonly listen: (exchange: Exchange) => void;
  within<Result>(log: Log, work: () => Promise<Result>, how?: Listening): Promise<Result>;
  /** A message that no wire sees: through the customer's browser. */
  note(log: Log, explanation: Explanation, line: string): void;
  /** A request with a token, and without a certificate, whose connection was cut before an answer came. */
  noteCut(log: Log, explanation: Explanation, line: string, token: string): void;
  /** The client certificates of these messages, each once. */
  certificatesOf(log: readonly Message[]): readonly CertificateFields[];
}

/** How messages are taken that are not quite the usual ones. */
export interface Listening {
  /** Gets each message as it was. */
  readonly see?: (exchange: Exchange) => void;
  /** Says what it means, instead of what its address tells. */
  readonly explain?: (exchange: Exchange) => Explanation;
  /** The certificate of the command to copy; undefined: none. */
  readonly identity?: CurlOptions['identity'];
}

/** The flow itself is short; what grows are API calls, of which the oldest go first. */
const MOST_MESSAGES = 80;
const KEPT_FROM_THE_START = 12;
const SHOWN_LINES = 80;

const REQUEST_HEADERS = ['authorization', 'content-type', 'x-fapi-interaction-id'];
const ANSWER_HEADERS = ['content-type', 'www-authenticate', 'retry-after', 'cache-control', 'x-fapi-interaction-id'];

/** Where messages go for the time being. */
interface Place {
  readonly log: Log;
  readonly how: Listening;
  /** Checks of signatures under way. */
  readonly checks: Promise<void>[];
}

/** A recorder. The asynchronous context tells to whom a message belongs, so that clients need not pass logs around. */
export function createRecorder(
  curl: Omit<CurlOptions, 'secrets'>,
  now: () => Date,
  checkSignatures: SignatureChecker = async () => [],
): Recorder {
  const current = new AsyncLocalStorage<Place>();
  const findBinding = createBindingFinder();
  const certificates = new Map<string, CertificateFields>();
  const read = (pem: string): string => {
    const fields = readCertificate(pem);
    certificates.set(fields.thumbprint.x5tS256, fields);
    return fields.thumbprint.x5tS256;
  };
  return {
    listen: (exchange) => {
      const place = current.getStore();
      if (place === undefined) return;
      const { log, how, checks } = place;
      const words = (how.explain ?? explain)(exchange);
      const identity = 'identity' in how ? { identity: how.identity } : {};
      // Where nobody is asked for a certificate, it is not shown to anybody.
      const shownTo = words.open === true ? undefined : exchange.certificate;
      const certificate = shownTo === undefined ? undefined : read(shownTo);
      const message: Message = {
        ...{ at: now().toISOString(), ...words, ...describe(exchange, { ...curl, ...identity }) },
        ...{ certificate, binding: findBinding(exchange, certificate) },
      };
      push(log, message);
      checks.push(checkSignatures(exchange).then((signatures) => complete(log, message, signatures)));
      how.see?.(exchange);
    },
    within: async (log, work, how = {}) => {
      const checks: Promise<void>[] = [];
      try {
        return await current.run({ log, how, checks }, work);
      } finally {
        // Whoever looks at the messages afterwards finds them checked.
        await Promise.all(checks);
      }
    },
    note: (log, explanation, line) => {
      const sides = { sent: sideOf(line), answered: undefined };
      push(log, { at: now().toISOString(), ...explanation, ...sides, curl: undefined });
    },
    noteCut: (log, explanation, line, token) => {
      const request = {
        requestHeaders: { authorization: `Bearer ${token}` },
        requestBody: undefined,
        responseBody: '',
      };
      const sides = { sent: sideOf(line), answered: sideOf('the connection ended, nothing was answered') };
      const binding = findBinding(request, undefined);
      push(log, { at: now().toISOString(), ...explanation, ...sides, curl: undefined, binding });
    },
    certificatesOf: (log) => {
      const used = new Set(log.map(({ certificate }) => certificate));
      return [...certificates.values()].filter(({ thumbprint }) => used.has(thumbprint.x5tS256));
    },
  };
}

/** True for calls of the bank's API, as opposed to what leads to them. */
export function isApi(title: string): boolean {
  return title.startsWith('The bank’s API');
}

/** The id that the bank gave its answer, and noted (`x-fapi-interaction-id`). */
export function interactionOf({ answered }: Pick<Message, 'answered'>): string | undefined {
  return answered?.headers.find(([name]) => name === 'x-fapi-interaction-id')?.[1];
}

function push(log: Log, message: Message): void {
  log.push(message);
  if (log.length > MOST_MESSAGES) log.splice(KEPT_FROM_THE_START, 1);
}

/** A side of which nothing but its first line is known. */
function sideOf(line: string): Side {
  return { line, headers: [], body: undefined };
}

function complete(log: Log, message: Message, signatures: readonly Signature[]): void {
  const place = log.indexOf(message);
  if (place >= 0 && signatures.length > 0) log[place] = { ...message, signatures };
}

type Described = Pick<Message, 'sent' | 'answered' | 'curl'>;

function describe(exchange: Exchange, curl: Omit<CurlOptions, 'secrets'>): Described {
  const { method, url, requestHeaders, requestBody, status, responseHeaders, responseBody } = exchange;
  const sent = { method, headers: requestHeaders, ...(requestBody === undefined ? {} : { body: requestBody }) };
  return {
    sent: {
      line: `${method} ${shownAddress(url)}`,
      headers: headersOf(requestHeaders, REQUEST_HEADERS),
      body: bodyOf(requestBody, typeOf(requestHeaders)),
    },
    answered: {
      line: String(status),
      headers: headersOf(responseHeaders, ANSWER_HEADERS),
      body: bodyOf(responseBody, typeOf(responseHeaders)),
    },
    curl: curlOf(url, withoutDefaults(sent), { ...curl, secrets: secretsOf(exchange) }),
  };
}

type Headers = Readonly<Record<string, string>>;

function withoutDefaults(sent: { readonly method: string; readonly headers: Headers; readonly body?: string }) {
  const telling = Object.entries(sent.headers).filter(([name]) => REQUEST_HEADERS.includes(name.toLowerCase()));
  return { ...sent, headers: Object.fromEntries(telling.map(([name, value]) => [name.toLowerCase(), value])) };
}

function typeOf(headers: Headers): string {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
}

function headersOf(headers: Headers, names: readonly string[]): Side['headers'] {
  return Object.entries(headers).flatMap(([name, value]): Side['headers'] => {
    const lower = name.toLowerCase();
    if (!names.includes(lower)) return [];
    return [[lower, lower === 'authorization' ? value.replace(/ .*/s, ' ‹token›') : value]];
  });
}

function bodyOf(body: string | undefined, type: string): string | undefined {
  if (body === undefined || body === '') return undefined;
  const lines = readable(body, type).split('\n');
  const rest = lines.length - SHOWN_LINES;
  return rest > 0 ? [...lines.slice(0, SHOWN_LINES), `… ${rest} more lines`].join('\n') : lines.join('\n');
}

function readable(body: string, type: string): string {
  if (type.includes('x-www-form-urlencoded')) return pretty(shownParameters(new URLSearchParams(body)));
  if (!type.includes('json')) return `${body.length} characters of ${type || 'no type'}`;
  try {
    return pretty(shown('', JSON.parse(body)));
  } catch {
    return `no JSON, ${body.length} characters`;
  }
}

function pretty(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

/** Values that stand as `$NAME` in the command: the reader has to get their own. */
const SECRET_FIELDS = [
  'client_assertion',
  'code',
  'code_verifier',
  'refresh_token',
  'request_uri',
  'software_statement',
  'token',
];

function secretsOf({ url, requestHeaders, requestBody = '' }: Exchange): ReadonlyMap<string, string> {
  const authorization = Object.entries(requestHeaders).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const [, bearer] = authorization?.split(' ') ?? [];
  const fields = typeOf(requestHeaders).includes('json') ? jsonFields(requestBody) : formFields(requestBody);
  const secrets = fields.filter(([name, value]) => SECRET_FIELDS.includes(name) && value !== '');
  const registration = /\/register(\/|$)/.test(new URL(url).pathname);
  return new Map([
    ...(bearer === undefined ? [] : [[bearer, registration ? 'REGISTRATION_TOKEN' : 'ACCESS_TOKEN'] as const]),
    ...secrets.map(([name, value]) => [value, name.toUpperCase()] as const),
  ]);
}

function formFields(body: string): readonly (readonly [string, string])[] {
  return [...new URLSearchParams(body)];
}

function jsonFields(body: string): readonly (readonly [string, string])[] {
  try {
    const value: unknown = JSON.parse(body);
    return Object.entries(typeof value === 'object' && value !== null ? value : {}).flatMap(([name, field]) =>
      typeof field === 'string' ? [[name, field] as const] : [],
    );
  } catch {
    return [];
  }
}
