import { randomBytes } from 'node:crypto';
import { Refusal } from '../platform/refusal.ts';
import { decrypt, encrypt } from './cipher.ts';
import { type KeyStore, WrappedKeyError } from './key-store.ts';
import type { Sealed } from './vault.ts';

/** Sealing and opening, as the vault's parts use it. */
export interface Envelope {
  seal(context: string, plaintext: Uint8Array): Promise<Sealed>;
  open(context: string, sealed: Sealed): Promise<Uint8Array>;
}

const VERSION = 'v1';
const DATA_KEY_BYTES = 32;
/** What is sealed is keys, secrets and numbers; a megabyte here is a mistake. */
const MAXIMUM_PLAINTEXT_BYTES = 65_536;
/** A key service that takes longer holds a payment up for longer than its caller waits. */
const KEY_STORE_TIMEOUT_MS = 5_000;
const SEALED = /^v1\.([\w:/-]{1,200})\.([\w-]{1,8192})\.([\w-]{16})\.([\w-]{22,90000})$/;

/**
 * Envelope encryption (LAB-30): every value under a data key of its own, which only the key store can unwrap. Unwrapped
 * data keys are not cached: each use of a number is a use of the master key that its keeper can see and refuse.
 */
export function createEnvelope(keyStore: KeyStore): Envelope {
  return {
    seal: async (context, plaintext) => {
      if (plaintext.length > MAXIMUM_PLAINTEXT_BYTES)
        throw new Error(`sealing takes at most ${MAXIMUM_PLAINTEXT_BYTES} octets`);
      const dataKey = randomBytes(DATA_KEY_BYTES);
      const { keyId, wrapped } = await ask(() => keyStore.wrap(dataKey));
      const { nonce, ciphertext } = encrypt(dataKey, contextOf(keyId, context), plaintext);
      dataKey.fill(0);
      const sealed = [VERSION, keyId, encode(wrapped), encode(nonce), encode(ciphertext)].join('.');
      if (!SEALED.test(sealed)) throw new Error('the key store gave a key id or a wrapped key of no usable form');
      return sealed;
    },
    open: async (context, sealed) => {
      const { keyId, wrapped, nonce, ciphertext } = parse(sealed);
      const dataKey = await unwrap(keyStore, keyId, wrapped);
      const plaintext = decrypt(dataKey, contextOf(keyId, context), { nonce, ciphertext });
      dataKey.fill(0);
      if (plaintext === undefined) throw altered();
      return plaintext;
    },
  };
}

/** Id of the master key that a sealed value needs. @throws Error when the text is no sealed value */
export function masterKeyIdOf(sealed: Sealed): string {
  return parse(sealed).keyId;
}

function contextOf(keyId: string, context: string): string {
  return JSON.stringify(['portcullis', VERSION, keyId, context]);
}

function parse(sealed: Sealed) {
  const [, keyId, wrapped, nonce, ciphertext] = SEALED.exec(sealed) ?? [];
  if (keyId === undefined || wrapped === undefined || nonce === undefined || ciphertext === undefined) throw altered();
  return { keyId, wrapped: decode(wrapped), nonce: decode(nonce), ciphertext: decode(ciphertext) };
}

async function unwrap(keyStore: KeyStore, keyId: string, wrapped: Uint8Array): Promise<Uint8Array> {
  const dataKey = await ask(() => keyStore.unwrap(keyId, wrapped));
  if (dataKey.length !== DATA_KEY_BYTES) throw altered();
  return dataKey;
}

/** Asks the key store within its time; what it cannot answer is a refusal, what it recognises as altered is an error. */
async function ask<T>(question: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the key store did not answer in time')), KEY_STORE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([question(), timeout]);
  } catch (cause) {
    if (cause instanceof WrappedKeyError) throw altered();
    throw new Refusal('kms_unavailable', 503, 'The key service does not answer. Try again later.', { cause });
  } finally {
    clearTimeout(timer);
  }
}

function altered(): Error {
  return new Error('a sealed value cannot be opened: it was altered or belongs elsewhere');
}

function encode(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64url');
}

/** Strict: one text for the same octets. */
function decode(text: string): Uint8Array {
  const octets = Buffer.from(text, 'base64url');
  if (octets.toString('base64url') !== text) throw altered();
  return octets;
}
