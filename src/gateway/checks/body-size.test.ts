import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, passes, refusalOf } from '../../../test/support/gateway.ts';
import { bodySize } from './body-size.ts';

const posting = (...headers: readonly string[]) => callOf({ method: 'POST', path: '/payments', headers });

test('a body announced over the limit is refused with 413', async () => {
  const refusal = await refusalOf(bodySize, posting('Content-Length', '1048577'));
  assert.equal(refusal.code, 'body_too_large');
  assert.equal(refusal.status, 413);
});

test('a GET with a body is refused: nobody would read it', async () => {
  for (const header of [
    ['Content-Length', '1'],
    ['Transfer-Encoding', 'chunked'],
  ]) {
    const refusal = await refusalOf(bodySize, callOf({ headers: header }));
    assert.equal(refusal.code, 'body_malformed');
    assert.equal(refusal.status, 400);
  }
});

test('a body up to the limit, one of unknown length, and none at all pass', async () => {
  await passes(bodySize, posting('Content-Length', '1048576'));
  await passes(bodySize, posting('Transfer-Encoding', 'chunked'));
  await passes(bodySize, callOf({ headers: ['Content-Length', '0'] }));
  await passes(bodySize, callOf());
});
