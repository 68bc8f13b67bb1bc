import type { Actor } from '../audit/index.ts';
import {
  createFirstGeneration,
  type GenerationOptions,
  KEYS_CHANNEL,
  nextGeneration,
  signingKeyContext,
} from './generation.ts';
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

/** The keys of all banks, loaded once and kept fresh. */
export interface Keyrings {
  /** Loaded and fresh, without waiting; undefined when it must be loaded. */
  fresh(bank: string): LoadedKeyring | undefined;
  load(bank: string): Promise<LoadedKeyring>;
  /** Reads again because a key is unknown; at most once in RELOAD_SECONDS, so that strangers cannot make us busy. */
  reload(bank: string): Promise<LoadedKeyring>;
  onRotation(changed: (bank: string) => void): void;
  rotate(bank: string, actor: Actor): Promise<void>;
  close(): Promise<void>;
}

/** A process that hears of every rotation needs no more; one that does not signs with a key that is still published. */
const LIFE_SECONDS = 300;
/** Without notifications, as everywhere (design §3e). */
const LIFE_UNHEARD_SECONDS = 1;
const RELOAD_SECONDS = 5;
/** How often keys past their overlap are looked for, so that the published set shrinks without anybody asking. */
const CHECK_INTERVAL_MS = 30_000;

/** Listens for rotations and gives the keyrings. */
export async function openKeyrings(options: GenerationOptions): Promise<Keyrings> {
  const { database, clock } = options;
  const loaded = new Map<string, LoadedKeyring>();
  const loading = new Map<string, Promise<LoadedKeyring>>();
  const listeners = new Set<(bank: string) => void>();

  const fresh = (bank: string): LoadedKeyring | undefined => {
    const ring = loaded.get(bank);
    if (ring === undefined) return undefined;
    const now = clock.now().getTime();
    const life = database.notificationsAlive() ? LIFE_SECONDS : LIFE_UNHEARD_SECONDS;
    return now < ring.until && now < ring.loadedAt + life * 1000 ? ring : undefined;
  };

  const read = (bank: string): Promise<LoadedKeyring> => {
    const underway = loading.get(bank);
    if (underway !== undefined) return underway;
    const reading = readKeyring(options, bank, loaded.get(bank))
      .then((ring) => {
        const before = loaded.get(bank);
        loaded.set(bank, ring);
        if (before !== undefined && !sameKeys(before, ring)) for (const changed of listeners) changed(bank);
        return ring;
      })
      .finally(() => loading.delete(bank));
    loading.set(bank, reading);
    return reading;
  };

  /** What is read now may have been asked for before the change: wait for it, then read again. */
  const readAnew = async (bank: string): Promise<LoadedKeyring> => {
    await loading.get(bank)?.catch(() => undefined);
    return read(bank);
  };

  /** A keyring that cannot be read again is stale: whoever needs it next learns why. */
  const refresh = (bank: string): void => {
    if (loaded.has(bank)) readAnew(bank).catch(() => expire(loaded, bank));
  };
  const refreshAll = (): void => {
    for (const bank of loaded.keys()) refresh(bank);
  };
  const timer = setInterval(() => {
    for (const bank of loaded.keys()) if (fresh(bank) === undefined) refresh(bank);
  }, CHECK_INTERVAL_MS).unref();
  const unlisten = await database.listen(KEYS_CHANNEL, refresh, refreshAll);

  return {
    fresh,
    load: async (bank) => fresh(bank) ?? read(bank),
    reload: async (bank) => {
      const ring = fresh(bank);
      const recent = ring !== undefined && clock.now().getTime() < ring.loadedAt + RELOAD_SECONDS * 1000;
      return recent ? ring : read(bank);
    },
    onRotation: (changed) => void listeners.add(changed),
    rotate: async (bank, actor) => {
      // Remember the present keys first, so that the change is seen and announced.
      await read(bank);
      await nextGeneration(options, await store.publishedKeys(database, bank, clock.now()), actor);
      await readAnew(bank);
    },
    close: async () => {
      clearInterval(timer);
      await unlisten();
    },
  };
}

function expire(loaded: Map<string, LoadedKeyring>, bank: string): void {
  const ring = loaded.get(bank);
  if (ring !== undefined) loaded.set(bank, { ...ring, until: 0 });
}

function sameKeys(left: LoadedKeyring, right: LoadedKeyring): boolean {
  return [...left.byKid.keys()].join() === [...right.byKid.keys()].join();
}

async function readKeyring(
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
