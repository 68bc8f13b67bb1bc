import { Worker } from 'node:worker_threads';
import { Refusal } from '../platform/refusal.ts';
import { type PinnedList, refusedList, type TrustedList } from './list.ts';

/** A list of the largest size takes half a minute on an idle core. */
const TIME_LIMIT_MS = 180_000;
/** The document of a list of the largest size takes less than half of this as a tree. */
const MEMORY_LIMIT_MB = 1_024;

/** Reads lists on a thread of its own, one at a time. */
export interface ListReader {
  /** See `readTrustedList`; what takes too long or too much memory is refused as well. @throws Refusal `trusted_list_refused` 400 */
  read(document: Uint8Array, pins: readonly PinnedList[], now: Date): Promise<TrustedList>;
  /** Ends what is being read; nothing is read any more. */
  close(): Promise<void>;
}

/** What the thread answers: the list, or the refusal in parts. */
export type ReadingOutcome =
  | { readonly list: TrustedList }
  | { readonly detail: string; readonly message: string }
  | { readonly defect: string };

/** A reader; it has no thread while nothing is read. */
export function createListReader(limits: { readonly timeMs?: number; readonly memoryMb?: number } = {}): ListReader {
  const { timeMs = TIME_LIMIT_MS, memoryMb = MEMORY_LIMIT_MB } = limits;
  let last: Promise<unknown> = Promise.resolve();
  let thread: Worker | undefined;
  let closed = false;
  const begin = (given: object): Worker => {
    if (closed) throw new Error('reading a trusted list: the platform is being closed');
    thread = threadFor(given, memoryMb);
    return thread;
  };
  return {
    read: (document, pins, now) => {
      const next = last.then(() => readApart(begin({ document, pins, now }), timeMs));
      last = next.catch(() => undefined);
      return next;
    },
    close: async () => {
      closed = true;
      await thread?.terminate();
    },
  };
}

function threadFor(workerData: object, memoryMb: number): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: memoryMb };
  return new Worker(new URL('./reading-thread.ts', import.meta.url), { workerData, resourceLimits });
}

async function readApart(thread: Worker, timeMs: number): Promise<TrustedList> {
  try {
    const outcome = await outcomeOf(thread, timeMs);
    if ('list' in outcome) return outcome.list;
    if ('defect' in outcome) throw new Error(`reading a trusted list: ${outcome.defect}`);
    throw refusedList(outcome.detail, outcome.message);
  } finally {
    await thread.terminate();
  }
}

function outcomeOf(thread: Worker, timeMs: number): Promise<ReadingOutcome> {
  return new Promise((resolve, reject) => {
    const late = () => reject(refusedList('list_too_costly', 'Reading the list takes longer than it may.'));
    const timer = setTimeout(late, timeMs);
    const settle = (work: () => void) => {
      clearTimeout(timer);
      work();
    };
    thread.once('message', (outcome: ReadingOutcome) => settle(() => resolve(outcome)));
    thread.once('error', (cause: unknown) => settle(() => reject(causeOf(cause))));
    thread.once('exit', () => settle(() => reject(new Error('reading a trusted list: the thread ended'))));
  });
}

function causeOf(cause: unknown): unknown {
  const exhausted = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
  if (!exhausted || cause instanceof Refusal) return cause;
  return refusedList('list_too_costly', 'Reading the list takes more memory than it may.', cause);
}
