import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AuditEvent } from './event.ts';
import { type Head, type LinkedRecord, link, normalise } from './record.ts';
import * as store from './store.ts';

/** Where the trail reports that it cannot write, and that it can again; pino's loggers fit. */
export interface AuditLog {
  error(details: Readonly<Record<string, unknown>>, message: string): void;
  info(details: Readonly<Record<string, unknown>>, message: string): void;
}

/** The request path's way into the trail: one chain, one writer, records committed in groups. */
export interface Queue {
  enqueue(event: AuditEvent): void;
  checkWritable(): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** What the queue writes to: its chain, and the head that this process wrote last. */
export interface QueueOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: AuditLog | undefined;
  readonly chain: string;
  readonly head: Head;
}

/** Records waiting: some seconds of a busy gateway, about 10 MB. Beyond it requests are refused rather than unrecorded. */
export const QUEUE_LIMIT = 10_000;
/** Room that `checkWritable` leaves for the records of requests already let through. */
export const QUEUE_RESERVE = 2_000;
/** How long the first record waits for company; with the commit it stays within the 50 ms of the design. */
const GROUP_DELAY_MS = 10;
/** Records of one statement: about 200 kB of text; the embedded database holds this process for some 10 ms. */
const GROUP_LIMIT = 250;
const RETRY_DELAY_MS = 250;
/** A commit without an answer for so long counts as failed for new requests, though it may still succeed. */
const STALL_MS = 2_000;
/** Attempts to commit what is left when the process ends. */
const CLOSE_ATTEMPTS = 3;

interface Waiting {
  readonly event: AuditEvent;
  readonly at: Date;
}

interface Flush {
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** A queue that refuses when it cannot write, keeps what it has, and recovers by itself. */
export function createQueue(options: QueueOptions): Queue {
  const writer = createWriter(options);
  const waiting: Waiting[] = [];
  let flushes: Flush[] = [];
  let group: readonly LinkedRecord[] = [];
  let taken = 0;
  let committed = 0;
  let failure: unknown;
  let closed = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const held = (): number => taken - committed;
  const checkOpen = (limit: number): void => {
    if (closed) throw unavailable('closed');
    if (held() >= limit) throw unavailable('queue_full');
  };
  const checkHealthy = (): void => {
    if (failure !== undefined) throw unavailable('commit_failed', failure);
    if (writer.stalled()) throw unavailable('commit_stalled');
  };

  const wake = (delay: number): NodeJS.Timeout => {
    return setTimeout(() => {
      timer = undefined;
      void run();
    }, delay);
  };

  const recovered = (): void => {
    if (failure !== undefined) options.log?.info({ waiting: held() }, 'audit records are committed again');
    failure = undefined;
  };

  const commitAll = async (): Promise<void> => {
    while (held() > 0) {
      if (group.length === 0) group = writer.link(waiting.splice(0, GROUP_LIMIT));
      await writer.write(group);
      committed += group.length;
      group = [];
      recovered();
      const done = flushes.filter((flush) => flush.upTo <= committed);
      flushes = flushes.filter((flush) => flush.upTo > committed);
      for (const flush of done) flush.resolve();
    }
  };

  const fail = (cause: unknown): void => {
    if (failure === undefined) options.log?.error({ err: cause, waiting: held() }, 'audit records cannot be committed');
    failure = cause;
    for (const flush of flushes.splice(0)) flush.reject(unavailable('commit_failed', cause));
    clearTimeout(timer);
    timer = wake(RETRY_DELAY_MS);
    // A process that nothing else keeps alive ends through close(), which reports what is lost.
    timer.unref();
  };

  const run = (): Promise<void> => {
    running ??= commitAll()
      .catch(fail)
      .finally(() => {
        running = undefined;
        // What came between the last look and here found nobody to wake.
        if (held() > 0) timer ??= wake(flushes.length > 0 ? 0 : GROUP_DELAY_MS);
      });
    return running;
  };

  const flush = (): Promise<void> => {
    if (held() === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      flushes.push({ upTo: taken, resolve, reject });
      void run();
    });
  };

  return {
    enqueue: (event) => {
      checkOpen(QUEUE_LIMIT);
      waiting.push({ event, at: options.clock.now() });
      taken += 1;
      if (running === undefined) timer ??= wake(GROUP_DELAY_MS);
      checkHealthy();
    },
    checkWritable: () => {
      checkOpen(QUEUE_LIMIT - QUEUE_RESERVE);
      checkHealthy();
    },
    flush,
    close: async () => {
      closed = true;
      try {
        await flushAtEnd(flush, held);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function flushAtEnd(flush: () => Promise<void>, held: () => number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await flush();
    } catch (cause) {
      if (attempt === CLOSE_ATTEMPTS) throw new Error(`${held()} audit records could not be committed`, { cause });
    }
  }
}

/** Links groups to the chain and commits each exactly once, also when an answer of the database was lost. */
function createWriter({ database, chain, head }: QueueOptions) {
  let stalled = false;
  let tip = head;
  return {
    stalled: () => stalled,
    link: (entries: readonly Waiting[]): readonly LinkedRecord[] => {
      let last = tip;
      return entries.map(({ event, at }) => {
        const record = link(chain, last, { ...normalise(event), at });
        last = record;
        return record;
      });
    },
    write: async (records: readonly LinkedRecord[]): Promise<void> => {
      const timer = setTimeout(() => {
        stalled = true;
      }, STALL_MS).unref();
      try {
        const written = await store.append(database, chain, tip, records);
        if (!written) await checkCommittedBefore(database, chain, records);
        tip = records.at(-1) ?? tip;
      } finally {
        clearTimeout(timer);
        stalled = false;
      }
    },
  };
}

/** A group that failed may have been committed all the same, when only the answer was lost. */
async function checkCommittedBefore(
  database: Database,
  chain: string,
  records: readonly LinkedRecord[],
): Promise<void> {
  const head = await store.findHead(database, chain);
  const last = records.at(-1);
  if (head?.sequence !== last?.sequence || head?.hash !== last?.hash)
    throw new Error(`audit chain ${chain} is not as this process left it: run the verification`);
}

function unavailable(detail: string, cause?: unknown): Refusal {
  const sentence = 'The request cannot be recorded at the moment, so it is refused. Try again later.';
  return new Refusal('audit_unavailable', 503, sentence, { detail, cause, headers: { 'Retry-After': '5' } });
}
