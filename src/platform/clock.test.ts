import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochSeconds, monotonicMilliseconds, secondsAfter, systemClock } from './clock.ts';

test('RFC 7519 NumericDate: whole seconds, cut off and never rounded up', () => {
  assert.equal(epochSeconds(new Date('1970-01-01T00:00:01.999Z')), 1);
  assert.equal(epochSeconds(new Date('2026-01-01T00:00:00Z')), 1_767_225_600);
});

test('seconds after and before', () => {
  const at = new Date('2026-01-01T00:00:00Z');
  assert.deepEqual(secondsAfter(at, 90), new Date('2026-01-01T00:01:30Z'));
  assert.deepEqual(secondsAfter(at, -1), new Date('2025-12-31T23:59:59Z'));
});

test('the system clock tells the time, the monotonic one never goes back', () => {
  const before = Date.now();
  const now = systemClock.now().getTime();
  assert.ok(now >= before && now <= Date.now());
  const first = monotonicMilliseconds();
  assert.ok(monotonicMilliseconds() >= first);
});
