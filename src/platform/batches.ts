/** Items of one batch: a statement of this size takes a few milliseconds, and more callers are rarely waiting. */
const MAXIMUM_BATCH = 100;

interface Waiting<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * Runs what arrives while work is under way together, in the order it came: whoever comes alone waits for nobody, and under
 * load one transaction carries many. `run` gives for each item why it failed, or undefined; when it throws, each item is
 * tried alone, so that no caller pays for another's. With several `lanes` so many batches are under way at the same time.
 */
export function createBatches<Item>(
  run: (items: readonly Item[], lane: number) => Promise<readonly (Error | undefined)[]>,
  lanes = 1,
): (item: Item) => Promise<void> {
  const queue: Waiting<Item>[] = [];
  const free = Array.from({ length: lanes }, (_, index) => index);

  async function runAll(lane: number): Promise<void> {
    while (queue.length > 0) await runTogether(queue.splice(0, MAXIMUM_BATCH), lane);
    free.push(lane);
  }

  async function runTogether(batch: readonly Waiting<Item>[], lane: number): Promise<void> {
    try {
      settle(
        batch,
        await run(
          batch.map(({ item }) => item),
          lane,
        ),
      );
    } catch (cause) {
      if (batch.length === 1) batch[0]?.reject(cause);
      else await Promise.all(batch.map((one) => runTogether([one], lane)));
    }
  }

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    queue.push({ item, resolve, reject });
    const lane = free.pop();
    if (lane !== undefined) void runAll(lane);
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
