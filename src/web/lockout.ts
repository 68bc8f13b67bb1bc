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
  /** Takes one attempt of an address, whatever the name; over its maximum it waits for the present quarter of an hour to end. */
  takeSource(key: AttemptKey, maximum: number): Promise<AttemptVerdict>;
  /** The attempt of an address was none that counts: the customer signed in, or the bank did not answer. */
  giveBackSource(statements: Statements, key: AttemptKey): Promise<void>;
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
    takeSource: (key, maximum) => takeSource(database, key, maximum, clock.now()),
    giveBackSource: (statements, key) => returnAttempt(statements, windowOf(key, clock.now()).key),
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

async function takeSource(database: Database, source: AttemptKey, maximum: number, now: Date): Promise<AttemptVerdict> {
  const { key, start, end } = windowOf(source, now);
  // A moment before the window, so that everything in it counts; the key holds nothing of another one.
  const countsFrom = new Date(start - 1);
  const lockUntil = new Date(end);
  const counted = await countAttempt(database, key, { now, countsFrom, maximum, lockUntil });
  return counted === undefined ? { allowed: false, lockedUntil: lockUntil } : { allowed: true, ...counted };
}

/** Windows do not move: many customers behind one address would otherwise never see their failures forgotten. */
function windowOf({ bank, usernameHash }: AttemptKey, now: Date) {
  const width = COUNT_SECONDS * 1000;
  const start = Math.floor(now.getTime() / width) * width;
  return { key: { bank, usernameHash: `${usernameHash}@${start}` }, start, end: start + width };
}

/** One form of a user name, so that capitals, blanks and compatibility characters do not make new attempts. */
export function canonicalUsername(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase();
}
