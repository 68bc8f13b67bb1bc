import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, consentOf, createWorld, passes, refusalOf, roomsOf, tokenOf } from '../../../test/support/gateway.ts';
import { Refusal } from '../../platform/refusal.ts';
import { consentFound } from './consent-found.ts';

const call = (consent: string | undefined = 'consent-1') => callOf({ evidence: { token: tokenOf({ consent }) } });

test('N-41 a token without consent id is refused, never let through', async () => {
  const world = createWorld();
  const refusal = await refusalOf(
    consentFound,
    callOf({ evidence: { token: tokenOf({ consent: undefined }) } }),
    world,
  );
  assert.equal(refusal.code, 'consent_missing');
  assert.equal(refusal.status, 403);
  assert.equal(refusal.detail, 'not_in_token');
  assert.deepEqual(world.asked, []);
});

test('N-191 a consent the store does not know is refused', async () => {
  const refusal = await refusalOf(consentFound, call('consent-9'));
  assert.equal(refusal.code, 'consent_missing');
  assert.equal(refusal.detail, 'not_in_store');
});

test('N-39 an answer of the store for another consent or bank is refused', async () => {
  for (const wrong of [consentOf({ id: 'consent-2' }), consentOf({ bank: 'labbank' })]) {
    const world = createWorld();
    world.consents.set('consent-1', wrong);
    assert.equal((await refusalOf(consentFound, call(), world)).code, 'consent_missing');
  }
});

test('N-199 a store that is down refuses with its own reason', async () => {
  const rooms = roomsOf(createWorld());
  const down = async () => {
    throw new Refusal('consent_store_unavailable', 503, 'The consent store does not answer.');
  };
  await assert.rejects(
    async () => consentFound.run(call(), { ...rooms, consents: { ...rooms.consents, current: down } }),
    {
      code: 'consent_store_unavailable',
      status: 503,
    },
  );
});

test('WSN-43 the consent becomes evidence', async () => {
  const known = call();
  await passes(consentFound, known);
  assert.equal(known.evidence.consent?.id, 'consent-1');
});
