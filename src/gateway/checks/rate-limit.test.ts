import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, createWorld, passes, refusalOf, standingOf } from '../../../test/support/gateway.ts';
import { rateLimit } from './rate-limit.ts';

const call = () => callOf({ evidence: { standing: standingOf() } });

for (const [wait, header] of [
  [42, '42'],
  [0.2, '1'],
  [0, '1'],
  [59.01, '60'],
] as const)
  test(`LAB-17 over the limit: 429 with Retry-After ${header} for a wait of ${wait} s`, async () => {
    const world = createWorld();
    world.limits.set('tpp-a', wait);
    const refusal = await refusalOf(rateLimit, call(), world);
    assert.equal(refusal.code, 'rate_limited');
    assert.equal(refusal.status, 429);
    assert.equal(refusal.headers['retry-after'], header);
  });

test('N-172 the limit of another participant does not touch this one', async () => {
  const world = createWorld();
  world.limits.set('tpp-b', 60);
  await passes(rateLimit, call(), world);
});
