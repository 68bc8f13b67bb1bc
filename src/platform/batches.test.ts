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

test('who comes alone waits for nobody; who comes meanwhile goes together', async () => {
  const { runs, add, letGo } = setUp();
  const first = add('a');
  const others = ['b', 'c', 'd'].map((item) => add(item));
  assert.deepEqual(runs, [['a']]);
  await letGo();
  await first;
  assert.deepEqual(runs, [['a'], ['b', 'c', 'd']]);
  await letGo();
  await Promise.all(others);
  const last = add('e');
  assert.deepEqual(runs.at(-1), ['e']);
  await letGo();
  await last;
});

test('a failure belongs to its own item', async () => {
  const { add, letGo } = setUp();
  const first = add('a');
  const [good, bad] = [add('good'), add('bad')];
  await letGo();
  await first;
  const refused = assert.rejects(bad, /bad item/);
  await letGo();
  await good;
  await refused;
});

test('when a batch fails as a whole each is tried alone, and only the one at fault is refused', async () => {
  const { runs, add, letGo } = setUp((items) => (items.includes('poison') ? new Error('poison') : undefined));
  const first = add('a');
  const [good, poison] = [add('good'), add('poison')];
  const refused = assert.rejects(poison, /poison/);
  for (let turn = 0; turn < 3; turn += 1) await letGo();
  await Promise.all([first, good, refused]);
  assert.deepEqual(runs, [['a'], ['good', 'poison'], ['good'], ['poison']]);
});

test('a batch has a size at most, and whoever comes after a failure is served', async () => {
  const { runs, add, letGo } = setUp((items) => (items[0] === 'first' ? new Error('gone') : undefined));
  const first = assert.rejects(add('first'), /gone/);
  const many = Array.from({ length: 250 }, (_, index) => add(String(index)));
  for (let turn = 0; turn < 5; turn += 1) await letGo();
  await Promise.all([first, ...many]);
  assert.deepEqual(
    runs.map(({ length }) => length),
    [1, 100, 100, 50],
  );
});

test('with several lanes so many are under way, and what comes meanwhile still goes together', async () => {
  const { runs, add, letGo } = setUp(undefined, 2);
  const all = ['a', 'b', 'c', 'd'].map((item) => add(item));
  assert.deepEqual(runs, [['a'], ['b']]);
  await letGo();
  assert.deepEqual(runs, [['a'], ['b'], ['c', 'd']]);
  await letGo();
  await Promise.all(all);
});
