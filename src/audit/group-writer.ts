import type { Database } from '../platform/database.ts';
import { type Entry, type Head, linkAll, type NewRecord } from './record.ts';
import * as store from './store.ts';

/** Links groups to one chain and commits each exactly once, also when an answer of the database was lost. */
export interface GroupWriter {
  /** True while a commit takes so long that new requests should not wait for it. */
  stalled(): boolean;
  link(entries: readonly Entry[]): readonly NewRecord[];
  /** Writes the group that was linked last, or the same group again after a failure. */
  write(group: readonly NewRecord[]): Promise<void>;
}

/** A commit without an answer for so long counts as failed for new requests, though it may still succeed. */
const STALL_MS = 2_000;

/** The one writer of `chain`, which this process left at `head`. */
export function createGroupWriter(database: Database, chain: string, head: Head): GroupWriter {
  let stalled = false;
  let tip = head;
  return {
    stalled: () => stalled,
    link: (entries) => linkAll(chain, tip, entries),
    write: async (group) => {
      const timer = setTimeout(() => {
        stalled = true;
      }, STALL_MS).unref();
      try {
        const written = await store.append(database, chain, tip, group);
        if (!written) await checkCommittedBefore(database, chain, group);
        tip = group.at(-1) ?? tip;
      } finally {
        clearTimeout(timer);
        stalled = false;
      }
    },
  };
}

/** A group that failed may have been committed all the same, when only the answer was lost. */
async function checkCommittedBefore(database: Database, chain: string, group: readonly NewRecord[]): Promise<void> {
  const head = await store.findHead(database, chain);
  const last = group.at(-1);
  if (head?.sequence !== last?.sequence || head?.hash !== last?.hash)
    throw new Error(`audit chain ${chain} is not as this process left it: run the verification`);
}
