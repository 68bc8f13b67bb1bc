import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimit, sourceOf } from './rate-limit.ts';

const START = Date.parse('2026-05-01T10:00:30Z');

test('over the limit the seconds to wait are told, for this caller alone, until the next minute', () => {
  let now = START;
  const limit = createRateLimit({ now: () => new Date(now) }, 2);
  assert.deepEqual(
    [limit.take('a'), limit.take('a'), limit.take('a'), limit.take('a')],
    [undefined, undefined, 30, 30],
  );
  assert.equal(limit.take('b'), undefined);
  now += 29_999;
  assert.equal(limit.take('a'), 1);
  now += 1;
  assert.equal(limit.take('a'), undefined);
});

test('callers beyond what memory holds share one count: nobody goes uncounted', () => {
  const limit = createRateLimit({ now: () => new Date(START) }, 2, 2);
  for (const key of ['a', 'b', 'c', 'd']) assert.equal(limit.take(key), undefined);
  assert.equal(limit.take('e'), 30);
  assert.equal(limit.take('f'), 30);
  assert.equal(limit.take('a'), undefined);
});

test('one IPv6 network is one source, an IPv4 address is one, however they are written', () => {
  const same = [
    '2001:db8:0:1::1',
    '2001:0DB8::1:ffff:0:0:2',
    '2001:db8:0:1:aaaa:bbbb:cccc:dddd',
    '2001:db8:0:1::%eth0',
  ];
  assert.deepEqual(new Set(same.map(sourceOf)), new Set(['2001:db8:0:1::/64']));
  assert.notEqual(sourceOf('2001:db8:0:2::1'), sourceOf('2001:db8:0:1::1'));
  assert.equal(sourceOf('::1'), '0:0:0:0::/64');
  assert.equal(sourceOf('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(sourceOf('192.0.2.1'), '192.0.2.1');
  assert.equal(sourceOf(undefined), 'unknown');
});
