import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atEndOfTurn } from './end-of-turn.ts';

test('what one turn brings is acted on in order at its end, what comes then in the next', async () => {
  const seen: string[] = [];
  const collect = atEndOfTurn((item: string) => {
    seen.push(item);
    if (item === 'b') collect('d');
  });
  collect('a');
  collect('b');
  await Promise.resolve();
  collect('c');
  assert.deepEqual(seen, [], 'nothing happens within the turn');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ['a', 'b', 'c']);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ['a', 'b', 'c', 'd']);
});
