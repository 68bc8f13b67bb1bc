/** The one source of the current time; every function that looks at time is given one. */
export interface Clock {
  now(): Date;
}

let latest = new Date(0);

/** The machine's own clock. A request asks it a dozen times: who asks within the same millisecond gets the same moment. */
export const systemClock: Clock = {
  now: () => {
    const now = Date.now();
    if (latest.getTime() !== now) latest = new Date(now);
    return latest;
  },
};

/** Whole seconds since the epoch, the form JWT claims use (RFC 7519 §2 NumericDate). */
export function epochSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

/** The moment `seconds` after `at`; negative values go back. */
export function secondsAfter(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1000);
}

/** A monotonic reading in milliseconds, for durations only. */
export function monotonicMilliseconds(): number {
  return performance.now();
}
