import type { Actor, Audit } from '../audit/index.ts';
import type { Database } from '../platform/database.ts';
import { masterKeyRotated } from './events.ts';
import type { FileKeyStore } from './file-key-store.ts';

/** Makes a new master key current in the file key store, records it, and gives its id. What the old ones sealed stays readable. */
export async function rotateMasterKey(options: {
  readonly keyStore: FileKeyStore;
  readonly database: Database;
  readonly audit: Audit;
  readonly actor: Actor;
}): Promise<string> {
  const { keyStore, database, audit, actor } = options;
  const keyId = await keyStore.rotateMasterKey();
  await database.transaction((statements) => audit.record(statements, masterKeyRotated(keyId, actor)));
  return keyId;
}
