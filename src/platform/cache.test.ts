import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createCache, type Loaded } from './cache.ts';

const START = new Date('2026-01-01T00:00:00Z');

function clockAt(start: Date) {
  let now = start;
  return { now: () => now, forward: (seconds: number) => (now = new Date(now.getTime() + seconds * 1000)) };
}

function setUp(maximum = 10) {
  const clock = clockAt(START);
  const cache = createCache<string>({ maximum, clock });
  const inSeconds = (seconds: number): Date => new Date(clock.now().getTime() + seconds * 1000);
  const answering = (value: string | undefined, seconds = 60) => {
    let calls = 0;
    const loader = async (): Promise<Loaded<string>> => {
      calls += 1;
      return { value, validUntil: inSeconds(seconds) };
    };
    return { loader, calls: () => calls };
  };
  return { clock, cache, answering, inSeconds };
}

test('an answer is not believed from its validUntil on', async () => {
  const { clock, cache, answering } = setUp();
  const { loader, calls } = answering('a', 60);
  await cache.load('k', loader);
  clock.forward(59.999);
  assert.equal(cache.get('k'), 'a');
  clock.forward(0.001);
  assert.equal(cache.get('k'), undefined);
  assert.equal(await cache.load('k', loader), 'a');
  assert.equal(calls(), 2);
});

test('an answer that is stale on arrival is given once and not kept', async () => {
  const { cache, answering } = setUp();
  const { loader } = answering('a', 0);
  assert.equal(await cache.load('k', loader), 'a');
  assert.equal(cache.size, 0);
});

test('a load that began before a drop never fills the cache, nor answers those who ask after it', async () => {
  for (const drop of ['drop', 'dropWhere', 'clear'] as const) {
    const { cache, answering, inSeconds } = setUp();
    const before = Promise.withResolvers<Loaded<string>>();
    const first = cache.load('k', () => before.promise);
    if (drop === 'drop') cache.drop('k');
    else if (drop === 'dropWhere') cache.dropWhere(() => false);
    else cache.clear();
    const { loader, calls } = answering('new');
    const second = cache.load('k', loader);
    before.resolve({ value: 'old', validUntil: inSeconds(60) });
    assert.equal(await first, 'old', drop);
    assert.equal(await second, 'new', drop);
    assert.equal(cache.get('k'), 'new', drop);
    assert.equal(calls(), 1, drop);
  }
});

test('a slow load from before a drop does not replace what was loaded after it', async () => {
  const { cache, answering, inSeconds } = setUp();
  const before = Promise.withResolvers<Loaded<string>>();
  const first = cache.load('k', () => before.promise);
  cache.drop('k');
  await cache.load('k', answering('new').loader);
  before.resolve({ value: 'old', validUntil: inSeconds(60) });
  await first;
  assert.equal(cache.get('k'), 'new');
});

test('a failed load is told to everybody who waits and forgotten', async () => {
  const { cache, answering } = setUp();
  const failing = Promise.withResolvers<Loaded<string>>();
  const waiting = [cache.load('k', () => failing.promise), cache.load('k', () => failing.promise)];
  failing.reject(new Error('no database'));
  for (const one of waiting) await assert.rejects(one, /no database/);
  assert.equal(await cache.load('k', answering('a').loader), 'a');
});

test('a failed load that was dropped leaves its successor alone', async () => {
  const { cache, inSeconds } = setUp();
  const [failing, slow] = [Promise.withResolvers<Loaded<string>>(), Promise.withResolvers<Loaded<string>>()];
  const first = cache.load('k', () => failing.promise);
  cache.drop('k');
  const second = cache.load('k', () => slow.promise);
  failing.reject(new Error('no database'));
  await assert.rejects(first);
  const third = cache.load('k', () => assert.fail('a third call'));
  slow.resolve({ value: 'a', validUntil: inSeconds(60) });
  assert.deepEqual(await Promise.all([second, third]), ['a', 'a']);
  assert.equal(cache.get('k'), 'a');
});

test('callers at the same time share one call', async () => {
  const { cache, answering } = setUp();
  const { loader, calls } = answering('a');
  const answers = await Promise.all(Array.from({ length: 50 }, () => cache.load('k', loader)));
  assert.deepEqual(new Set(answers), new Set(['a']));
  assert.equal(calls(), 1);
});

test('an absent value is kept as an answer', async () => {
  const { cache, answering } = setUp();
  const { loader, calls } = answering(undefined);
  await cache.load('k', loader);
  assert.equal(await cache.load('k', loader), undefined);
  assert.equal(calls(), 1);
});

test('the answer that was not asked for the longest makes room', async () => {
  const { cache, answering } = setUp(2);
  await cache.load('a', answering('A').loader);
  await cache.load('b', answering('B').loader);
  assert.equal(cache.get('a'), 'A');
  await cache.load('c', answering('C').loader);
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], ['A', undefined, 'C']);
  assert.equal(cache.size, 2);
});

test('what is asked for regularly outlives any number of others, and there are never more than the places', async () => {
  const { cache, answering } = setUp(40);
  await cache.load('asked', answering('asked').loader);
  for (let index = 0; index < 500; index += 1) {
    await cache.load(`other-${index}`, answering('other').loader);
    if (index % 10 === 0) assert.equal(cache.get('asked'), 'asked');
    assert.ok(cache.size <= 40);
  }
  assert.equal(cache.size, 40);
  assert.equal(cache.get('asked'), 'asked');
  assert.equal(cache.get('other-400'), undefined);
});

test('an end that is no date is no end in the future: the answer is not kept', async () => {
  const { cache } = setUp();
  await cache.load('k', async () => ({ value: 'a', validUntil: new Date(Number.NaN) }));
  assert.equal(cache.get('k'), undefined);
  assert.equal(cache.size, 0);
});

test('dropWhere drops what matches and nothing else', async () => {
  const { cache, answering } = setUp();
  await cache.load('a', answering('A').loader);
  await cache.load('b', answering('B').loader);
  cache.dropWhere((_key, value) => value === 'A');
  assert.deepEqual([cache.get('a'), cache.get('b')], [undefined, 'B']);
});

test('a cache without places is refused', () => {
  for (const maximum of [0, -1, 1.5, Number.NaN])
    assert.throws(() => createCache({ maximum, clock: clockAt(START) }), /at least one/);
});

test('an answer in the last part of its time is asked for again meanwhile, once, and nobody waits', async () => {
  const { clock, cache, answering, inSeconds } = setUp();
  await cache.load('k', answering('old', 10).loader);
  const asked: PromiseWithResolvers<Loaded<string>>[] = [];
  const loader = (): Promise<Loaded<string>> => {
    const call = Promise.withResolvers<Loaded<string>>();
    asked.push(call);
    return call.promise;
  };
  clock.forward(7.9);
  assert.equal(cache.get('k', loader), 'old');
  assert.equal(asked.length, 0);
  clock.forward(0.1);
  assert.equal(cache.get('k'), 'old');
  assert.equal(asked.length, 0);
  assert.deepEqual([cache.get('k', loader), cache.get('k', loader)], ['old', 'old']);
  assert.equal(asked.length, 1);
  asked[0]?.resolve({ value: 'new', validUntil: inSeconds(10) });
  await turn();
  clock.forward(2);
  assert.equal(cache.get('k', loader), 'new');
  assert.equal(asked.length, 1);
});

test('what was asked for ahead ends an answer that is no more, and fills nothing after a drop', async () => {
  const { clock, cache, answering } = setUp();
  await cache.load('gone', answering('old', 10).loader);
  clock.forward(8);
  assert.equal(cache.get('gone', answering(undefined, 0).loader), 'old');
  await turn();
  assert.equal(cache.get('gone'), undefined);
  for (const drop of ['drop', 'dropWhere', 'clear'] as const) {
    await cache.load('k', answering('old', 10).loader);
    clock.forward(8);
    cache.get('k', answering('revived', 10).loader);
    if (drop === 'drop') cache.drop('k');
    else if (drop === 'dropWhere') cache.dropWhere(() => true);
    else cache.clear();
    await turn();
    assert.equal(cache.get('k'), undefined, drop);
  }
});

test('a question ahead that fails is not repeated: the answer serves to its end, and who then asks is told why', async () => {
  const { clock, cache, answering } = setUp();
  await cache.load('k', answering('old', 10).loader);
  clock.forward(8);
  let calls = 0;
  const failing = async (): Promise<Loaded<string>> => {
    calls += 1;
    throw new Error('no database');
  };
  assert.equal(cache.get('k', failing), 'old');
  await turn();
  assert.equal(cache.get('k', failing), 'old');
  assert.equal(calls, 1);
  clock.forward(2);
  assert.equal(cache.get('k', failing), undefined);
  assert.equal(calls, 1);
  await assert.rejects(cache.load('k', failing), /no database/);
});

test('whoever must wait shares the question that was asked ahead', async () => {
  const { clock, cache, answering, inSeconds } = setUp();
  await cache.load('k', answering('old', 10).loader);
  clock.forward(8);
  const slow = Promise.withResolvers<Loaded<string>>();
  cache.get('k', () => slow.promise);
  clock.forward(2);
  const waiting = cache.load('k', () => assert.fail('a second call'));
  slow.resolve({ value: 'new', validUntil: inSeconds(10) });
  assert.equal(await waiting, 'new');
});

test('few questions are asked ahead at once, and an end that cannot move is not asked for again', async () => {
  const { clock, cache, answering, inSeconds } = setUp(40);
  for (let index = 0; index < 20; index += 1) await cache.load(`k${index}`, answering('old', 10).loader);
  clock.forward(8);
  const end = inSeconds(2);
  const waiting: PromiseWithResolvers<Loaded<string>>[] = [];
  const loader = (): Promise<Loaded<string>> => {
    const call = Promise.withResolvers<Loaded<string>>();
    waiting.push(call);
    return call.promise;
  };
  const askAll = (): void => {
    for (let index = 0; index < 20; index += 1) cache.get(`k${index}`, loader);
  };
  for (const expected of [8, 16, 20]) {
    askAll();
    assert.equal(waiting.length, expected);
    for (const { resolve } of waiting) resolve({ value: 'same end', validUntil: end });
    await turn();
  }
  clock.forward(1.9);
  askAll();
  assert.equal(waiting.length, 20);
});
