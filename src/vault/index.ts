export type { VaultOptions } from './create.ts';
export { createVault } from './create.ts';
export type { FileKeyStore } from './file-key-store.ts';
export { openFileKeyStore } from './file-key-store.ts';
export type { KeyStore, WrappedKey } from './key-store.ts';
export { WrappedKeyError } from './key-store.ts';
export { rotateMasterKey } from './master-key.ts';
export type {
  AccountNumber,
  AccountToken,
  Keyring,
  NewAccountToken,
  OwnJwtExpectation,
  Sealed,
  Vault,
} from './vault.ts';
