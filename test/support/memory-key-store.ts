import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { type KeyStore, WrappedKeyError } from '../../src/vault/index.ts';

/** A key service in memory that works like a bank's: ids like ARNs, RFC 3394 key wrap, and it can refuse or hang. */
export interface MemoryKeyStore extends KeyStore {
  state: 'answers' | 'refuses' | 'hangs';
  /** How often it was asked to unwrap. */
  unwraps: number;
  rotate(): void;
}

/** RFC 3394 §2.2.1: eight octets more than the key. */
const WRAPPED_BYTES = 40;
const INITIAL_VALUE = Buffer.from('a6a6a6a6a6a6a6a6', 'hex');

/** A key service with one master key. */
export function createMemoryKeyStore(): MemoryKeyStore {
  const keys = new Map<string, Buffer>();
  let current = '';
  const answer = async (): Promise<void> => {
    if (store.state === 'refuses') throw new Error('AccessDeniedException');
    if (store.state === 'hangs') await new Promise(() => undefined);
  };
  const store: MemoryKeyStore = {
    state: 'answers',
    unwraps: 0,
    rotate: () => {
      current = `arn:aws:kms:eu-west-1:111122223333:key/${randomUUID()}`;
      keys.set(current, randomBytes(32));
    },
    currentKeyId: async () => {
      await answer();
      return current;
    },
    wrap: async (dataKey) => {
      await answer();
      const cipher = createCipheriv('id-aes256-wrap', keys.get(current) ?? '', INITIAL_VALUE);
      return { keyId: current, wrapped: Buffer.concat([cipher.update(dataKey), cipher.final()]) };
    },
    unwrap: async (keyId, wrapped) => {
      store.unwraps += 1;
      await answer();
      const key = keys.get(keyId);
      if (key === undefined) throw new Error('NotFoundException');
      if (wrapped.length !== WRAPPED_BYTES) throw new WrappedKeyError();
      try {
        const decipher = createDecipheriv('id-aes256-wrap', key, INITIAL_VALUE);
        return Buffer.concat([decipher.update(wrapped), decipher.final()]);
      } catch {
        throw new WrappedKeyError();
      }
    },
  };
  store.rotate();
  return store;
}
