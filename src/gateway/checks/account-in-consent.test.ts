import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, consentOf, passes, refusalOf } from '../../../test/support/gateway.ts';
import { accountInConsent } from './account-in-consent.ts';

const at = (path: string) => callOf({ path, evidence: { consent: consentOf() } });

test('WSO-35 LAB-03 a foreign account, an unticked one and one that does not exist get the same answer', async () => {
  const refusals = [];
  for (const account of ['acc-of-psu-2', 'acc-3', 'nonsense'])
    refusals.push(await refusalOf(accountInConsent, at(`/accounts/${account}`)));
  for (const refusal of refusals) {
    assert.equal(refusal.code, 'account_not_in_consent');
    assert.equal(refusal.status, 403);
    assert.equal(refusal.message, refusals[0]?.message);
    assert.equal(refusal.detail, refusals[0]?.detail);
  }
});

test('N-190 the check guards every path that names an account', async () => {
  for (const path of ['/accounts/acc-3', '/accounts/acc-3/balances', '/accounts/acc-3/transactions'])
    assert.equal((await refusalOf(accountInConsent, at(path))).code, 'account_not_in_consent');
});

test('an account is compared as a whole, after decoding', async () => {
  for (const account of ['acc-', 'acc-11', 'ACC-1', 'acc-1%20'])
    await assert.rejects(async () => passes(accountInConsent, at(`/accounts/${account}`)));
});

test('LAB-03 the account of a body is checked as well', async () => {
  const call = callOf({ method: 'POST', path: '/tokenize', evidence: { consent: consentOf(), account: 'acc-3' } });
  assert.equal((await refusalOf(accountInConsent, call)).code, 'account_not_in_consent');
});

test('a call that names no account is a defect, not an allow', async () => {
  const call = callOf({ method: 'POST', path: '/tokenize', evidence: { consent: consentOf() } });
  await assert.rejects(async () => passes(accountInConsent, call), /before it was found/);
});

test('a ticked account passes, also percent-encoded', async () => {
  await passes(accountInConsent, at('/accounts/acc-1'));
  await passes(accountInConsent, at('/accounts/acc%2D2/transactions'));
});
