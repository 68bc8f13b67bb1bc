import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import type { Database, Statements } from '../platform/database.ts';
import type { Envelope } from './envelope.ts';
import * as store from './store.ts';

/** Secrets of a bank's own, one per purpose. */
export interface Secrets {
  secret(bank: string, purpose: string): Promise<Uint8Array>;
  hasher(bank: string, purpose: string): Promise<Hasher>;
  /** The same inside a transaction, whose statements it uses when the secret is not at hand. */
  hasherWithin(statements: Statements, bank: string, purpose: string): Promise<Hasher>;
}

/** A keyed hash over values. */
export type Hasher = (value: string) => string;

const SECRET_BYTES = 32;

/** Secrets kept sealed in the database; opened once and held, because banks and purposes are few and fixed. */
export function createSecrets(database: Database, clock: Clock, envelope: Envelope): Secrets {
  const held = new Map<string, Uint8Array>();
  const loading = new Map<string, Promise<Uint8Array>>();

  const load = async (bank: string, purpose: string): Promise<Uint8Array> => {
    const name = nameOf(bank, purpose);
    const secret = held.get(name);
    if (secret !== undefined) return secret;
    const underway = loading.get(name) ?? loadSecret(database, clock, envelope, bank, purpose);
    loading.set(name, underway);
    try {
      const loaded = await underway;
      held.set(name, loaded);
      return loaded;
    } finally {
      loading.delete(name);
    }
  };

  return {
    // A copy: what a caller does with it changes nobody else's secret.
    secret: async (bank, purpose) => Uint8Array.from(await load(bank, purpose)),
    hasher: async (bank, purpose) => hasherOf(await load(bank, purpose)),
    hasherWithin: async (statements, bank, purpose) => {
      // Not held afterwards: a secret made in this transaction is gone when it is rolled back.
      const secret = held.get(nameOf(bank, purpose)) ?? (await loadSecret(statements, clock, envelope, bank, purpose));
      return hasherOf(secret);
    },
  };
}

async function loadSecret(
  statements: Statements,
  clock: Clock,
  envelope: Envelope,
  bank: string,
  purpose: string,
): Promise<Uint8Array> {
  const context = nameOf(bank, purpose);
  const found = await store.findSecret(statements, bank, purpose);
  if (found !== undefined) return envelope.open(context, found);
  const sealed = await envelope.seal(context, randomBytes(SECRET_BYTES));
  await store.insertSecret(statements, { bank, purpose, sealed, at: clock.now() });
  // Another process may have been first: what stands in the database counts.
  const decided = await store.findSecret(statements, bank, purpose);
  if (decided === undefined) throw new Error(`the secret ${purpose} vanished while it was made`);
  return envelope.open(context, decided);
}

function hasherOf(secret: Uint8Array): Hasher {
  const key = createSecretKey(secret);
  return (value) => createHmac('sha256', key).update(value).digest('base64url');
}

function nameOf(bank: string, purpose: string): string {
  return JSON.stringify(['secret', bank, purpose]);
}
