import { TAG } from './der.ts';

/** One element with any content: for the few things this room sends. */
export function encode(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(body.length)]), body]);
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

/** SEQUENCE */
export function encodeSequence(...content: readonly Uint8Array[]): Uint8Array {
  return encode(TAG.sequence, ...content);
}
