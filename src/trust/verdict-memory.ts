import { createCache } from '../platform/cache.ts';
import type { Clock } from '../platform/clock.ts';
import type { Evaluation } from './evaluate.ts';

/** Verdicts remembered: participants times certificates times banks stays far below. */
const MAXIMUM_ACCEPTED = 10_000;
/** Anybody can make certificates that are refused, of 16 KiB each: together they hold some thirty MiB at most. */
const MAXIMUM_REFUSED = 500;

/** Evaluations at hand. */
export interface VerdictMemory {
  get(key: string): Evaluation | undefined;
  /** The evaluation at hand, or what `evaluate` finds; see `Cache.load` for calls at the same time and for drops. */
  load(key: string, evaluate: () => Promise<Judged>): Promise<Evaluation>;
  dropWhere(predicate: (key: string) => boolean): void;
  clear(): void;
}

/** An evaluation, and until when it may be believed. */
export interface Judged {
  readonly value: Evaluation;
  readonly validUntil: Date;
}

/** Refusals have places of their own: a flood of bad certificates displaces no good one, and holds little memory. */
export function createVerdictMemory(clock: Clock): VerdictMemory {
  const accepted = createCache<Evaluation>({ maximum: MAXIMUM_ACCEPTED, clock });
  const refused = createCache<Judged>({ maximum: MAXIMUM_REFUSED, clock });
  const both = [accepted, refused] as const;
  return {
    get: (key) => accepted.get(key) ?? refused.get(key)?.value,
    load: async (key, evaluate) => {
      const judged = await refused.load(key, async () => {
        const value = await evaluate();
        return { value, validUntil: value.validUntil };
      });
      if (judged === undefined) throw new Error('an evaluation that is none');
      // Still there: nothing was dropped meanwhile.
      if (judged.value.strict.ok && refused.get(key) === judged) {
        await accepted.load(key, async () => judged);
        refused.drop(key);
      }
      return judged.value;
    },
    dropWhere: (predicate) => {
      for (const memory of both) memory.dropWhere(predicate);
    },
    clear: () => {
      for (const memory of both) memory.clear();
    },
  };
}
