import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from './refusal.ts';

test('a refusal carries what an edge answers with, and what only we see', () => {
  const cause = new Error('why');
  const refusal = new Refusal('rate_limited', 429, 'Slow down.', {
    detail: 'window',
    headers: { 'Retry-After': '7' },
    cause,
  });
  assert.ok(refusal instanceof Error);
  const { name, code, status, message, detail, headers } = refusal;
  assert.deepEqual(
    [name, code, status, message, detail, headers],
    ['Refusal', 'rate_limited', 429, 'Slow down.', 'window', { 'Retry-After': '7' }],
  );
  assert.equal(refusal.cause, cause);
});

test('what is not given is absent', () => {
  const refusal = new Refusal('not_found', 404, 'Nothing here.');
  assert.deepEqual([refusal.detail, refusal.headers, 'cause' in refusal], [undefined, {}, false]);
});
