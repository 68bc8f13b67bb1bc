import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';

/** More than any body the bank takes. */
const MAXIMUM_BODY_BYTES = 16_384;

/** The body as a JSON object with exactly these fields. @throws Problem 400, 413, 415 */
export async function readFields(
  request: IncomingMessage,
  names: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new Problem(415, 'unsupported_media_type', 'Send application/json.');
  }
  const fields = parseObject(await readText(request));
  const unknown = [...fields.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Problem(400, 'field_invalid', 'The body has a field nobody knows here.');
  const missing = names.find((name) => !fields.has(name));
  if (missing !== undefined) throw new Problem(400, 'field_missing', `The field "${missing}" is missing.`);
  return fields;
}

function parseObject(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  } catch {
    // The cause would quote the body, which may hold a password.
  }
  throw new Problem(400, 'body_malformed', 'The body is no JSON object.');
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const octets = Buffer.from(chunk);
    bytes += octets.length;
    if (bytes > MAXIMUM_BODY_BYTES) throw new Problem(413, 'body_malformed', 'The body is too large.');
    chunks.push(octets);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The query's parameters, each at most once and none unknown (N-237). @throws Problem 400 */
export function readQuery(query: URLSearchParams, names: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of query) {
    if (!names.includes(name)) throw new Problem(400, 'field_invalid', 'The query has a parameter nobody knows here.');
    if (values.has(name)) throw new Problem(400, 'field_invalid', `The parameter "${name}" comes twice.`);
    values.set(name, value);
  }
  return values;
}
