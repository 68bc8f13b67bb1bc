import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
/** NIST SP 800-38D §8.2: 96 random bits; one data key seals one value, and a master key wraps far fewer than 2^32. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM's result: the nonce, and ciphertext followed by the tag. */
export interface Encrypted {
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Encrypts under a fresh nonce and binds `context` in. */
export function encrypt(key: KeyObject | Uint8Array, context: string, plaintext: Uint8Array): Encrypted {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  return { nonce, ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]) };
}

/** The plaintext; undefined when anything was altered or the context is another. */
export function decrypt(
  key: KeyObject | Uint8Array,
  context: string,
  { nonce, ciphertext }: Encrypted,
): Uint8Array | undefined {
  if (nonce.length !== NONCE_BYTES || ciphertext.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
  const start = decipher.update(ciphertext.subarray(0, -TAG_BYTES));
  try {
    return Buffer.concat([start, decipher.final()]);
  } catch {
    // node:crypto reports a wrong tag by throwing; the caller decides what that means.
    return undefined;
  }
}
