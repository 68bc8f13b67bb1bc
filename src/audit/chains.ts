import type { Clock } from '../platform/clock.ts';
import type { Database, Statements } from '../platform/database.ts';
import { uuid } from '../platform/random.ts';
import { chainStarted } from './events.ts';
import { BEGINNING, type Head, link, normalise, ordered } from './record.ts';
import * as store from './store.ts';

/** The chains of one process. */
export interface OwnChains {
  readonly queue: { readonly chain: string; readonly head: Head };
  readonly transactional: readonly string[];
}

/** Heads of earlier chains that a new chain's first record names: enough for several processes and their last starts. */
const ANCHORED_CHAINS = 30;

/**
 * Begins one chain for the queue and several for callers' transactions. Each names the heads of the chains before it,
 * so that the removal of a whole chain, or of its end together with its head, is detected.
 */
export async function openChains(database: Database, clock: Clock, transactional: number): Promise<OwnChains> {
  return database.transaction(async (statements) => {
    const queue = await openChain(statements, clock, 'queue');
    const others: string[] = [];
    while (others.length < transactional) others.push((await openChain(statements, clock, 'transaction')).chain);
    return { queue, transactional: others };
  });
}

/** Begins one chain. */
export async function beginChain(database: Database, clock: Clock, kind: string): Promise<OwnChains['queue']> {
  return database.transaction((statements) => openChain(statements, clock, kind));
}

async function openChain(statements: Statements, clock: Clock, kind: string): Promise<OwnChains['queue']> {
  const at = clock.now();
  const chain = uuid();
  // Counting locks the trail's one row: processes that start at once take turns.
  const ordinal = await store.countChain(statements, chain);
  const heads = await store.recentHeads(statements, ANCHORED_CHAINS);
  const event = chainStarted(ordinal, kind, heads);
  await store.insertChain(statements, { chain, ordinal, kind, startedAt: at, head: BEGINNING });
  const first = link(chain, BEGINNING, { ...normalise(event, at), facts: ordered(event.facts) });
  await store.append(statements, chain, BEGINNING, [first]);
  return { chain, head: first };
}
