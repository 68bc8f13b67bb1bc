import type { IncomingMessage } from 'node:http';
import { Problem } from '../bank/problem.ts';
import { type Actor, actorKinds } from './consent.ts';

/** A consent with a thousand accounts stays below this. */
const MAXIMUM_BODY_BYTES = 1_048_576;
const MAXIMUM_REFERENCE = 256;
const MAXIMUM_WORDS = 500;
const MAXIMUM_DETAILS = 32_768;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

/** A JSON object, its members by name. */
export type Fields = ReadonlyMap<string, unknown>;

/** The body as a JSON object with these members and no others. @throws Problem 400, 413, 415 */
export async function readFields(
  request: IncomingMessage,
  required: readonly string[],
  optional: readonly string[] = [],
): Promise<Fields> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new Problem(415, 'unsupported_media_type', 'Send application/json.');
  return checkNames(parseObject(await readText(request)), required, optional);
}

function checkNames(fields: Fields, required: readonly string[], optional: readonly string[]): Fields {
  if ([...fields.keys()].some((name) => !required.includes(name) && !optional.includes(name)))
    throw new Problem(400, 'field_unknown', 'The body has a member that the contract does not know.');
  const missing = required.find((name) => !fields.has(name));
  if (missing !== undefined) throw new Problem(400, 'field_missing', `The member "${missing}" is missing.`);
  return fields;
}

function parseObject(body: string): Fields {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  } catch {
    // The cause would quote the body, which names a customer.
  }
  throw new Problem(400, 'body_malformed', 'The body is no JSON object.');
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const octets = Buffer.from(chunk);
    bytes += octets.length;
    if (bytes > MAXIMUM_BODY_BYTES) throw new Problem(413, 'body_too_large', 'The body is too large.');
    chunks.push(octets);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The refusal of a member. */
export function invalid(name: string): Problem {
  return new Problem(400, 'field_invalid', `The member "${name}" is not as the contract says.`);
}

/** An id or reference: some text, bounded, without control characters. */
export function isReference(value: unknown): value is string {
  return (
    typeof value === 'string' && value.trim() !== '' && value.length <= MAXIMUM_REFERENCE && !/\p{Cc}/u.test(value)
  );
}

/** @throws Problem 400 */
export function reference(fields: Fields, name: string): string {
  const value = fields.get(name);
  if (!isReference(value)) throw invalid(name);
  return value;
}

/** A reference, or null for nobody. @throws Problem 400 */
export function referenceOrNull(fields: Fields, name: string): string | null {
  return fields.get(name) === null ? null : reference(fields, name);
}

/** A list of distinct references. @throws Problem 400 */
export function references(fields: Fields, name: string, maximum: number): readonly string[] {
  const value = fields.get(name);
  if (!Array.isArray(value) || value.length > maximum) throw invalid(name);
  const known = value.filter(isReference);
  if (known.length !== value.length || new Set(known).size !== known.length) throw invalid(name);
  return known;
}

/** `authorization_details`. @throws Problem 400 */
export function details(fields: Fields, name: string): readonly unknown[] {
  const value = fields.get(name);
  const objects =
    Array.isArray(value) &&
    value.every((item: unknown) => typeof item === 'object' && item !== null && !Array.isArray(item));
  if (!objects || JSON.stringify(value).length > MAXIMUM_DETAILS) throw invalid(name);
  return value;
}

/** A moment in UTC, as milliseconds. @throws Problem 400 */
export function moment(value: unknown, name: string): number {
  const at = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) throw invalid(name);
  return at;
}

/** Who acts. @throws Problem 400 */
export function actorOf(fields: Fields): Actor {
  const value = fields.get('actor');
  if (typeof value !== 'object' || value === null) throw invalid('actor');
  const members: Fields = new Map(Object.entries(value));
  const kind = actorKinds.find((known) => known === members.get('kind'));
  const reason = members.get('reason');
  if (kind === undefined || !isWords(members.get('reference'))) throw invalid('actor');
  if (reason !== undefined && !isWords(reason)) throw invalid('actor');
  return {
    kind,
    reference: String(members.get('reference')),
    reason: reason === undefined ? undefined : String(reason),
  };
}

function isWords(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAXIMUM_WORDS;
}

/** The query's parameters, each at most once and none unknown. @throws Problem 400 */
export function readQuery(query: URLSearchParams, names: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of query) {
    if (!names.includes(name) || values.has(name) || !isReference(value))
      throw new Problem(400, 'field_invalid', 'The query has a parameter that is unknown, blank or comes twice.');
    values.set(name, value);
  }
  return values;
}
