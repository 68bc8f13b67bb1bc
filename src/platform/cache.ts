import type { Clock } from './clock.ts';

/** What a loader found, and until when it may be believed; an absent value is an answer that is kept as well. */
export interface Loaded<V> {
  readonly value: V | undefined;
  readonly validUntil: Date;
}

/** A bounded memory of answers. Nothing in it outlives its `validUntil`, a drop, or the places there are. */
export interface Cache<V> {
  /**
   * The answer at hand, if it may still be believed. With a `loader`, one in the last part of its time is asked for again
   * meanwhile, so that nobody waits when that time is over; if that fails, the answer at hand serves to its end.
   */
  get(key: string, loader?: () => Promise<Loaded<V>>): V | undefined;
  /**
   * The answer at hand, or what `loader` finds. Callers who ask for the same key at the same time share one call. A call
   * that began before a drop never fills the cache and is never shared with those who ask afterwards.
   */
  load(key: string, loader: () => Promise<Loaded<V>>): Promise<V | undefined>;
  drop(key: string): void;
  /** Drops what matches, and every call under way: what that will find cannot be judged yet. */
  dropWhere(predicate: (key: string, value: V | undefined) => boolean): void;
  clear(): void;
  readonly size: number;
}

/** Kept with its end in milliseconds: comparing two dates costs more than finding one. */
interface Kept<V> {
  readonly value: V | undefined;
  readonly until: number;
  /** From when on it is asked for again, in milliseconds. */
  aheadAt: number;
  askedAt: number;
}

/**
 * An answer moves to the end of the queue only when this share of the places was filled since it last did: moving costs more
 * than finding. The one that makes room was then not asked for during most of a turn of the places.
 */
const UNMOVED_SHARE = 1 / 4;
/** An answer is asked for again after this share of its time; one that nobody asks for ends. */
const AHEAD_SHARE = 0.8;
/** Questions asked ahead at once: answers that were found together must not be asked for together. */
const MAXIMUM_AHEAD = 8;

/** `maximum` is the number of answers kept: one that was not asked for the longest makes room. */
export function createCache<V>({ maximum, clock }: { maximum: number; clock: Clock }): Cache<V> {
  if (!Number.isSafeInteger(maximum) || maximum < 1) throw new Error('a cache holds at least one answer');
  const { answers, find, keep } = createPlaces<V>(maximum, clock);
  const calls = new Map<string, Promise<Loaded<V>>>();
  let asking = 0;

  function askAhead(key: string, answer: Kept<V>, loader: () => Promise<Loaded<V>>): void {
    if (asking >= MAXIMUM_AHEAD || calls.has(key)) return;
    // Once: when it fails, the next one who must wait is told why.
    answer.aheadAt = answer.until;
    asking += 1;
    const over = (): void => {
      asking -= 1;
    };
    call(key, loader).then(over, over);
  }

  async function call(key: string, loader: () => Promise<Loaded<V>>): Promise<V | undefined> {
    const loading = loader();
    calls.set(key, loading);
    const ours = (): boolean => calls.get(key) === loading;
    try {
      const answer = await loading;
      if (ours()) keep(key, answer);
      return answer.value;
    } finally {
      if (ours()) calls.delete(key);
    }
  }

  return {
    get: (key, loader) => {
      const now = clock.now().getTime();
      const answer = find(key, now);
      if (answer === undefined) return undefined;
      if (loader !== undefined && answer.aheadAt <= now) askAhead(key, answer, loader);
      return answer.value;
    },
    load: async (key, loader) => {
      const answer = find(key, clock.now().getTime());
      if (answer !== undefined) return answer.value;
      const underWay = calls.get(key);
      return underWay === undefined ? call(key, loader) : (await underWay).value;
    },
    drop: (key) => {
      answers.delete(key);
      calls.delete(key);
    },
    dropWhere: (predicate) => {
      for (const [key, { value }] of answers) if (predicate(key, value)) answers.delete(key);
      calls.clear();
    },
    clear: () => {
      answers.clear();
      calls.clear();
    },
    get size() {
      return answers.size;
    },
  };
}

/** The places of a cache: what is kept, in about the order it was asked for. */
function createPlaces<V>(maximum: number, clock: Clock) {
  const unmoved = Math.floor(maximum * UNMOVED_SHARE);
  const answers = new Map<string, Kept<V>>();
  /** Counts what was kept: how far the places have moved on since an answer was asked for. */
  let moves = 0;
  return {
    answers,
    find: (key: string, now: number): Kept<V> | undefined => {
      const answer = answers.get(key);
      if (answer === undefined) return undefined;
      if (!(answer.until > now)) {
        answers.delete(key);
        return undefined;
      }
      if (moves - answer.askedAt >= unmoved) {
        answer.askedAt = moves;
        answers.delete(key);
        answers.set(key, answer);
      }
      return answer;
    },
    keep: (key: string, { value, validUntil }: Loaded<V>): void => {
      const [now, until, former] = [clock.now().getTime(), validUntil.getTime(), answers.get(key)];
      answers.delete(key);
      if (!(until > now)) return;
      const [oldest] = answers.keys();
      if (answers.size >= maximum && oldest !== undefined) answers.delete(oldest);
      moves += 1;
      // What ends when the one before did gains nothing by being asked for once more.
      const lasts = former === undefined || until > former.until;
      const aheadAt = lasts ? now + (until - now) * AHEAD_SHARE : until;
      answers.set(key, { value, until, aheadAt, askedAt: moves });
    },
  };
}
