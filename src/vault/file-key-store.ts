import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { randomToken } from '../platform/random.ts';
import { decrypt, encrypt } from './cipher.ts';
import { type KeyStore, WrappedKeyError } from './key-store.ts';

/** Master keys as files that only the owner can read: for the sandbox and for installations without a key service. */
export interface FileKeyStore extends KeyStore {
  /** Makes a new master key current, for every process on this directory, and gives its id. */
  rotateMasterKey(): Promise<string>;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** `master-0001`, `master-0002`, …: the highest is current. */
const KEY_ID = /^master-\d{4}$/;
const KEY_FILE = /^master-\d{4}\.key$/;
/** One rotation a day for 27 years. */
const MAXIMUM_KEYS = 9_999;
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const OTHERS = 0o077;

/**
 * Opens the master keys in `directory` and makes the first when there is none.
 * @throws Error when a key file is readable by others than its owner, or is not a key
 */
export async function openFileKeyStore(directory: string): Promise<FileKeyStore> {
  const keys = new Map<string, KeyObject>();
  await mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
  if ((await keyIds(directory)).length === 0) await createKey(directory, 1);
  // Every key is read now, so that a file with wrong permissions stops the start and not a payment.
  for (const keyId of await keyIds(directory)) keys.set(keyId, await readKey(directory, keyId));

  const keyOf = async (keyId: string): Promise<KeyObject> => {
    const key = keys.get(keyId) ?? (await readKey(directory, keyId));
    keys.set(keyId, key);
    return key;
  };
  const currentKeyId = async (): Promise<string> => {
    const current = (await keyIds(directory)).at(-1);
    if (current === undefined) throw new Error('the key store has no master key any more');
    return current;
  };
  return {
    currentKeyId,
    wrap: async (dataKey) => {
      const keyId = await currentKeyId();
      const { nonce, ciphertext } = encrypt(await keyOf(keyId), keyId, dataKey);
      return { keyId, wrapped: Buffer.concat([nonce, ciphertext]) };
    },
    unwrap: async (keyId, wrapped) => {
      if (!KEY_ID.test(keyId)) throw new WrappedKeyError();
      const parts = { nonce: wrapped.subarray(0, NONCE_BYTES), ciphertext: wrapped.subarray(NONCE_BYTES) };
      const dataKey = decrypt(await keyOf(keyId), keyId, parts);
      if (dataKey === undefined) throw new WrappedKeyError();
      return dataKey;
    },
    rotateMasterKey: async () => {
      const current = Number((await currentKeyId()).slice(-4));
      return createKey(directory, current + 1);
    },
  };
}

async function keyIds(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => KEY_FILE.test(name))
    .map((name) => name.slice(0, -'.key'.length))
    .sort();
}

/** Writes the key aside and links it to its name: whoever comes second keeps the key of whoever came first. */
async function createKey(directory: string, number: number): Promise<string> {
  if (number > MAXIMUM_KEYS) throw new Error('the key store is full');
  const keyId = `master-${String(number).padStart(4, '0')}`;
  const aside = join(directory, `.${keyId}.${randomToken(8)}`);
  try {
    await writeDurably(aside, `${randomBytes(KEY_BYTES).toString('base64url')}\n`);
    await link(aside, join(directory, `${keyId}.key`));
  } catch (cause) {
    if (!isCode(cause, 'EEXIST')) throw cause;
  } finally {
    await rm(aside, { force: true });
  }
  await syncDirectory(directory);
  return keyId;
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', PRIVATE_FILE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A key that sealed something must not vanish with a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readKey(directory: string, keyId: string): Promise<KeyObject> {
  const path = join(directory, `${keyId}.key`);
  const { mode } = await stat(path);
  if ((mode & OTHERS) !== 0) throw new Error(`${path} can be read by others than its owner: chmod 600`);
  const content = (await readFile(path, 'utf8')).trimEnd();
  const octets = Buffer.from(content, 'base64url');
  if (octets.length !== KEY_BYTES || octets.toString('base64url') !== content)
    throw new Error(`${path} is not a master key`);
  return createSecretKey(octets);
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
