import type { IncomingMessage, ServerResponse } from 'node:http';

/** Longer cookie headers are not read: the door limits headers anyway. */
const MAXIMUM_HEADER = 16_384;

/**
 * The value of a cookie, or undefined. Of several with one name the first counts: browsers send the most specific path
 * first (RFC 6265 §5.4).
 */
export function readCookie(request: IncomingMessage, name: string): string | undefined {
  const header = request.headers.cookie ?? '';
  if (header.length > MAXIMUM_HEADER) return undefined;
  const pairs = header.split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/**
 * Adds a cookie to the answer. `__Secure-` and a path instead of `__Host-`: pages of several interactions and banks live on
 * one host and must not see each other's (engine.md §9). Gone with the browser session unless `seconds` says sooner.
 */
export function addCookie(
  response: ServerResponse,
  cookie: { name: string; value: string; path: string; seconds?: number },
): void {
  const age = cookie.seconds === undefined ? '' : `; Max-Age=${cookie.seconds}`;
  const text = `${cookie.name}=${cookie.value}; Path=${cookie.path}${age}; Secure; HttpOnly; SameSite=Lax`;
  response.appendHeader('Set-Cookie', text);
}

/** Removes a cookie from the browser. */
export function dropCookie(response: ServerResponse, name: string, path: string): void {
  addCookie(response, { name, value: '', path, seconds: 0 });
}
