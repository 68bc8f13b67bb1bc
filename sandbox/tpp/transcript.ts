import { shown, shownAddress, shownParameters } from './blanking.ts';
import type { Exchange } from './wire.ts';

/** Headers worth a line. */
const REQUEST_HEADERS = ['authorization', 'content-type', 'x-fapi-interaction-id'];
const RESPONSE_HEADERS = ['location', 'www-authenticate', 'retry-after', 'x-fapi-interaction-id', 'cache-control'];
/** Lines of a decoded body. */
const SHOWN_LINES = 60;

/** What was sent and what was answered, decoded, without a secret in it. */
export function describeExchange(exchange: Exchange): string {
  return [
    `→ ${exchange.method} ${shownAddress(exchange.url)}`,
    ...headerLines(exchange.requestHeaders, REQUEST_HEADERS),
    ...bodyLines(exchange.requestBody, headerOf(exchange.requestHeaders, 'content-type')),
    `← ${exchange.status}`,
    ...headerLines(exchange.responseHeaders, RESPONSE_HEADERS),
    ...(exchange.cookies.length === 0 ? [] : [`  set-cookie: ${exchange.cookies.map(cookieName).join(', ')}`]),
    // The page behind a redirect is for browsers that cannot follow one.
    ...(headerOf(exchange.responseHeaders, 'location') === ''
      ? bodyLines(exchange.responseBody, headerOf(exchange.responseHeaders, 'content-type'))
      : []),
  ].join('\n');
}

function headerOf(headers: Readonly<Record<string, string>>, name: string): string {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? '';
}

function headerLines(headers: Readonly<Record<string, string>>, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const value = headerOf(headers, name);
    return value === '' ? [] : [`  ${name}: ${shownHeader(name, value)}`];
  });
}

function shownHeader(name: string, value: string): string {
  if (name === 'authorization') return value.replace(/ .*/s, ' ‹token›');
  return name === 'location' ? shownAddress(value) : value;
}

function cookieName(cookie: string): string {
  return `${cookie.split('=')[0]}=‹…›`;
}

function bodyLines(body: string | undefined, type: string): readonly string[] {
  if (body === undefined || body === '') return [];
  const lines = readableBody(body, type)
    .split('\n')
    .map((line) => `  ${line}`);
  return lines.length > SHOWN_LINES
    ? [...lines.slice(0, SHOWN_LINES), `  … ${lines.length - SHOWN_LINES} more lines`]
    : lines;
}

function readableBody(body: string, type: string): string {
  if (type.includes('json')) return JSON.stringify(shown('', parsed(body)), undefined, 2);
  if (type.includes('x-www-form-urlencoded')) {
    return JSON.stringify(shownParameters(new URLSearchParams(body)), undefined, 2);
  }
  if (type.includes('html')) return `a page: ${/<title>([^<]*)<\/title>/.exec(body)?.[1] ?? 'without title'}`;
  return `${body.length} characters of ${type || 'no type'}`;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return `no JSON, ${body.length} characters`;
  }
}
