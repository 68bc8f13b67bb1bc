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
  const pending = new Map<string, ConsentUse>();

  function keep(use: ConsentUse): void {
    const key = `${use.bank}\n${use.id}`;
    if (pending.has(key) || pending.size < MAXIMUM_PENDING) pending.set(key, use);
  }

  async function flush(): Promise<void> {
    const batch = [...pending.values()];
    if (batch.length === 0) return;
    pending.clear();
    try {
      await write(batch);
    } catch (cause) {
      const newer = [...pending.values()];
      for (const use of [...batch, ...newer]) keep(use);
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
    note: (bank, id) => keep({ bank, id, at: clock.now() }),
    flush,
    close: async () => {
      clearInterval(timer);
      await tryFlush();
    },
  };
}
