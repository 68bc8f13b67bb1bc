/** How long requests are gathered before they are told to the other nodes. */
const FLUSH_INTERVAL_MS = 100;
/** The database is away: each node counts alone meanwhile, and asks no more often than this. */
const RETRY_INTERVAL_MS = 1_000;

/** When to flush: one at a time, soon after it was asked for. */
export interface Flushes {
  /** Asks for a flush: at once when it is urgent, else after the interval; later when the last one failed. */
  ask(urgent: boolean): void;
  /** Waits for a flush under way, flushes what is left, and stops. */
  close(): Promise<void>;
}

interface Work {
  /** True when it succeeded; never throws. */
  readonly flush: () => Promise<boolean>;
  readonly isPending: () => boolean;
}

/** Runs flushes on timers that keep no process alive; without anything pending there is no timer. */
export function createFlushes({ flush, isPending }: Work): Flushes {
  let timer: NodeJS.Timeout | undefined;
  /** Whether the timer that runs, or the flush that must follow the present one, is urgent. */
  let urgency = false;
  let flushing: Promise<void> | undefined;
  let failing = false;
  let closed = false;

  function delay(urgent: boolean): number {
    if (failing) return RETRY_INTERVAL_MS;
    return urgent ? 0 : FLUSH_INTERVAL_MS;
  }

  function schedule(urgent: boolean): void {
    clearTimeout(timer);
    timer = setTimeout(start, delay(urgent));
    timer.unref();
  }

  function start(): void {
    timer = undefined;
    urgency = false;
    flushing = run().then(() => {
      flushing = undefined;
      if (isPending() && !closed) schedule(urgency);
    });
  }

  async function run(): Promise<void> {
    failing = !(await flush());
  }

  return {
    ask: (urgent) => {
      const sooner = urgent && !urgency;
      urgency ||= urgent;
      if (closed || flushing !== undefined) return;
      if (timer === undefined || sooner) schedule(urgency);
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await flushing;
      do await run();
      while (isPending() && !failing);
    },
  };
}
