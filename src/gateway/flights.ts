import { Refusal } from '../platform/refusal.ts';
import type { Call } from './call.ts';

/** Most requests to one bank at a time: eight for each of the upstream's connections. A slow bank fills no memory with waiting callers. */
const flightLimit = 1024;

/** Counts the requests under way to each bank. */
export interface Flights {
  /** Counts a request until its answer is over. @throws Refusal `upstream_unavailable` 503 when too many wait for this bank */
  enter(call: Call): void;
}

/** A count of its own for each bank: one that is slow does not stop the others. */
export function createFlights(limit = flightLimit): Flights {
  const flights = new Map<string, number>();
  const change = (bank: string, by: number): void => void flights.set(bank, (flights.get(bank) ?? 0) + by);
  return {
    enter({ bank: { id }, response }) {
      if ((flights.get(id) ?? 0) >= limit)
        throw new Refusal('upstream_unavailable', 503, 'Too many requests wait for the bank; try again.', {
          detail: 'too_many_waiting',
          headers: { 'retry-after': '1' },
        });
      change(id, 1);
      response.on('close', () => change(id, -1));
    },
  };
}
