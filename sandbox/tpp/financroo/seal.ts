import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readable, readIfThere, writeSecret } from '../../authority/files.ts';

/** What Financroo protects its own things with. */
export interface Keys {
  /** A text that is worthless without the key; `purpose` must be the same again to open it. */
  seal(text: string, purpose: string): string;
  /** @throws Error when it was changed, or sealed for another purpose or with another key */
  open(sealed: string, purpose: string): string;
  /** A mark that only the holder of the key can make. */
  sign(text: string): string;
  isSigned(text: string, mark: string): boolean;
}

const KEY_BYTES = 32;
/** NIST SP 800-38D §8.2: 96 bits, never twice with one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Opens the keys of a file; made at the first start, readable for their owner alone, never a built-in one (N-118). */
export async function openKeys(path: string): Promise<Keys> {
  const kept = await readIfThere(path);
  if (kept !== undefined) return keysOf(kept, path);
  const fresh = () => randomBytes(KEY_BYTES).toString('base64url');
  const text = readable({ sealing: fresh(), signing: fresh() });
  await writeSecret(path, text);
  return keysOf(text, path);
}

function keysOf(text: string, path: string): Keys {
  const parsed: unknown = JSON.parse(text);
  const fields = new Map<string, unknown>(Object.entries(typeof parsed === 'object' && parsed !== null ? parsed : {}));
  const [sealing, signing] = ['sealing', 'signing'].map((name) => {
    const key = Buffer.from(String(fields.get(name) ?? ''), 'base64url');
    if (key.length !== KEY_BYTES) throw new Error(`${path}: the key "${name}" is no key; remove the file for new ones`);
    return key;
  });
  if (sealing === undefined || signing === undefined) throw new Error(`${path} holds no keys`);
  const sign = (value: string) => createHmac('sha256', signing).update(value).digest('base64url');
  return {
    sign,
    isSigned: (value, mark) => {
      const [right, given] = [Buffer.from(sign(value)), Buffer.from(mark)];
      return right.length === given.length && timingSafeEqual(right, given);
    },
    seal: (value, purpose) => seal(sealing, value, purpose),
    open: (sealed, purpose) => open(sealing, sealed, purpose),
  };
}

/** AES-256-GCM: nobody reads it, nobody changes it unnoticed. */
function seal(key: Buffer, text: string, purpose: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(purpose));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

function open(key: Buffer, sealed: string, purpose: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
}
