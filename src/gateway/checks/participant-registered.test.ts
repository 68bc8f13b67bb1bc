import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  callOf,
  certificateOf,
  createWorld,
  passes,
  refusalOf,
  roomsOf,
  standingOf,
} from '../../../test/support/gateway.ts';
import type { ParticipantRegister } from '../../directory/index.ts';
import { registerRefused } from '../../directory/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { participantRegistered } from './participant-registered.ts';

const evidence = { standing: standingOf(), certificate: certificateOf('cert-a') };

function asking(check: ParticipantRegister['check'], atCalls = true) {
  return callOf({ bank: { register: { atCalls, check } }, evidence });
}

test('WSN-14 who the register refuses is refused', async () => {
  for (const check of [
    () => {
      throw registerRefused('register_withdrawn');
    },
    async () => {
      throw registerRefused('register_withdrawn');
    },
  ]) {
    const refusal = await refusalOf(participantRegistered, asking(check));
    assert.equal(refusal.code, 'participant_refused_by_register');
    assert.equal(refusal.status, 403);
    assert.equal(refusal.detail, 'register_withdrawn');
  }
});

test('N-285 a register without an answer lets nobody in', async () => {
  const call = asking(async () => {
    throw new Refusal('register_unavailable', 503, 'Silence.', { detail: 'register_timeout' });
  });
  assert.equal((await refusalOf(participantRegistered, call)).status, 503);
  assert.equal(call.evidence.registered, undefined);
});

test('certificates.md §19 E 67 a role that the register does not give opens nothing', async () => {
  for (const roles of [[], ['PISP'], ['CBPII', 'ASPSP']] as const) {
    const refusal = await refusalOf(
      participantRegistered,
      asking(() => roles),
    );
    assert.equal(refusal.code, 'participant_refused_by_register');
    assert.equal(refusal.detail, 'register_role');
  }
});

test('a defect of the register is no allow', async () => {
  const call = asking(() => {
    throw new Error('broken');
  });
  await assert.rejects(async () => participantRegistered.run(call, roomsOf(createWorld())), /broken/);
});

test('WSN-14 the check sees participant, certificate and request; its roles are kept for the checks behind it', async () => {
  const seen: unknown[] = [];
  const call = asking((...question) => {
    seen.push(...question);
    return ['AISP'];
  });
  await passes(participantRegistered, call);
  const { interaction } = call;
  assert.deepEqual(seen, [
    evidence.standing.participant,
    { certificate: evidence.certificate, roles: ['AISP'], interaction },
  ]);
  assert.deepEqual(call.evidence.registered, ['AISP']);
});

test('a bank without register, or with one for registration alone, does not ask', async () => {
  await passes(participantRegistered, callOf({ evidence }));
  const call = asking(() => assert.fail('it was asked'), false);
  await passes(participantRegistered, call);
  assert.equal(call.evidence.registered, undefined);
});
