import { Refusal } from '../platform/refusal.ts';

/** Longest query that is passed on, in characters: several dates and cursors fit, a body in disguise does not. */
const queryLimit = 4096;
/** Longest path parameter, in characters: an IBAN has 34, a UUID 36. */
const parameterLimit = 128;
/** Never in an identifier, and each one a way to say another path to whoever decodes once more. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses.
const forbidden = /[\u0000-\u0020\u007f/\\%?#;]/;
const printable = /^[\u0021-\u007e]*$/;

/** A request target cut into path and query. */
export interface Target {
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
}

/**
 * Cuts the target and checks the query.
 * @throws Refusal `token_missing` 401 for a token in the query (RFC 6750 §2.3 is not supported, N-82); `field_invalid` 400
 */
export function parseTarget(target: string): Target {
  const cut = target.indexOf('?');
  if (cut < 0) return { path: target, query: '' };
  const query = target.slice(cut);
  if (query.length > queryLimit)
    throw new Refusal('field_invalid', 400, `The query is longer than ${queryLimit} characters.`);
  if (!printable.test(query) || query.includes('#'))
    throw new Refusal('field_invalid', 400, 'The query has characters that must be percent-encoded.');
  if (new URLSearchParams(query).has('access_token'))
    throw new Refusal(
      'token_missing',
      401,
      'Send the access token in the Authorization header, never in the address.',
      {
        detail: 'token_in_query',
      },
    );
  return { path: target.slice(0, cut), query };
}

/** The segments of a path, without the empty one before the first slash. */
export function splitPath(path: string): readonly string[] {
  return path.split('/').slice(1);
}

/** The decoded value of a path segment; undefined for dot segments, encoded slashes, NUL, double encoding and the like. */
export function parseParameter(segment: string): string | undefined {
  if (segment === '') return undefined;
  const value = decode(segment);
  if (value === undefined || value.length > parameterLimit || forbidden.test(value)) return undefined;
  return value === '.' || value === '..' ? undefined : value;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
