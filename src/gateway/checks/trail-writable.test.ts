import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, createWorld, passes, refusalOf } from '../../../test/support/gateway.ts';
import { trailWritable } from './trail-writable.ts';

test('LAB-42 when records cannot be written the call is refused', async () => {
  const world = createWorld();
  world.trailWorks = false;
  const refusal = await refusalOf(trailWritable, callOf(), world);
  assert.equal(refusal.code, 'audit_unavailable');
  assert.equal(refusal.status, 503);
});

test('a trail that takes records passes', () => passes(trailWritable, callOf()));
