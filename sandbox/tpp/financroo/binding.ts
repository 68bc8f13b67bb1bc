import { hash } from 'node:crypto';
import type { Exchange } from '../wire.ts';
import { claimsOf } from './signatures.ts';

/** A token, and whether it is in the right hands (RFC 8705 §3). */
export interface Binding {
  /** `cnf` of the token: the SHA-256 of the certificate it is bound to. */
  readonly token: string;
  /** How Financroo knows. */
  readonly told: 'introspection' | 'token' | 'earlier';
  /** The SHA-256 of the certificate of the connection; undefined when it has none. */
  readonly certificate: string | undefined;
  readonly same: boolean;
}

/** Finds what a message says of the binding of a token; of one that was cut off there is only what was sent. */
export type BindingFinder = (exchange: Tokens, certificate: string | undefined) => Binding | undefined;

/** The parts of a message in which tokens are. */
type Tokens = Pick<Exchange, 'requestHeaders' | 'requestBody' | 'responseBody'>;

/** More tokens than a page of messages shows; the oldest go. */
const MOST_TOKENS = 500;

/** A finder that remembers what a bank said of an opaque token, which says nothing itself; by its hash, so that no token is kept. */
export function createBindingFinder(): BindingFinder {
  const known = new Map<string, string>();
  const remember = (token: string, bound: string): void => {
    known.set(hash('sha256', token), bound);
    const [oldest] = known.keys();
    if (known.size > MOST_TOKENS && oldest !== undefined) known.delete(oldest);
  };
  return (exchange, certificate) => {
    const found = introspected(exchange, remember) ?? issued(exchange) ?? presented(exchange, known);
    return found === undefined ? undefined : { ...found, certificate, same: found.token === certificate };
  };
}

type Found = Pick<Binding, 'token' | 'told'>;

/** RFC 8705 §3.2: the answer of an introspection has `cnf` beside the other facts of the token. */
function introspected(
  { requestBody, responseBody }: Tokens,
  remember: (token: string, bound: string) => void,
): Found | undefined {
  const token = new URLSearchParams(requestBody).get('token');
  const bound = boundIn(jsonOf(responseBody));
  if (token === null || bound === undefined) return undefined;
  remember(token, bound);
  return { token: bound, told: 'introspection' };
}

/** RFC 8705 §3.1: a JWT has it among its claims. */
function issued({ responseBody }: Tokens): Found | undefined {
  const { access_token: token } = { access_token: undefined, ...jsonOf(responseBody) };
  return typeof token === 'string' ? claimed(token) : undefined;
}

function presented({ requestHeaders }: Tokens, known: ReadonlyMap<string, string>): Found | undefined {
  const header = Object.entries(requestHeaders).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const token = header?.replace(/^Bearer /i, '') ?? '';
  const bound = known.get(hash('sha256', token));
  return bound === undefined ? claimed(token) : { token: bound, told: 'earlier' };
}

function claimed(token: string): Found | undefined {
  const bound = boundIn(claimsOf(token));
  return bound === undefined ? undefined : { token: bound, told: 'token' };
}

function boundIn(facts: object): string | undefined {
  const { cnf } = { cnf: undefined, ...facts };
  const confirmation = new Map<string, unknown>(Object.entries(cnf ?? {}));
  const thumbprint = confirmation.get('x5t#S256');
  return typeof thumbprint === 'string' ? thumbprint : undefined;
}

function jsonOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
