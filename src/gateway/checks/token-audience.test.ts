import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, passes, refusalOf, tokenOf } from '../../../test/support/gateway.ts';
import { tokenAudience } from './token-audience.ts';

for (const audience of [
  'https://localhost:8444/albion',
  'https://localhost:8444/gobank/',
  'https://localhost:8443/gobank',
  '',
])
  test(`LAB-19 a token for "${audience}" is refused with wrong_audience`, async () => {
    const refusal = await refusalOf(tokenAudience, callOf({ evidence: { token: tokenOf({ audience }) } }));
    assert.equal(refusal.code, 'wrong_audience');
    assert.equal(refusal.status, 401);
  });

test('LAB-22 a token for this resource server passes', () =>
  passes(tokenAudience, callOf({ evidence: { token: tokenOf() } })));
