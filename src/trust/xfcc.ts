import { createHash } from 'node:crypto';
import { HeaderProblem } from './header-problem.ts';
import { certificatesOfPem } from './pem.ts';
import { MAXIMUM_CHAIN } from './tls-source.ts';

/** Pairs of one element of `x-forwarded-client-cert`, keys in lower case. */
type Element = ReadonlyMap<string, string>;

const KNOWN: ReadonlySet<string> = new Set(['by', 'hash', 'cert', 'chain', 'subject', 'uri', 'dns']);
/** A certificate may have several of these names. */
const REPEATABLE: ReadonlySet<string> = new Set(['uri', 'dns']);

/**
 * Certificates of Envoy's `x-forwarded-client-cert`, leaf first. Every trusted hop adds one element behind those it
 * received, so the first of exactly `hops` elements is the one about the participant. @throws HeaderProblem
 */
export function parseXfcc(value: string, hops: number): readonly Uint8Array[] {
  const elements = split(value, ',').map(elementOf);
  const [element] = elements;
  if (element === undefined || elements.length !== hops)
    throw malformed(`${elements.length} elements where ${hops} belong`);
  const cert = pemOf(element.get('cert'), 1);
  const chain = pemOf(element.get('chain'), MAXIMUM_CHAIN);
  const [leaf] = cert.length > 0 ? cert : chain;
  if (leaf === undefined)
    throw new HeaderProblem('header_no_certificate', 'the header names a certificate without showing it');
  const [first] = chain;
  if (first !== undefined && Buffer.compare(first, leaf) !== 0)
    throw inconsistent('Cert differs from the first of Chain');
  const hash = element.get('hash');
  if (hash !== undefined && hash !== createHash('sha256').update(leaf).digest('hex'))
    throw inconsistent('Hash is of another certificate');
  return chain.length > 0 ? chain : [leaf];
}

function malformed(message: string): HeaderProblem {
  return new HeaderProblem('header_malformed', message);
}

function inconsistent(message: string): HeaderProblem {
  return new HeaderProblem('header_inconsistent', message);
}

function elementOf(text: string): Element {
  const pairs = new Map<string, string>();
  for (const part of split(text, ';')) {
    const equals = part.indexOf('=');
    const key = part.slice(0, equals).trim().toLowerCase();
    if (equals < 1 || !KNOWN.has(key)) throw malformed('a key that is not known');
    if (pairs.has(key) && !REPEATABLE.has(key)) throw malformed(`${key} twice`);
    pairs.set(key, unquoted(part.slice(equals + 1).trim()));
  }
  return pairs;
}

/** Splits at a separator outside quotes. @throws HeaderProblem for a quote without end */
function split(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (quoted && character === '\\') index += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  if (quoted) throw malformed('a quote without end');
  return [...parts, text.slice(start)];
}

function unquoted(value: string): string {
  if (!value.includes('"')) return value;
  const [, inner] = /^"((?:[^"\\]|\\.)*)"$/.exec(value) ?? [];
  if (inner === undefined) throw malformed('a quote inside a value');
  return inner.replaceAll(/\\(.)/g, '$1');
}

function pemOf(value: string | undefined, maximum: number): readonly Uint8Array[] {
  if (value === undefined || value === '') return [];
  return certificatesOfPem(decoded(value), maximum);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw malformed('a percent sequence that is none');
  }
}
