import { malformed } from './answer.ts';

/** An entity of a published register has a few kilobytes. */
const MAXIMUM_OBJECT_OCTETS = 1024 * 1024;
/** The lists around the objects: one or two in what is published. */
const MAXIMUM_DEPTH = 8;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * The objects in a JSON text that is lists of objects, one after another, so that a text of hundreds of megabytes needs the
 * memory of one. @throws RegisterUnavailable `register_malformed` for any other text, and for one that ends early
 */
export async function* jsonObjects(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const scanner = createScanner();
  for await (const chunk of chunks) yield* scanner.take(chunk);
  scanner.end();
}

function createScanner() {
  let lists = 0;
  let begun = false;
  /** Inside an object: how deep, and whether in a text. */
  let depth = 0;
  let inText = false;
  let escaped = false;
  let parts: Uint8Array[] = [];
  let octets = 0;

  function outside(octet: number): void {
    if (SPACES.has(octet)) return;
    if (octet === OPEN_LIST && lists < MAXIMUM_DEPTH && (lists > 0 || !begun)) {
      lists += 1;
      begun = true;
    } else if (octet === CLOSE_LIST && lists > 0) lists -= 1;
    else if (octet === OPEN_OBJECT && lists > 0) depth = 1;
    else if (octet !== COMMA || lists === 0) throw malformed('the text is not lists of objects');
  }

  /** True at the octet that ends the object. */
  function inside(octet: number): boolean {
    if (escaped) escaped = false;
    else if (inText) {
      if (octet === BACKSLASH) escaped = true;
      else if (octet === QUOTE) inText = false;
    } else if (octet === QUOTE) inText = true;
    else if (octet === OPEN_OBJECT) depth += 1;
    else if (octet === CLOSE_OBJECT) depth -= 1;
    return depth === 0;
  }

  function keep(part: Uint8Array): void {
    octets += part.length;
    if (octets > MAXIMUM_OBJECT_OCTETS) throw malformed(`an object has more than ${MAXIMUM_OBJECT_OCTETS} octets`);
    parts.push(part);
  }

  function finish(): unknown {
    const whole = Buffer.concat(parts);
    parts = [];
    octets = 0;
    return parse(whole);
  }

  return {
    *take(chunk: Uint8Array): Generator<unknown> {
      let start = 0;
      for (let index = 0; index < chunk.length; index += 1) {
        const octet = chunk[index] ?? 0;
        if (depth === 0) {
          outside(octet);
          start = index;
        } else if (inside(octet)) {
          keep(chunk.subarray(start, index + 1));
          yield finish();
        }
      }
      if (depth > 0) keep(chunk.slice(start));
    },
    end(): void {
      if (!begun || lists > 0 || depth > 0) throw malformed('the text ends early');
    },
  };
}

function parse(octets: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch {
    throw malformed('an object is not JSON');
  }
}
