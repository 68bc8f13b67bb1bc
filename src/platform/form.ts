import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

const FORM_TYPE = /^application\/x-www-form-urlencoded *(?:; *charset="?utf-8"? *)?$/i;

/**
 * The whole body, at most `limitBytes` octets. The socket survives a refusal, so that it can be answered; how long a body
 * may take is the door's limit.
 * @throws Refusal `body_too_large` 413, `body_incomplete` 400 when the caller leaves before the end
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  if (request.readableEnded) throw new Error('the body of this request was read before');
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const receive = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > limitBytes) reject(tooLarge(limitBytes));
    else chunks.push(chunk);
  };
  const end = (): void => {
    // `close` follows before the promise is looked at; making a refusal for nobody costs more than the rest of this.
    request.off('close', leave);
    const [whole = Buffer.alloc(0)] = chunks;
    resolve(chunks.length > 1 ? Buffer.concat(chunks) : whole);
  };
  const leave = (): void => reject(new Refusal('body_incomplete', 400, 'The body ended before it was complete.'));
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) reject(tooLarge(limitBytes));
  else if (request.destroyed) leave();
  else request.on('data', receive).once('end', end).once('error', leave).once('close', leave);
  return promise.finally(() => {
    request.off('data', receive).off('end', end).off('close', leave);
    request.pause();
  });
}

/**
 * The fields of a form. A field that comes twice is refused unless it is named in `repeatable`: two readers could each
 * believe another of the two values.
 * @throws Refusal `unsupported_media_type` 415, `body_malformed` 400, `field_repeated` 400, and those of `readBody`
 */
export async function readForm(
  request: IncomingMessage,
  limitBytes: number,
  repeatable: readonly string[] = [],
): Promise<URLSearchParams> {
  if (!FORM_TYPE.test(request.headers['content-type'] ?? '') || request.headers['content-encoding'] !== undefined) {
    throw new Refusal('unsupported_media_type', 415, 'Send the form as application/x-www-form-urlencoded in UTF-8.');
  }
  const form = new URLSearchParams(decode(await readBody(request, limitBytes)));
  const single = [...form.keys()].filter((name) => !repeatable.includes(name));
  if (new Set(single).size === single.length) return form;
  throw new Refusal('field_repeated', 400, 'A field of the form was sent more than once.');
}

function decode(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch (cause) {
    throw new Refusal('body_malformed', 400, 'The form is not UTF-8.', { cause });
  }
}

function tooLarge(limitBytes: number): Refusal {
  return new Refusal('body_too_large', 413, `The body is larger than ${limitBytes} bytes.`);
}
