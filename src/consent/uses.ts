import type { Clock } from '../platform/clock.ts';
import type { ConsentUse } from './store.ts';

/** How long uses are collected before one statement writes them: `last used` is shown by the minute. */
const WRITE_EVERY_MS = 10_000;
/** Consents remembered between two writes; beyond it a use goes unnoted rather than the memory growing. */
const MAXIMUM_PENDING = 20_000;

/** Collects when consents were used, off the request path. */
export interface Uses {
  note(bank: string, id: string): void;
  /** Writes what is collected now. */
  flush(): Promise<void>;
  /** Tries once more and stops. */
  close(): Promise<void>;
}

/** Collects uses and gives them to `write` in batches; what could not be written is tried again with the next batch. */
export function createUses(write: (uses: readonly ConsentUse[]) => Promise<void>, clock: Clock): Uses {
  /** By bank, then by consent: every request comes here, and a key of both would be put together anew for each. */
  let pending = new Map<string, Map<string, Date>>();
  let count = 0;

  function keep(bank: string, id: string, at: Date): void {
    const known = pending.get(bank);
    const uses = known ?? new Map<string, Date>();
    if (known === undefined) pending.set(bank, uses);
    const before = uses.size;
    if (count < MAXIMUM_PENDING || uses.has(id)) uses.set(id, at);
    count += uses.size - before;
  }

  function take(): readonly ConsentUse[] {
    const taken = [...pending].flatMap(([bank, uses]) => [...uses].map(([id, at]) => ({ bank, id, at })));
    pending = new Map();
    count = 0;
    return taken;
  }

  async function flush(): Promise<void> {
    const batch = take();
    if (batch.length === 0) return;
    try {
      await write(batch);
    } catch (cause) {
      const newer = take();
      for (const { bank, id, at } of [...batch, ...newer]) keep(bank, id, at);
      throw cause;
    }
  }

  /** Notes are never in the way: a failed write is kept for the next, and a database that is gone is told by all who need an answer. */
  async function tryFlush(): Promise<void> {
    await flush().catch(() => undefined);
  }

  const timer = setInterval(() => void tryFlush(), WRITE_EVERY_MS);
  timer.unref();
  return {
    note: (bank, id) => keep(bank, id, clock.now()),
    flush,
    close: async () => {
      clearInterval(timer);
      await tryFlush();
    },
  };
}
