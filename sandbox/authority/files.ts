import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** For everybody: certificates and public keys. */
const PUBLIC_MODE = 0o644;
/** For the owner alone: private keys. */
const SECRET_MODE = 0o600;

/** The text of a file, or undefined when there is none. Any other failure is one. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** Writes a file that anybody may read; whole or not at all. */
export function writePublic(path: string, text: string): Promise<void> {
  return write(path, text, PUBLIC_MODE);
}

/** Writes a file that only its owner may read; whole or not at all. */
export function writeSecret(path: string, text: string): Promise<void> {
  return write(path, text, SECRET_MODE);
}

/** Writes a file that anybody may read, when there is none yet; false when there is. Of two writers at once one wins. */
export async function writeOnce(path: string, text: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode: PUBLIC_MODE, flag: 'wx' });
  try {
    await link(draft, path);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw cause;
  } finally {
    await rm(draft);
  }
}

/** Beside the target and then renamed: a start that was cut off leaves no half of a key. */
async function write(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode, flag: 'wx' });
  await rename(draft, path);
}

/** JSON as people read it. */
export function readable(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
