import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, consentOf, passes, refusalOf, tokenOf } from '../../../test/support/gateway.ts';
import type { Consent } from '../../consent/index.ts';
import { consentOwner } from './consent-owner.ts';

const call = (changes: Partial<Consent> = {}, token = tokenOf()) =>
  callOf({ evidence: { token, consent: consentOf(changes) } });

test('N-189 a consent of another client is refused with consent_wrong_client', async () => {
  for (const changes of [{ client: 'app-b' }, { participant: 'tpp-b' }]) {
    const refusal = await refusalOf(consentOwner, call(changes));
    assert.equal(refusal.code, 'consent_wrong_client');
    assert.equal(refusal.status, 403);
  }
});

test('N-188 a consent of another customer is refused, also where one name contains the other', async () => {
  for (const customer of ['psu-2', 'psu-11', 'psu-', '', undefined]) {
    const refusal = await refusalOf(consentOwner, call({ customer }));
    assert.equal(refusal.code, 'consent_wrong_user');
    assert.equal(refusal.status, 403);
  }
});

test('N-188 two absent customers are not the same customer', async () => {
  const token = tokenOf({ customer: undefined });
  assert.equal((await refusalOf(consentOwner, call({ customer: undefined }, token))).code, 'consent_wrong_user');
});

test('the owner passes', () => passes(consentOwner, call()));
