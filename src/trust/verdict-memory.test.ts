import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { NOW } from '../../test/support/judging.ts';
import type { Evaluation } from './evaluate.ts';
import { createTrust } from './index.ts';
import { refused } from './judge.ts';
import { createVerdictMemory } from './verdict-memory.ts';

const clock = { now: () => NOW };
const later = new Date(NOW.getTime() + 10_000);
const { verdict: no } = refused('issuer_unknown', 'Nobody knows the issuer.');
const bad: Evaluation = { strict: no, soft: no };

async function good(): Promise<Evaluation> {
  const root = createAuthority('Test Root');
  const schemes = new Map([['bank', { anchors: [root.certificatePem], extendedKeyUsages: ['clientAuth'] }]]);
  const verdict = await createTrust({ clock, schemes }).judge(root.issue().chain, 'bank');
  assert.ok(verdict.ok);
  return { strict: verdict, soft: verdict };
}

test('attack 58 a flood of certificates that are refused displaces no good one, and is bounded itself', async () => {
  const memory = createVerdictMemory(clock);
  const value = await good();
  await memory.load('good', async () => ({ value, validUntil: later }));
  for (let index = 0; index < 12_000; index += 1) {
    await memory.load(`bad ${index}`, async () => ({ value: { ...bad }, validUntil: later }));
  }
  assert.equal(memory.get('good'), value);
  assert.equal(memory.get('bad 0'), undefined);
  assert.notEqual(memory.get('bad 11999'), undefined);
});

test('attack 3 what was dropped while it was under way is not kept', async () => {
  const value = await good();
  for (const drop of ['clear', 'dropWhere'] as const) {
    const memory = createVerdictMemory(clock);
    const gate = Promise.withResolvers<void>();
    const loading = memory.load('key', async () => {
      await gate.promise;
      return { value, validUntil: later };
    });
    memory[drop](() => true);
    gate.resolve();
    assert.equal(await loading, value);
    assert.equal(memory.get('key'), undefined);
  }
});

test('callers at the same time share one evaluation; what is over is not kept', async () => {
  const memory = createVerdictMemory(clock);
  const value = await good();
  let calls = 0;
  const evaluate = async () => {
    calls += 1;
    return { value, validUntil: later };
  };
  await Promise.all([memory.load('a', evaluate), memory.load('a', evaluate), memory.load('a', evaluate)]);
  assert.equal(calls, 1);
  assert.equal(await memory.load('b', async () => ({ value, validUntil: NOW })), value);
  assert.equal(memory.get('b'), undefined);
  memory.dropWhere((key) => key === 'a');
  assert.equal(memory.get('a'), undefined);
});
