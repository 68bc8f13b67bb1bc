import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, passes, refusalOf, tokenOf } from '../../../test/support/gateway.ts';
import { tokenScope } from './token-scope.ts';

for (const scopes of [[], ['payments.create'], ['accounts.read'], ['account'], ['Accounts'], ['openid accounts']])
  test(`LAB-21 LAB-23 LAB-40 scopes ${JSON.stringify(scopes)} do not open accounts`, async () => {
    const refusal = await refusalOf(tokenScope, callOf({ evidence: { token: tokenOf({ scopes }) } }));
    assert.equal(refusal.code, 'insufficient_scope');
    assert.equal(refusal.status, 403);
  });

test('LAB-37 the scope of accounts does not open payments', async () => {
  const call = callOf({ method: 'POST', path: '/payments', evidence: { token: tokenOf() } });
  assert.equal((await refusalOf(tokenScope, call)).code, 'insufficient_scope');
});

test('LAB-38 the scope among others passes', () =>
  passes(tokenScope, callOf({ evidence: { token: tokenOf({ scopes: ['openid', 'accounts'] }) } })));
