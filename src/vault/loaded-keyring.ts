import { createFirstGeneration, type GenerationOptions, signingKeyContext } from './generation.ts';
import { parseSigningKey, type SigningAlgorithm, type SigningKey } from './signing-key.ts';
import * as store from './store.ts';
import type { Keyring } from './vault.ts';

/** A bank's keys as this process holds them. */
export interface LoadedKeyring {
  readonly keyring: Keyring;
  /** The newest key of an algorithm: the one that signs. */
  current(algorithm: SigningAlgorithm): SigningKey;
  readonly byKid: ReadonlyMap<string, SigningKey>;
  /** Milliseconds since the epoch: when the first key stops being published. */
  readonly until: number;
  readonly loadedAt: number;
}

/** Reads a bank's published keys, makes the first when there are none, and opens those that are not `known`. */
export async function readKeyring(
  options: GenerationOptions,
  bank: string,
  known: LoadedKeyring | undefined,
): Promise<LoadedKeyring> {
  const now = options.clock.now();
  let rows = await store.publishedKeys(options.database, bank, now);
  if (rows.length === 0) {
    await createFirstGeneration(options, bank);
    rows = await store.publishedKeys(options.database, bank, now);
  }
  const keys = await Promise.all(rows.map(async (row) => known?.byKid.get(row.kid) ?? openKey(options, row)));
  return loadedKeyring(keys, rows, now);
}

async function openKey(options: GenerationOptions, row: store.SigningKeyRow): Promise<SigningKey> {
  const context = signingKeyContext(row.bank, row.generation, row.algorithm);
  const pkcs8 = await options.envelope.open(context, row.sealedKey);
  const key = parseSigningKey(row.algorithm, pkcs8);
  pkcs8.fill(0);
  if (key.kid !== row.kid) throw new Error(`signing key ${row.kid} is not the key that was sealed`);
  return key;
}

function loadedKeyring(keys: readonly SigningKey[], rows: readonly store.SigningKeyRow[], now: Date): LoadedKeyring {
  const retirements = rows.flatMap(({ retiresAt }) => (retiresAt === undefined ? [] : [retiresAt.getTime()]));
  return {
    keyring: {
      privateKeys: keys.map(({ privateJwk }) => privateJwk),
      publicKeys: { keys: keys.map(({ publicJwk }) => publicJwk) },
    },
    current: (algorithm) => {
      const key = keys.find((candidate) => candidate.algorithm === algorithm);
      if (key === undefined) throw new Error(`the bank has no ${algorithm} key`);
      return key;
    },
    byKid: new Map(keys.map((key) => [key.kid, key])),
    until: Math.min(...retirements, Number.POSITIVE_INFINITY),
    loadedAt: now.getTime(),
  };
}

/** True when both hold the same keys in the same order. */
export function sameKeys(left: LoadedKeyring, right: LoadedKeyring): boolean {
  return [...left.byKid.keys()].join() === [...right.byKid.keys()].join();
}
