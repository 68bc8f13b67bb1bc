import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBatches } from './batches.ts';

/** A run that waits until it is let go. */
function setUp(fails: (items: readonly string[]) => Error | undefined = () => undefined, lanes = 1) {
  const runs: (readonly string[])[] = [];
  const gates: (() => void)[] = [];
  const add = createBatches<string>(async (items) => {
    runs.push(items);
    await new Promise<void>((resolve) => gates.push(resolve));
    const failure = fails(items);
    if (failure !== undefined) throw failure;
    return items.map((item) => (item === 'bad' ? new Error('bad item') : undefined));
  }, lanes);
  const letGo = async (): Promise<void> => {
    for (const open of gates.splice(0)) open();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { runs, add, letGo };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('who comes alone waits for nobody; who comes in the same turn, or meanwhile, goes together', async () => {
  const { runs, add, letGo } = setUp();
  const first = [add('a'), add('b')];
  await turn();
  assert.deepEqual(runs, [['a', 'b']]);
  const others = ['c', 'd', 'e'].map((item) => add(item));
  await turn();
  assert.deepEqual(runs, [['a', 'b']]);
  await letGo();
  await Promise.all(first);
  assert.deepEqual(runs, [
    ['a', 'b'],
    ['c', 'd', 'e'],
  ]);
  await letGo();
  await Promise.all(others);
  const last = add('f');
  await turn();
  assert.deepEqual(runs.at(-1), ['f']);
  await letGo();
  await last;
});

test('a failure belongs to its own item', async () => {
  const { add, letGo } = setUp();
  const [good, bad] = [add('good'), add('bad')];
  const refused = assert.rejects(bad, /bad item/);
  await turn();
  await letGo();
  await good;
  await refused;
});

test('when a batch fails as a whole each is tried alone, and only the one at fault is refused', async () => {
  const { runs, add, letGo } = setUp((items) => (items.includes('poison') ? new Error('poison') : undefined));
  const [good, poison] = [add('good'), add('poison')];
  const refused = assert.rejects(poison, /poison/);
  for (let count = 0; count < 3; count += 1) {
    await turn();
    await letGo();
  }
  await Promise.all([good, refused]);
  assert.deepEqual(runs, [['good', 'poison'], ['good'], ['poison']]);
});

test('a batch has a size at most, and whoever comes after a failure is served', async () => {
  const { runs, add, letGo } = setUp((items) => (items[0] === 'first' ? new Error('gone') : undefined));
  const first = assert.rejects(add('first'), /gone/);
  await turn();
  const many = Array.from({ length: 250 }, (_, index) => add(String(index)));
  for (let count = 0; count < 5; count += 1) await letGo();
  await Promise.all([first, ...many]);
  assert.deepEqual(
    runs.map(({ length }) => length),
    [1, 100, 100, 50],
  );
});

test('enough of them do not wait for the end of the turn', async () => {
  const { runs, add, letGo } = setUp(undefined, 2);
  const all = Array.from({ length: 8 + 8 + 3 }, (_, index) => add(String(index)));
  assert.deepEqual(
    runs.map(({ length }) => length),
    [8, 8],
  );
  await letGo();
  await letGo();
  await Promise.all(all);
  assert.equal(runs.flat().length, 8 + 8 + 3);
});

test('with several lanes so many are under way, each its own, and what waits is shared among those that are free', async () => {
  const lanes: number[] = [];
  const gates: (() => void)[] = [];
  const add = createBatches<number>(async (items, lane) => {
    lanes.push(lane);
    await new Promise<void>((resolve) => gates.push(resolve));
    return items.map(() => undefined);
  }, 3);
  const all = [1, 2, 3, 4, 5].map((item) => add(item));
  await turn();
  assert.deepEqual(lanes.toSorted(), [0, 1, 2]);
  for (const open of gates) open();
  await Promise.all(all);
});
