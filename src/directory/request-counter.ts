import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { secondsLeft, WINDOW_MS } from '../platform/rate-limit.ts';
import type { DirectoryLog } from './changes.ts';
import { createFlushes } from './flushes.ts';
import type { Participant } from './participant.ts';
import { addRequests, deleteRequestCounts } from './request-store.ts';

/** A participant this close to its limit is told of at once: at most so many extra statements a minute buy a sharp edge. */
const NEAR_THE_LIMIT = 20;
/** One statement of this size takes a few milliseconds; the rest follows in the next. */
const MAXIMUM_PARTICIPANTS_PER_FLUSH = 1_000;
/** Minutes are kept a little longer than they count, for nodes whose clocks differ. */
const KEPT_WINDOWS = 5;
const MAXIMUM_COUNTS_PER_REMOVAL = 500;

/** Requests of one participant in the present minute. */
interface Count {
  /** Over all nodes, as the database last said; holds what this node has told it. */
  total: number;
  /** Being told to the database. */
  sending: number;
  /** Not told yet. */
  pending: number;
}

/** Requests counted per participant and minute. */
export interface RequestCounter {
  /** Counts one request; or, over the limit, gives the whole seconds until the next minute and counts nothing. */
  take(participant: Participant): number | undefined;
  /** Tells what is left and stops. */
  close(): Promise<void>;
}

interface Parts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: DirectoryLog | undefined;
}

/**
 * Rate limits over all clients and nodes (LAB-17), without waiting for the database. A node knows its own requests exactly
 * and learns the others' with every flush, so the limit is exact on one node; over several it is exceeded by at most what the
 * other nodes let through since their last flush: 100 ms, or one round trip when 20 or fewer are left.
 */
export function createRequestCounter({ database, clock, log }: Parts): RequestCounter {
  let window = 0;
  let counts = new Map<string, Count>();
  let failing = false;
  let cleanedWindow = 0;
  const flushes = createFlushes({ flush, isPending: () => counts.values().some((count) => count.pending > 0) });

  async function flush(): Promise<boolean> {
    const current = counts;
    try {
      await tell(current, window);
      failing = false;
    } catch (cause) {
      // Sent again: a total that was added and not answered counts twice, which errs on the safe side.
      for (const count of current.values()) unsend(count);
      if (!failing)
        log?.error({ err: cause }, 'request counts cannot be shared; each node counts alone until they can');
      failing = true;
    }
    return !failing;
  }

  async function tell(current: ReadonlyMap<string, Count>, present: number): Promise<void> {
    const sent = gather(current);
    if (sent.size === 0) return;
    const totals = await addRequests(database, new Date(present * WINDOW_MS), sent);
    for (const participant of sent.keys()) settle(current.get(participant), totals.get(participant));
    if (cleanedWindow === present) return;
    const before = new Date((present - KEPT_WINDOWS) * WINDOW_MS);
    const removed = await deleteRequestCounts(database, before, MAXIMUM_COUNTS_PER_REMOVAL);
    if (removed < MAXIMUM_COUNTS_PER_REMOVAL) cleanedWindow = present;
  }

  /** The count of this minute; what was not told of an earlier one no longer matters. */
  function countOf(participant: string): Count {
    const present = Math.floor(clock.now().getTime() / WINDOW_MS);
    if (present !== window) {
      window = present;
      counts = new Map();
    }
    const known = counts.get(participant);
    if (known !== undefined) return known;
    const fresh = { total: 0, sending: 0, pending: 0 };
    counts.set(participant, fresh);
    return fresh;
  }

  return {
    take: ({ id, requestsPerMinute: limit }) => {
      if (limit === undefined) return undefined;
      const count = countOf(id);
      const used = count.total + count.sending + count.pending;
      if (used >= limit) return secondsLeft(clock.now());
      count.pending += 1;
      // The first of a minute, too: it brings what the other nodes have counted.
      flushes.ask(used === 0 || limit - used <= NEAR_THE_LIMIT);
      return undefined;
    },
    close: flushes.close,
  };
}

/** Moves what is pending to sending, and gives it. */
function gather(counts: ReadonlyMap<string, Count>): ReadonlyMap<string, number> {
  const sent = new Map<string, number>();
  for (const [participant, count] of counts) {
    if (count.pending === 0 || sent.size >= MAXIMUM_PARTICIPANTS_PER_FLUSH) continue;
    count.sending = count.pending;
    count.pending = 0;
    sent.set(participant, count.sending);
  }
  return sent;
}

function settle(count: Count | undefined, total: number | undefined): void {
  if (count === undefined || total === undefined) throw new Error('the database gave no total for a participant');
  count.total = total;
  count.sending = 0;
}

function unsend(count: Count): void {
  count.pending += count.sending;
  count.sending = 0;
}
