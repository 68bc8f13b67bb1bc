/** Items of one batch: a statement of this size takes a few milliseconds, and more callers are rarely waiting. */
const MAXIMUM_BATCH = 100;
/** So many need not wait for more: while the database has them, this process goes on with the rest of the turn. */
const ENOUGH = 8;

interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * Runs what arrives in one turn of the event loop, and while work is under way, together, in the order it came: whoever comes
 * alone waits for nobody, and under load one transaction carries many. `run` gives for each item why it failed, or undefined;
 * when it throws, each item is tried alone, so that no caller pays for another's. With several `lanes` so many batches are
 * under way at the same time, and what waits is shared among those that are free.
 */
export function createBatches<Item>(
  run: (items: readonly Item[], lane: number) => Promise<readonly (Error | undefined)[]>,
  lanes = 1,
): (item: Item) => Promise<void> {
  const queue: Waiting<Item>[] = [];
  const free = Array.from({ length: lanes }, (_, index) => index);
  let scheduled = false;

  function start(): void {
    while (queue.length > 0) {
      const share = Math.ceil(queue.length / free.length);
      const lane = free.pop();
      if (lane === undefined) return;
      void runIn(lane, queue.splice(0, Math.min(MAXIMUM_BATCH, share)));
    }
  }

  async function runIn(lane: number, batch: readonly Waiting<Item>[]): Promise<void> {
    await runTogether(batch, lane);
    free.push(lane);
    start();
  }

  async function runTogether(batch: readonly Waiting<Item>[], lane: number): Promise<void> {
    const items = batch.map(({ item }) => item);
    try {
      settle(batch, await run(items, lane));
    } catch (cause) {
      if (batch.length === 1) batch[0]?.reject(cause);
      else await Promise.all(batch.map((one) => runTogether([one], lane)));
    }
  }

  function startAtEndOfTurn(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      start();
    });
  }

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    queue.push({ item, resolve, reject });
    const lane = queue.length >= ENOUGH ? free.pop() : undefined;
    if (lane !== undefined) void runIn(lane, queue.splice(0, MAXIMUM_BATCH));
    else if (free.length > 0) startAtEndOfTurn();
    return promise;
  };
}

function settle<Item>(batch: readonly Waiting<Item>[], failures: readonly (Error | undefined)[]): void {
  for (const [index, { resolve, reject }] of batch.entries()) {
    const failure = failures[index];
    if (failure === undefined) resolve();
    else reject(failure);
  }
}
