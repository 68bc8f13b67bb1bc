/** A data key under a master key, and which. */
export interface WrappedKey {
  readonly keyId: string;
  readonly wrapped: Uint8Array;
}

/**
 * The keeper of master keys: a directory of files in the sandbox, a key management service or hardware module in a bank.
 * Master keys never leave it. It keeps every key that ever wrapped; `wrap` uses the current one. An adapter proves
 * itself with `test/support/key-store-suite.ts`. Anything thrown but `WrappedKeyError` means that it is unavailable.
 */
export interface KeyStore {
  /** Id of the master key that wraps from now on: 1 to 200 letters, digits and `_ - : /`. */
  currentKeyId(): Promise<string>;
  /** Wraps a data key of 32 octets under the current master key. */
  wrap(dataKey: Uint8Array): Promise<WrappedKey>;
  /** @throws WrappedKeyError when this is not what the master key wrapped */
  unwrap(keyId: string, wrapped: Uint8Array): Promise<Uint8Array>;
}

/** A wrapped data key was altered, or wrapped by another master key than it says. */
export class WrappedKeyError extends Error {
  constructor() {
    super('the wrapped data key is not one that its master key wrapped');
    this.name = 'WrappedKeyError';
  }
}
