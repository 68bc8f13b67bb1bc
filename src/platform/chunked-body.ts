import { AnswerMalformed } from './answer-head.ts';

/** A size line with its extensions, or a trailer line: longer ones are not a bank's. */
const MAXIMUM_LINE = 4_096;
/** All trailer lines of one answer. */
const MAXIMUM_TRAILER_LINES = 64;
/** Size in hexadecimal digits, up to 2^52, and extensions that are read past (RFC 9112 §7.1.1). */
const SIZE = /^([0-9a-f]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/i;

/** Reads a body in chunks (RFC 9112 §7.1), piece by piece as it arrives. Trailer lines are read past. */
export interface ChunkReader {
  /**
   * Gives the data in a piece to `use`, and how many octets of the piece belonged to the body; fewer than all once it ended.
   * @throws AnswerMalformed
   */
  read(piece: Buffer, use: (data: Buffer) => void): number;
  readonly ended: boolean;
}

type State = 'size' | 'data' | 'data end' | 'trailer' | 'ended';

/** A reader for one body. */
export function createChunkReader(): ChunkReader {
  let state: State = 'size';
  let left = 0;
  let line = '';
  let trailerLines = 0;

  /** Takes the rest of a line out of a piece; undefined while its end has not come. */
  function takeLine(piece: Buffer, from: number): { readonly text: string; readonly next: number } | undefined {
    const end = piece.indexOf('\n', from);
    line += piece.toString('latin1', from, end === -1 ? piece.length : end);
    if (line.length > MAXIMUM_LINE) throw new AnswerMalformed('a line between chunks is too long');
    if (end === -1) return undefined;
    const text = line;
    line = '';
    if (!text.endsWith('\r')) throw new AnswerMalformed('a line between chunks does not end with CR LF');
    return { text: text.slice(0, -1), next: end + 1 };
  }

  function onLine(text: string): void {
    if (state === 'data end') {
      if (text !== '') throw new AnswerMalformed('a chunk is longer than it says');
      state = 'size';
      return;
    }
    if (state === 'trailer') {
      trailerLines += 1;
      if (trailerLines > MAXIMUM_TRAILER_LINES) throw new AnswerMalformed('the answer has too many trailer lines');
      if (text === '') state = 'ended';
      return;
    }
    const size = SIZE.exec(text)?.[1];
    if (size === undefined) throw new AnswerMalformed('a chunk has no size');
    left = Number.parseInt(size, 16);
    state = left === 0 ? 'trailer' : 'data';
  }

  return {
    read(piece, use) {
      let at = 0;
      while (at < piece.length && state !== 'ended') {
        if (state === 'data') {
          const end = Math.min(piece.length, at + left);
          use(piece.subarray(at, end));
          left -= end - at;
          at = end;
          if (left === 0) state = 'data end';
          continue;
        }
        const taken = takeLine(piece, at);
        if (taken === undefined) return piece.length;
        at = taken.next;
        onLine(taken.text);
      }
      return at;
    },
    get ended() {
      return state === 'ended';
    },
  };
}
