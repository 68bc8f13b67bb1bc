import type { Actor } from '../audit/index.ts';
import type { Unlisten } from '../platform/database.ts';
import { type GenerationOptions, KEYS_CHANNEL, nextGeneration } from './generation.ts';
import { type LoadedKeyring, readKeyring, sameKeys } from './loaded-keyring.ts';
import * as store from './store.ts';

/** A process that hears of every rotation needs no more; one that does not signs with a key that is still published. */
const LIFE_SECONDS = 300;
/** Without notifications, as everywhere (design §3e). */
const LIFE_UNHEARD_SECONDS = 1;
const RELOAD_SECONDS = 5;
/** How often keys past their overlap are looked for, so that the published set shrinks without anybody asking. */
const CHECK_INTERVAL_MS = 30_000;

/** The keys of all banks, loaded once and kept fresh. */
export class Keyrings {
  readonly #options: GenerationOptions;
  readonly #loaded = new Map<string, LoadedKeyring>();
  readonly #loading = new Map<string, Promise<LoadedKeyring>>();
  readonly #listeners = new Set<(bank: string) => void>();
  #timer: NodeJS.Timeout | undefined;
  #unlisten: Unlisten | undefined;
  #closed = false;

  constructor(options: GenerationOptions) {
    this.#options = options;
  }

  /** Listens for rotations and looks for keys whose overlap has ended. */
  async open(): Promise<void> {
    this.#timer = setInterval(() => this.#refreshStale(), CHECK_INTERVAL_MS).unref();
    const refreshAll = (): void => {
      for (const bank of this.#loaded.keys()) this.#refresh(bank);
    };
    this.#unlisten = await this.#options.database.listen(KEYS_CHANNEL, (bank) => this.#refresh(bank), refreshAll);
  }

  /** Stops listening; what is being read is waited for, so that the database can be closed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#unlisten?.();
    await Promise.allSettled(this.#loading.values());
  }

  /** Loaded and fresh, without waiting; undefined when it must be loaded. */
  fresh(bank: string): LoadedKeyring | undefined {
    const ring = this.#loaded.get(bank);
    if (ring === undefined) return undefined;
    const now = this.#now();
    const life = this.#options.database.notificationsAlive() ? LIFE_SECONDS : LIFE_UNHEARD_SECONDS;
    return now < ring.until && now < ring.loadedAt + life * 1000 ? ring : undefined;
  }

  /** Fresh, read when it must be. */
  async load(bank: string): Promise<LoadedKeyring> {
    // What is being read was asked for at an earlier moment: a key may have retired since.
    if (this.fresh(bank) === undefined) await this.#underway(bank);
    return this.fresh(bank) ?? this.#read(bank);
  }

  /** Reads again because a key is unknown; at most once in RELOAD_SECONDS, so that strangers cannot make us busy. */
  async reload(bank: string): Promise<LoadedKeyring> {
    const ring = this.fresh(bank);
    const recent = ring !== undefined && this.#now() < ring.loadedAt + RELOAD_SECONDS * 1000;
    return recent ? ring : this.#read(bank);
  }

  onRotation(changed: (bank: string) => void): void {
    this.#listeners.add(changed);
  }

  /** @throws Refusal `key_rotation_conflict` 409 */
  async rotate(bank: string, actor: Actor): Promise<void> {
    // The present keys are remembered first, so that the change is seen and announced.
    await this.#read(bank);
    const { database, clock } = this.#options;
    await nextGeneration(this.#options, await store.publishedKeys(database, bank, clock.now()), actor);
    await this.#readAnew(bank);
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  #refreshStale(): void {
    for (const bank of this.#loaded.keys()) if (this.fresh(bank) === undefined) this.#refresh(bank);
  }

  /** A keyring that cannot be read again is stale: whoever needs it next learns why. */
  #refresh(bank: string): void {
    if (this.#closed || !this.#loaded.has(bank)) return;
    this.#readAnew(bank).catch(() => this.#expire(bank));
  }

  #expire(bank: string): void {
    const ring = this.#loaded.get(bank);
    if (ring !== undefined) this.#loaded.set(bank, { ...ring, until: 0 });
  }

  async #readAnew(bank: string): Promise<LoadedKeyring> {
    await this.#underway(bank);
    if (this.#closed) throw new Error('the vault is closed');
    return this.#read(bank);
  }

  /** Waits for a reading that was begun earlier; how it ends concerns whoever began it. */
  async #underway(bank: string): Promise<void> {
    await this.#loading.get(bank)?.catch(() => undefined);
  }

  #read(bank: string): Promise<LoadedKeyring> {
    const underway = this.#loading.get(bank);
    if (underway !== undefined) return underway;
    const reading = readKeyring(this.#options, bank, this.#loaded.get(bank))
      .then((ring) => this.#keep(bank, ring))
      .finally(() => this.#loading.delete(bank));
    this.#loading.set(bank, reading);
    return reading;
  }

  #keep(bank: string, ring: LoadedKeyring): LoadedKeyring {
    const before = this.#loaded.get(bank);
    this.#loaded.set(bank, ring);
    if (before !== undefined && !sameKeys(before, ring)) for (const changed of this.#listeners) changed(bank);
    return ring;
  }
}
