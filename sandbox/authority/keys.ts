import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { readIfThere, writeSecret } from './files.ts';

const generate = promisify(generateKeyPair);

/** `rsa` where FAPI 1.0 suites or PS256 ask for it (certificates.md §10.3), `ec` (P-256) elsewhere. */
export type KeyKind = 'rsa' | 'ec';

/** A private key with its public half. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const RSA_BITS = 2048;

/** The key at a path; made, with mode 0600, when there is none. */
export async function openKey(path: string, kind: KeyKind): Promise<KeyPair> {
  const kept = await readIfThere(path);
  if (kept !== undefined) {
    const privateKey = createPrivateKey(kept);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  }
  const pair = await newKeyPair(kind);
  await writeSecret(path, pemOfKey(pair.privateKey));
  return pair;
}

/** A new key, kept nowhere yet. */
export async function newKeyPair(kind: KeyKind): Promise<KeyPair> {
  return kind === 'rsa'
    ? await generate('rsa', { modulusLength: RSA_BITS })
    : await generate('ec', { namedCurve: 'prime256v1' });
}

/** A private key as its file has it. */
export function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
