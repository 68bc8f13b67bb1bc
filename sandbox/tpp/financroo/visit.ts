import type { IncomingMessage } from 'node:http';
import type { Session } from './sessions.ts';

/** A request, read and judged as far as every page needs it. */
export interface Visit {
  readonly method: string;
  readonly url: URL;
  readonly form: URLSearchParams;
  readonly session: Session | undefined;
  /** There is a session cookie, and it is none of ours. */
  readonly forged: boolean;
}

/** What is answered. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Larger than any form here. */
const MAXIMUM_FORM_BYTES = 16_384;
/** `__Host-`: sent to this host alone, over TLS alone, for every path (N-118). */
const COOKIE = '__Host-financroo';

/** The form of a request. @throws RangeError when it is too large */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (request.method !== 'POST') return new URLSearchParams();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const octets = Buffer.from(chunk);
    bytes += octets.length;
    if (bytes > MAXIMUM_FORM_BYTES) throw new RangeError('the form is too large');
    chunks.push(octets);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** The value of the session cookie. */
export function cookieOf(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

/** Lax: the bank's redirect back must carry it; forms of other sites are refused by their origin. */
export function setCookie(value: string): string {
  return `${COOKIE}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}

/** Takes the cookie away. */
export function dropCookie(): string {
  return `${COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`;
}

/** Sends the browser on, with GET. */
export function seeOther(to: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 303, headers: { location: to, 'cache-control': 'no-store', ...headers }, body: '' };
}
