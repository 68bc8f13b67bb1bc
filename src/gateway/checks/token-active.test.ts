import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, createWorld, passes, refusalOf, start, tokenOf } from '../../../test/support/gateway.ts';
import { tokenActive } from './token-active.ts';

const presenting = (bearer: string) => callOf({ evidence: { bearer } });

test('WSN-39 an unknown, altered or foreign token is refused with token_invalid and the finer code', async () => {
  const world = createWorld();
  world.tokens.set('bad', { state: 'invalid', detail: 'signature' });
  const call = presenting('bad');
  const refusal = await refusalOf(tokenActive, call, world);
  assert.equal(refusal.code, 'token_invalid');
  assert.equal(refusal.status, 401);
  assert.equal(refusal.detail, 'signature');
  assert.equal(call.evidence.token, undefined, 'nothing of an unverified token is believed');
});

test('LAB-11 an expired token is refused with token_expired', async () => {
  const world = createWorld();
  world.tokens.set('old', { state: 'expired', facts: tokenOf() });
  assert.equal((await refusalOf(tokenActive, presenting('old'), world)).code, 'token_expired');
});

test('LAB-11 a cached token is refused from the moment it expires', async () => {
  const world = createWorld();
  world.tokens.set('t', { state: 'active', facts: tokenOf({ expiresAt: start }) });
  assert.equal((await refusalOf(tokenActive, presenting('t'), world)).code, 'token_expired');
  world.now = new Date(start.getTime() - 1);
  await passes(tokenActive, presenting('t'), world);
});

test('N-75 a revoked token is refused with token_revoked, and the record names its client', async () => {
  const world = createWorld();
  world.tokens.set('dead', { state: 'revoked', facts: tokenOf() });
  const call = presenting('dead');
  assert.equal((await refusalOf(tokenActive, call, world)).code, 'token_revoked');
  assert.equal(call.evidence.token?.client, 'app-a');
});

test("LAB-22 another bank's token is refused even when the token room gives it", async () => {
  const world = createWorld();
  world.tokens.set('foreign', { state: 'active', facts: tokenOf({ bank: 'albion' }) });
  const refusal = await refusalOf(tokenActive, presenting('foreign'), world);
  assert.equal(refusal.code, 'token_invalid');
  assert.equal(refusal.detail, 'foreign_bank');
});

test('an active token becomes evidence', async () => {
  const call = presenting('customer');
  await passes(tokenActive, call);
  assert.equal(call.evidence.token?.customer, 'psu-1');
});
