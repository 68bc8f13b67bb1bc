import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, consentOf, createWorld, passes, refusalOf, start } from '../../../test/support/gateway.ts';
import type { Consent } from '../../consent/index.ts';
import { consentAuthorised } from './consent-authorised.ts';

const call = (changes: Partial<Consent>) => callOf({ evidence: { consent: consentOf(changes) } });

for (const state of ['Awaiting', 'Rejected', 'Consumed', 'Revoked'] as const)
  test(`WSN-43 N-185 a consent that is ${state} is refused with consent_not_authorised`, async () => {
    const refusal = await refusalOf(consentAuthorised, call({ state }));
    assert.equal(refusal.code, 'consent_not_authorised');
    assert.equal(refusal.status, 403);
    assert.equal(refusal.detail, state);
  });

test('WSN-43 an Expired consent is refused with consent_expired', async () => {
  const refusal = await refusalOf(consentAuthorised, call({ state: 'Expired' }));
  assert.equal(refusal.code, 'consent_expired');
  assert.equal(refusal.status, 403);
});

test('N-192 a consent is refused exactly from its expiry, whatever a job has done', async () => {
  const world = createWorld();
  assert.equal((await refusalOf(consentAuthorised, call({ expiresAt: start }), world)).code, 'consent_expired');
  world.now = new Date(start.getTime() - 1);
  await passes(consentAuthorised, call({ expiresAt: start }), world);
});

test('an authorised consent in time passes', () => passes(consentAuthorised, call({})));
