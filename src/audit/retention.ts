import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Audit } from './audit.ts';
import { recordsRemoved } from './events.ts';
import * as store from './store.ts';

/** Chains looked at, and records removed, by one statement. */
const CHAIN_BATCH = 200;
const RECORD_BATCH = 5_000;

/**
 * Removes records older than `before` and gives how many (LAB-45: the retention period is a setting). A chain loses its
 * oldest records only; what stays is still verified from there. The removal is itself recorded.
 * @throws Error when `before` is not in the past
 */
export async function removeExpiredRecords(options: {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly before: Date;
}): Promise<number> {
  const { database, audit, clock, before } = options;
  if (!(before.getTime() < clock.now().getTime()))
    throw new Error('retention: only records of the past can be removed');
  let removed = 0;
  let ordinal = 0;
  while (true) {
    const chains = await store.chainsAfter(database, ordinal, CHAIN_BATCH);
    for (const chain of chains) removed += await removeFromChain(database, chain, before);
    const last = chains.at(-1);
    if (last === undefined) break;
    ordinal = last.ordinal;
  }
  if (removed > 0)
    await database.transaction((statements) => audit.record(statements, recordsRemoved(before, removed)));
  return removed;
}

async function removeFromChain(database: Database, chain: store.Chain, before: Date): Promise<number> {
  let removed = 0;
  let base = chain.base;
  while (true) {
    const end = await store.findExpiredEnd(database, { ...chain, base }, before, RECORD_BATCH);
    if (end === undefined) return removed;
    removed += await store.removeUpTo(database, chain.chain, end);
    base = end;
  }
}
