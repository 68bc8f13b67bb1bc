import { sweepUnredeemed } from '../authorization/index.ts';
import { endUnused, finishRevocations } from '../web/index.ts';
import type { Rooms } from './rooms.ts';

/** A customer who looks again after a moment sees what is missing done. */
const LOOK_EVERY_MS = 5_000;
/** A changed file is taken over this soon. */
const RELOAD_EVERY_MS = 10_000;
/** Rows that no longer count are removed this often, in bounded batches. */
const SWEEP_EVERY_MS = 60_000;

type Report = (message: string, cause: unknown) => void;

/** Does what requests left undone and removes what is over, on every node; gives the way to stop. */
export function startBackground(
  rooms: Rooms,
  banks: readonly string[],
  edges: readonly ({ sweep(): Promise<void> } | undefined)[],
  report: Report,
): { readonly stop: () => Promise<void> } {
  const sweep = async (): Promise<void> => {
    const { tokens, trust } = rooms;
    await Promise.all([...edges.map((edge) => edge?.sweep()), tokens.sweep(), rooms.expireConsents(), trust.sweep()]);
    await sweepUnredeemed(rooms.database, rooms.clock.now());
  };
  const stops = [
    repeat(LOOK_EVERY_MS, () => finishRevocations(rooms), report),
    repeat(LOOK_EVERY_MS, () => endUnused(rooms, banks), report),
    repeat(RELOAD_EVERY_MS, () => rooms.reloads.check(), report),
    // Told at once of every change: this is for the notice that was lost.
    repeat(SWEEP_EVERY_MS, () => rooms.denials.refresh(), report),
    repeat(SWEEP_EVERY_MS, sweep, report),
  ];
  return {
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

/** One round at a time; stopping waits for the one under way. */
function repeat(everyMs: number, work: () => Promise<unknown>, report: Report): () => Promise<void> {
  let round: Promise<void> | undefined;
  const timer = setInterval(() => {
    round ??= work()
      .then(
        () => undefined,
        (cause: unknown) => report('work in the background failed', cause),
      )
      .finally(() => {
        round = undefined;
      });
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await round;
  };
}
