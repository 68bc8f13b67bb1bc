import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  callOf,
  createWorld,
  participantOf,
  passes,
  refusalOf,
  standingOf,
  tokenOf,
} from '../../../test/support/gateway.ts';
import { clientKnown } from './client-known.ts';

const call = () => callOf({ evidence: { token: tokenOf() } });

test('LAB-04 a client that is not in the directory is refused with participant_unknown', async () => {
  const world = createWorld();
  world.standings.clear();
  const refusal = await refusalOf(clientKnown, call(), world);
  assert.equal(refusal.code, 'participant_unknown');
  assert.equal(refusal.status, 403);
});

test('LAB-12 a token that names another participant than its client has is refused', async () => {
  const world = createWorld();
  world.standings.set('app-a', standingOf({ participant: participantOf({ id: 'tpp-b' }) }));
  assert.equal((await refusalOf(clientKnown, call(), world)).detail, 'participant_differs');
});

test('N-39 an answer for another client or another bank is refused', async () => {
  const { client } = standingOf();
  for (const wrong of [
    { ...client, id: 'app-b' },
    { ...client, bank: 'labbank' },
  ]) {
    const world = createWorld();
    world.standings.set('app-a', standingOf({ client: wrong }));
    assert.equal((await refusalOf(clientKnown, call(), world)).code, 'participant_unknown');
  }
});

test('the standing becomes evidence', async () => {
  const known = call();
  await passes(clientKnown, known);
  assert.equal(known.evidence.standing?.participant.id, 'tpp-a');
});
