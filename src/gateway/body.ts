import type { IncomingMessage } from 'node:http';
import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';

/** Largest request body, in bytes (1 MiB): the APIs take small JSON documents. */
export const bodyLimit = 1_048_576;
/** Longest wait for a body that the gateway reads itself, in milliseconds: it is a few hundred bytes. */
const bodyMilliseconds = 10_000;

/** The client went away before the answer was complete; nobody is left to be refused. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** The refusal for a body over the limit, announced or counted. */
export function bodyTooLarge(): Refusal {
  return new Refusal('body_too_large', 413, `The body is larger than ${bodyLimit} bytes.`);
}

/** True when a request brings a body (RFC 9112 §6.3). */
export function bodyExpected(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** Longest rest of a body that is skipped to keep the connection, in bytes; a handshake costs more than reading it. */
const skippable = 65_536;

/** True when part of the body has not arrived. */
export function bodyUnderWay(request: IncomingMessage): boolean {
  return !request.complete && bodyExpected(request);
}

/** True when an early answer must end the connection: what is under way is not small, or somebody began to read it. */
export function endsConnection(request: IncomingMessage): boolean {
  if (!bodyUnderWay(request)) return false;
  const length = request.headers['content-length'];
  return request.readableDidRead || length === undefined || Number(length) > skippable;
}

/**
 * The JSON object in the body.
 * @throws Refusal `unsupported_media_type` 415, `body_malformed` 400, `body_too_large` 413, `body_too_slow` 408
 */
export async function readJsonObject(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  if (!/^application\/json *(?:; *charset="?utf-8"? *)?$/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal('unsupported_media_type', 415, 'Send the body as application/json in UTF-8.');
  if (request.headers['content-encoding'] !== undefined)
    throw new Refusal('unsupported_media_type', 415, 'Send the body without a content encoding.');
  return parseJsonObject(await readBody(request));
}

/** @throws Refusal `body_malformed` 400 */
function parseJsonObject(octets: Uint8Array): Readonly<Record<string, unknown>> {
  const value = decodeJson(octets);
  if (!isRecord(value)) throw new Refusal('body_malformed', 400, 'The body is not a JSON object.');
  return value;
}

function decodeJson(octets: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch (cause) {
    throw new Refusal('body_malformed', 400, 'The body is not JSON in UTF-8.', { cause });
  }
}

/** @throws Refusal `field_missing`, `field_invalid` 400 naming the field */
export function requiredText(body: Readonly<Record<string, unknown>>, field: string, limit: number): string {
  const value = body[field];
  if (value === undefined) throw new Refusal('field_missing', 400, `The field "${field}" is missing.`);
  if (typeof value !== 'string' || value === '' || value.length > limit)
    throw new Refusal('field_invalid', 400, `The field "${field}" must be a text of 1 to ${limit} characters.`);
  return value;
}

/** A field nobody reads would be a promise nobody keeps. @throws Refusal `field_invalid` 400 */
export function refuseOtherFields(body: Readonly<Record<string, unknown>>, fields: readonly string[]): void {
  if (Object.keys(body).every((field) => fields.includes(field))) return;
  throw new Refusal('field_invalid', 400, `The body may have these fields only: ${fields.join(', ')}.`);
}

/** Reads the body without destroying the socket on refusal, so that the refusal can still be sent. */
function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (request.destroyed) reject(new ClientGone('the client left before its body was read'));
  const slow = () => reject(new Refusal('body_too_slow', 408, 'The body did not arrive in time.'));
  const timer = setTimeout(slow, bodyMilliseconds);
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= bodyLimit) chunks.push(chunk);
    else reject(bodyTooLarge());
  });
  request.once('end', () => resolve(Buffer.concat(chunks)));
  request.once('close', () => reject(new ClientGone('the client left while its body was read')));
  request.once('error', (cause) => reject(new ClientGone('the client left while its body was read', { cause })));
  return promise.finally(() => {
    clearTimeout(timer);
    request.removeAllListeners('data');
    request.pause();
  });
}
