import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecretShares } from './secret-shares.ts';

test('one caller gets its share and no more, others are served, and what is done is free again', async () => {
  const shares = createSecretShares();
  const { promise, resolve } = Promise.withResolvers<string>();
  const check = () => promise;
  const running = Array.from({ length: 16 }, () => shares.as(['address 1', 'client a'], check));
  const busy = { code: 'secret_check_busy', status: 503, headers: { 'Retry-After': '1' } };
  await assert.rejects(shares.as(['address 1', 'client b'], check), busy);
  await assert.rejects(shares.as(['address 2', 'client a'], check), busy);
  const other = shares.as(['address 2', 'client b'], check);
  resolve('checked');
  assert.deepEqual(new Set(await Promise.all([...running, other])), new Set(['checked']));
  assert.equal(await shares.as(['address 1', 'client a'], check), 'checked');
  await assert.rejects(
    shares.as(['address 1'], () => Promise.reject(new Error('failed'))),
    /failed/,
  );
  assert.equal(await shares.as(['address 1', 'client a'], check), 'checked');
});
