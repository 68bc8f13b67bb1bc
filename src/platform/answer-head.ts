import type { IncomingHttpHeaders } from 'node:http';

/** How the end of an answer's body is found (RFC 9112 §6.3). */
export type BodyFraming =
  | { readonly kind: 'length'; readonly octets: number }
  | { readonly kind: 'chunks' }
  /** The end of the connection is the end of the body. */
  | { readonly kind: 'close' };

/** The head of an HTTP/1.1 answer. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case; several lines of one name are an array. */
  readonly headers: IncomingHttpHeaders;
  readonly body: BodyFraming;
  /** True when the connection may carry another request afterwards. */
  readonly keep: boolean;
}

/** An answer that is not HTTP/1.1 as RFC 9112 writes it: nothing behind it on the connection can be trusted either. */
export class AnswerMalformed extends Error {
  readonly code = 'answer_malformed';
  override readonly name = 'AnswerMalformed';
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/;
/** What a line may hold; no line break that is not CR LF, and a folded line (RFC 9112 §5.2) fails as a name. */
const PRINTABLE = /^[\t\x20-\x7e\x80-\xff]*$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const LENGTH = /^\d{1,15}$/;
/** More lines than any bank sends. */
const MAXIMUM_LINES = 200;

/** Header names are judged once each; the bound keeps a bank from filling the memory with invented ones. */
const NAME_LIMIT = 1_000;
const names = new Map<string, string>();

/**
 * Reads the head of an answer, without the empty line that ends it. Strict where readers differ: two lengths, a length
 * beside chunks, or an unknown coding are no answer (RFC 9112 §6.1, §6.3).
 * @throws AnswerMalformed
 */
export function parseAnswerHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, code] = STATUS_LINE.exec(first) ?? [];
  if (code === undefined || !PRINTABLE.test(first)) throw new AnswerMalformed('the answer has no status line');
  if (lines.length > MAXIMUM_LINES) throw new AnswerMalformed('the answer has too many header lines');
  const headers: Record<string, string | string[]> = {};
  for (const line of lines) add(headers, line);
  const body = framingOf(headers, Number(code));
  return { status: Number(code), headers, body, keep: minor === '1' && body.kind !== 'close' && !closes(headers) };
}

function add(headers: Record<string, string | string[]>, line: string): void {
  const colon = line.indexOf(':');
  const name = colon > 0 && PRINTABLE.test(line) ? nameOf(line.slice(0, colon)) : undefined;
  if (name === undefined) throw new AnswerMalformed('the answer has a malformed header line');
  const value = line.slice(colon + 1).trim();
  const known = headers[name];
  if (known === undefined) headers[name] = value;
  else headers[name] = typeof known === 'string' ? [known, value] : [...known, value];
}

function nameOf(written: string): string | undefined {
  const known = names.get(written);
  if (known !== undefined) return known;
  // An object's own machinery has such a name, and no header does.
  if (!TOKEN.test(written) || written === '__proto__') return undefined;
  const name = written.toLowerCase();
  if (names.size < NAME_LIMIT) names.set(written, name);
  return name;
}

function framingOf(headers: IncomingHttpHeaders, status: number): BodyFraming {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (status < 200 || status === 204 || status === 304) return { kind: 'length', octets: 0 };
  if (coding !== undefined) {
    // Several lines arrive as an array, whatever the types say.
    if (String(coding).toLowerCase() !== 'chunked' || length !== undefined)
      throw new AnswerMalformed('the answer has a coding that is not "chunked" alone');
    return { kind: 'chunks' };
  }
  if (length === undefined) return { kind: 'close' };
  // Several lines arrive as an array, whatever the types say.
  if (typeof length !== 'string' || !LENGTH.test(length)) throw new AnswerMalformed('the answer has no one length');
  return { kind: 'length', octets: Number(length) };
}

function closes({ connection }: IncomingHttpHeaders): boolean {
  return connection !== undefined && String(connection).toLowerCase() !== 'keep-alive';
}
