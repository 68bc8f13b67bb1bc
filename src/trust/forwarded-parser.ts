import { HeaderProblem } from './header-problem.ts';
import { MAXIMUM_CHAIN } from './tls-source.ts';
import { MAXIMUM_OCTETS } from './x509.ts';

/**
 * A bank's own decoder of the header's value (at most 24 KiB, never empty): gives the certificates as DER, leaf first, as an
 * array of one to eight `Uint8Array`, at once and not by a promise. Whatever it throws, and whatever else it returns, refuses
 * the request.
 */
export type ForwardedParser = (value: string) => unknown;

/** More of an error's words than this do not help. */
const MAXIMUM_WORDS = 200;

/** Asks a bank's own decoder and believes nothing of its answer unseen. @throws HeaderProblem whose cause says what it did */
export function parsedBy(parser: ForwardedParser, value: string): readonly Uint8Array[] {
  try {
    return certificatesOf(parser(value));
  } catch (cause) {
    if (cause instanceof HeaderProblem) throw cause;
    throw fault('header_malformed', `it threw ${wordsOf(cause)}`);
  }
}

function certificatesOf(answer: unknown): readonly Uint8Array[] {
  if (!Array.isArray(answer)) throw fault('header_malformed', `it returned ${kindOf(answer)} instead of an array`);
  const items: readonly unknown[] = answer;
  if (items.length > MAXIMUM_CHAIN)
    throw fault('header_too_large', `it returned more than ${MAXIMUM_CHAIN} certificates`);
  return items.map((item) => {
    if (!(item instanceof Uint8Array))
      throw fault('header_malformed', `it returned ${kindOf(item)} instead of a Uint8Array`);
    if (item.length > MAXIMUM_OCTETS)
      throw fault('header_too_large', `it returned more than ${MAXIMUM_OCTETS} octets as one certificate`);
    // Its own buffer may change after we looked.
    return Uint8Array.from(item);
  });
}

/** The caller hears nothing of the decoder's inside; the log does. */
function fault(code: 'header_malformed' | 'header_too_large', what: string): HeaderProblem {
  const message = code === 'header_too_large' ? 'more than a chain may be' : 'the value is not in the configured form';
  return new HeaderProblem(code, message, { cause: what });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return value instanceof Promise ? 'a promise' : `a value of type ${typeof value}`;
}

function wordsOf(cause: unknown): string {
  const words = cause instanceof Error ? `${cause.name}: ${cause.message}` : kindOf(cause);
  return words.slice(0, MAXIMUM_WORDS);
}
