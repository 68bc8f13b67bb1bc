import { after, afterEach, before, beforeEach } from 'node:test';
import type { JWTPayload } from 'jose';
import { type Audit, createAudit } from '../../src/audit/index.ts';
import { epochSeconds } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { createVault, type Vault } from '../../src/vault/index.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { createMemoryKeyStore, type MemoryKeyStore } from './memory-key-store.ts';

/** How long rotated keys stay published in these vaults. */
export const OVERLAP_SECONDS = 3_600;

/** What the tests' tokens are expected to be. */
export const expected = {
  type: 'at+jwt',
  issuer: 'https://bank.example/gobank',
  audience: 'https://api.bank.example',
};

/** One database and key service, and vaults on them as several processes would have, by one clock that the test sets. */
export class Vaults {
  #database: TestDatabase | undefined;
  #audit: Audit | undefined;
  readonly #open: Vault[] = [];
  now = new Date(0);
  keyStore: MemoryKeyStore = createMemoryKeyStore();

  constructor() {
    before(async () => {
      this.#database = await openTestDatabase();
      this.#audit = await createAudit({ database: this.#database, clock: { now: () => new Date() } });
    });
    beforeEach(async () => {
      this.now = new Date('2026-03-01T10:00:00.000Z');
      this.keyStore = createMemoryKeyStore();
      await this.database.query('TRUNCATE vault.signing_keys, vault.secrets');
    });
    afterEach(async () => {
      for (const vault of this.#open.splice(0)) await vault.close();
    });
    after(async () => {
      await this.#audit?.close();
      await this.#database?.close();
    });
  }

  get database(): TestDatabase {
    if (this.#database === undefined) throw new Error('the database is open during tests only');
    return this.#database;
  }

  get audit(): Audit {
    if (this.#audit === undefined) throw new Error('the trail is open during tests only');
    return this.#audit;
  }

  /** A process of its own; on a database that behaves in its own way when one is given. */
  async start(database: Database = this.database): Promise<Vault> {
    const { audit, keyStore } = this;
    const clock = { now: () => this.now };
    const vault = await createVault({ database, audit, clock, keyStore, overlapSeconds: OVERLAP_SECONDS });
    this.#open.push(vault);
    return vault;
  }

  /** Claims that are as expected, five minutes valid, with changes. */
  claims(change: Readonly<Record<string, unknown>> = {}): JWTPayload {
    const exp = epochSeconds(this.now) + 300;
    return { iss: expected.issuer, aud: expected.audience, sub: 'client', exp, ...change };
  }
}

/** Ids of a bank's published keys, newest first. */
export async function publishedKids(vault: Vault): Promise<readonly unknown[]> {
  return (await vault.keyring('gobank')).publicKeys.keys.map(({ kid }) => kid);
}
