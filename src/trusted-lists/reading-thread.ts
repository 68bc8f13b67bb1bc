import { parentPort, workerData } from 'node:worker_threads';
import { Refusal } from '../platform/refusal.ts';
import type { PinnedList } from './list.ts';
import { readTrustedList } from './read.ts';
import type { ReadingOutcome } from './reader.ts';

/** What the reader hands over; both ends are this program. */
const given: { readonly document: Uint8Array; readonly pins: readonly PinnedList[]; readonly now: Date } = workerData;

async function outcome(): Promise<ReadingOutcome> {
  try {
    return { list: await readTrustedList(given.document, given.pins, given.now) };
  } catch (cause) {
    if (!(cause instanceof Refusal)) return { defect: cause instanceof Error ? cause.message : 'unknown' };
    return { detail: cause.detail ?? cause.code, message: cause.message };
  }
}

parentPort?.postMessage(await outcome());
