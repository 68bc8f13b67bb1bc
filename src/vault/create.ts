import type { Audit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { createAccountTokens } from './account-tokens.ts';
import { createEnvelope } from './envelope.ts';
import { createOwnJwts } from './jwt.ts';
import type { KeyStore } from './key-store.ts';
import { Keyrings } from './keyring.ts';
import { createSecretHashing } from './secret-hash.ts';
import { createSecrets } from './secrets.ts';
import type { Vault } from './vault.ts';

/** What the vault needs. */
export interface VaultOptions {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly keyStore: KeyStore;
  /** How long a rotated key stays published, in seconds: longer than anything it signed lives, and than JWKS are cached. */
  readonly overlapSeconds?: number;
}

/** A day: tokens live minutes, participants cache JWKS for hours at most. */
const DEFAULT_OVERLAP_SECONDS = 86_400;

/** The vault over the platform's database and a key store. */
export async function createVault(options: VaultOptions): Promise<Vault> {
  const { database, audit, clock, keyStore, overlapSeconds = DEFAULT_OVERLAP_SECONDS } = options;
  const envelope = createEnvelope(keyStore);
  const secrets = createSecrets(database, clock, envelope);
  const keyrings = new Keyrings({ database, audit, clock, envelope, overlapSeconds });
  await keyrings.open();
  return {
    ...envelope,
    keyring: async (bank) => (await keyrings.load(bank)).keyring,
    onRotation: (changed) => keyrings.onRotation(changed),
    rotate: (bank, actor) => keyrings.rotate(bank, actor),
    ...createOwnJwts(keyrings, clock),
    secret: secrets.secret,
    hasher: secrets.hasher,
    ...createSecretHashing(),
    ...createAccountTokens({ database, audit, clock, envelope, secrets }),
    close: () => keyrings.close(),
  };
}
