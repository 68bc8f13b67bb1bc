import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { Database, Statements } from '../platform/database.ts';
import { type AttemptKey, countAttempt, findLock, forgetAttempts, returnAttempt, sweepAttempts } from './store.ts';

/** Five: enough for typing errors, few enough against guessing (CLD-24). */
export const MAXIMUM_ATTEMPTS = 5;
/** A quarter of an hour: stops guessing, without keeping a customer out for the day. */
export const LOCK_SECONDS = 15 * 60;
/** Attempts further apart than this are not in a row. */
const COUNT_SECONDS = 15 * 60;
/** Rows removed in one statement: short enough never to be in the way. */
const SWEEP_BATCH = 1_000;

/** Whether a user name may be tried now. */
export type AttemptVerdict =
  | { readonly allowed: true; readonly attempts: number; readonly lockedUntil: Date | undefined }
  | { readonly allowed: false; readonly lockedUntil: Date };

/** Counts sign-ins per bank and user name, known or not, for all nodes together. */
export interface Lockout {
  /** Takes one attempt before the bank is asked; the fifth in a row locks unless it turns out right. */
  take(key: AttemptKey): Promise<AttemptVerdict>;
  /** The customer signed in. */
  forget(statements: Statements, key: AttemptKey): Promise<void>;
  /** The bank did not answer: the attempt does not count. */
  giveBack(statements: Statements, key: AttemptKey): Promise<void>;
  /** Removes what no longer counts, in bounded batches. */
  sweep(): Promise<void>;
}

/** The lock over the platform's database. */
export function createLockout(database: Database, clock: Clock): Lockout {
  const countsFrom = () => secondsAfter(clock.now(), -COUNT_SECONDS);
  return {
    take: (key) => take(database, key, clock.now()),
    forget: forgetAttempts,
    giveBack: returnAttempt,
    sweep: async () => {
      const batch = { now: clock.now(), countsFrom: countsFrom(), limit: SWEEP_BATCH };
      while ((await sweepAttempts(database, batch)) === SWEEP_BATCH);
    },
  };
}

async function take(database: Database, key: AttemptKey, now: Date): Promise<AttemptVerdict> {
  const lockUntil = secondsAfter(now, LOCK_SECONDS);
  const countsFrom = secondsAfter(now, -COUNT_SECONDS);
  const counted = await countAttempt(database, key, { now, countsFrom, maximum: MAXIMUM_ATTEMPTS, lockUntil });
  if (counted !== undefined) return { allowed: true, ...counted };
  // Between the two statements the customer may have signed in elsewhere: a lock is then still the safe answer.
  return { allowed: false, lockedUntil: (await findLock(database, key, now)) ?? lockUntil };
}

/** One form of a user name, so that capitals, blanks and compatibility characters do not make new attempts. */
export function canonicalUsername(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase();
}
