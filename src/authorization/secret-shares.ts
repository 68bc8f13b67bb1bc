import { Refusal } from '../platform/refusal.ts';

/** Secrets of one caller, and of one client, that are checked or wait at once: a quarter of all that may wait. */
const SHARE = 16;

/**
 * Shares out the slow checks of client secrets: one address, or guesses at one client, cannot fill the queue in which everybody
 * else waits.
 */
export function createSecretShares() {
  const taken = new Map<string, number>();
  return {
    /** Runs a check as one of these callers. @throws Refusal `secret_check_busy` 503 when one of them has its share already */
    as: async <T>(callers: readonly string[], check: () => Promise<T>): Promise<T> => {
      if (callers.some((caller) => (taken.get(caller) ?? 0) >= SHARE)) throw busy();
      for (const caller of callers) taken.set(caller, (taken.get(caller) ?? 0) + 1);
      try {
        return await check();
      } finally {
        for (const caller of callers) release(taken, caller);
      }
    },
  };
}

function release(taken: Map<string, number>, caller: string): void {
  const left = (taken.get(caller) ?? 1) - 1;
  if (left === 0) taken.delete(caller);
  else taken.set(caller, left);
}

function busy(): Refusal {
  const sentence = 'Too many of your client secrets are being checked at the moment. Try again in a second.';
  return new Refusal('secret_check_busy', 503, sentence, { headers: { 'Retry-After': '1' } });
}
