import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CrlEntry, MAXIMUM_SERIAL_OCTETS, parseEntry } from './crl-syntax.ts';
import { type Element, readAt, TAG } from './der.ts';
import { Malformed } from './malformed.ts';
import { Unusable } from './unusable.ts';

/** Serials of a list, found in constant time: one number per place in a table beside the octets of the list itself. */
export interface SerialIndex {
  readonly size: number;
  /** Octets held: list and table. */
  readonly octets: number;
  /** The entry of a serial. */
  find(serial: Uint8Array): CrlEntry | undefined;
}

/** Entries read before other work gets its turn: about a millisecond. */
const SLICE = 4_096;
/** The shortest entry that can be: used to size the table before anything is read. */
const MINIMUM_ENTRY_OCTETS = 20;
/** Lengths of entries need no more. */
const LENGTH_OCTETS = 2;

/**
 * Reads every entry once, without keeping an object for any, and gives other work its turn in between: a list of a
 * million entries holds nobody up. @throws Unusable
 */
export async function indexEntries(entries: Element | undefined): Promise<SerialIndex> {
  if (entries === undefined) return { size: 0, octets: 0, find: () => undefined };
  const { source, content, end } = entries;
  const table = new Uint32Array(tableSize((end - content) / MINIMUM_ENTRY_OCTETS));
  let size = 0;
  for (let offset = content; offset < end; size += 1) {
    const entry = guarded(() => readChecked(source, offset, end));
    insert(table, source, offset);
    offset = entry.end;
    if (size % SLICE === SLICE - 1) await nextTurn();
  }
  if (size === 0) throw new Unusable('crl_syntax', 'a list of entries without entry');
  const find = (serial: Uint8Array) => lookUp(table, source, end, serial);
  return { size, octets: source.length + table.byteLength, find };
}

/** A power of two, at most two thirds full. */
function tableSize(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(8, entries * 1.5)));
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Malformed) throw new Unusable('crl_syntax', cause.message, cause);
    throw cause;
  }
}

/** A plain entry (serial and time, nothing more) is checked by its octets; any other goes through the full reader. */
function readChecked(source: Uint8Array, offset: number, end: number): Element {
  const entry = readAt(source, offset, end, LENGTH_OCTETS);
  const serialLength = source[entry.content + 1] ?? 0;
  const time = entry.content + 2 + serialLength;
  const plain =
    entry.tag === TAG.sequence &&
    source[entry.content] === TAG.integer &&
    serialLength > 1 &&
    serialLength <= MAXIMUM_SERIAL_OCTETS &&
    isMinimal(source, entry.content + 2) &&
    source[time] === TAG.utcTime &&
    source[time + 1] === 13 &&
    entry.end === time + 15;
  if (!plain) parseEntry(entry);
  return entry;
}

function isMinimal(source: Uint8Array, at: number): boolean {
  const [first = 0, second = 0] = [source[at], source[at + 1]];
  return !(first === 0 && second < 0x80) && !(first === 0xff && second >= 0x80);
}

/** Offsets are kept plus one: zero is an empty place. */
function insert(table: Uint32Array, source: Uint8Array, offset: number): void {
  const [from, to] = serialRange(source, offset);
  let place = hashOf(source, from, to) & (table.length - 1);
  while (table[place] !== 0) place = (place + 1) & (table.length - 1);
  table[place] = offset + 1;
}

function lookUp(table: Uint32Array, source: Uint8Array, end: number, serial: Uint8Array): CrlEntry | undefined {
  let place = hashOf(serial, 0, serial.length) & (table.length - 1);
  for (let found = table[place]; found !== undefined && found !== 0; found = table[place]) {
    const offset = found - 1;
    const [from, to] = serialRange(source, offset);
    if (Buffer.compare(source.subarray(from, to), serial) === 0) {
      return entryAt(source, offset, end, serial);
    }
    place = (place + 1) & (table.length - 1);
  }
  return undefined;
}

/** A serial that is listed is revoked, even if the date beside it does not exist. */
function entryAt(source: Uint8Array, offset: number, end: number, serial: Uint8Array): CrlEntry {
  try {
    return parseEntry(readAt(source, offset, end, LENGTH_OCTETS));
  } catch (cause) {
    if (cause instanceof Malformed) return { serial, revokedAt: undefined, reason: undefined };
    throw cause;
  }
}

/** Where the serial's octets are in an entry that was read before. */
function serialRange(source: Uint8Array, offset: number): readonly [number, number] {
  const first = source[offset + 1] ?? 0;
  const integer = offset + (first < 0x80 ? 2 : 2 + (first & 0x7f));
  const from = integer + 2;
  return [from, from + (source[integer + 1] ?? 0)];
}

/** FNV-1a with a final mix. The list is signed by an authority: nobody else can choose serials that collide. */
function hashOf(octets: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let index = from; index < to; index += 1) hash = Math.imul(hash ^ (octets[index] ?? 0), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x45d9f3b);
  return (hash ^ (hash >>> 15)) >>> 0;
}
