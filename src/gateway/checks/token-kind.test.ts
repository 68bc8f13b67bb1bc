import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, participantToken, passes, refusalOf, tokenOf } from '../../../test/support/gateway.ts';
import { tokenKind } from './token-kind.ts';

test("LAB-02 WSN-40 a participant's token on a customer's route is refused with wrong_token_type", async () => {
  const refusal = await refusalOf(
    tokenKind,
    callOf({ evidence: { token: participantToken({ scopes: ['accounts'] }) } }),
  );
  assert.equal(refusal.code, 'wrong_token_type');
  assert.equal(refusal.status, 401);
});

test("LAB-02 WSN-40 a customer's token on a participant's route is refused with wrong_token_type", async () => {
  const token = tokenOf({ scopes: ['payments.create'] });
  const refusal = await refusalOf(tokenKind, callOf({ method: 'POST', path: '/payments', evidence: { token } }));
  assert.equal(refusal.code, 'wrong_token_type');
});

test('the right kind passes', async () => {
  await passes(tokenKind, callOf({ evidence: { token: tokenOf() } }));
  await passes(tokenKind, callOf({ method: 'POST', path: '/payments', evidence: { token: participantToken() } }));
});
