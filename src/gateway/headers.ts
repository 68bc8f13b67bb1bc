import type { IncomingHttpHeaders } from 'node:http';

/** RFC 9110 §7.6.1 and what old proxies treat alike. */
const hopByHop: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

/** Request headers that end here: ours to write, or proof and ambient authority that is not for the bank's API. */
const endsHere: ReadonlySet<string> = new Set([
  ...hopByHop,
  'host',
  'content-length',
  'expect',
  'authorization',
  'cookie',
  'x-fapi-interaction-id',
  // Statements about the caller that only a proxy in front of us may make.
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'true-client-ip',
  'client-cert',
  'client-cert-chain',
  'x-client-cert',
]);

/** Families of the same, however the rest of the name goes. */
const endsHerePrefixes: readonly string[] = [
  'portcullis-',
  'x-forwarded-',
  'ssl-client-',
  'x-ssl-',
  'client-cert-',
  'x-client-cert-',
];

/** Response headers of the bank that end here. */
const staysInside: ReadonlySet<string> = new Set([
  ...hopByHop,
  'set-cookie',
  'server',
  'x-powered-by',
  'via',
  'date',
  'alt-svc',
  // They name addresses behind us.
  'location',
  'content-location',
  'refresh',
  'www-authenticate',
  'x-fapi-interaction-id',
  // Answers are a customer's data or a refusal: nothing on the way keeps them, whatever the bank thinks.
  'cache-control',
  'expires',
  'pragma',
  'age',
]);

/** Header names are judged once each; the bound keeps a caller from filling the memory with invented ones. */
const verdictLimit = 1000;
const verdicts = new Map<string, boolean>();

/** True when a request header goes on to the bank. Underscores and dots count as hyphens: some servers read them so. */
function goesOn(name: string): boolean {
  const remembered = verdicts.get(name);
  if (remembered !== undefined) return remembered;
  const plain = name.toLowerCase().replaceAll(/[._]/g, '-');
  const verdict = !endsHere.has(plain) && !endsHerePrefixes.some((prefix) => plain.startsWith(prefix));
  if (verdicts.size < verdictLimit) verdicts.set(name, verdict);
  return verdict;
}

/** Names listed in a Connection header, which are hop-by-hop for this message; undefined for the usual ones. */
function connectionOptions(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}

/** The caller's headers as they go to the bank: names and values in turn, in their order. */
export function requestHeaders(raw: readonly string[], connection: string | undefined): string[] {
  const listed = connectionOptions(connection);
  const headers: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index];
    const value = raw[index + 1];
    if (name === undefined || value === undefined || !goesOn(name)) continue;
    if (listed?.has(name.toLowerCase())) continue;
    headers.push(name, value);
  }
  return headers;
}

/** The bank's headers as they go to the caller: names and values in turn. */
export function responseHeaders(given: IncomingHttpHeaders): string[] {
  const listed = connectionOptions(given.connection);
  const headers: string[] = ['cache-control', 'no-store'];
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || staysInside.has(name) || listed?.has(name)) continue;
    if (typeof value === 'string') headers.push(name, value);
    else for (const item of value) headers.push(name, item);
  }
  return headers;
}
