import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, participantOf, passes, refusalOf, standingOf } from '../../../test/support/gateway.ts';
import type { ParticipantStatus } from '../../directory/index.ts';
import { participantActive } from './participant-active.ts';

const having = (status: ParticipantStatus) =>
  callOf({ evidence: { standing: standingOf({ participant: participantOf({ status }) }) } });

test('LAB-15 a suspended participant is refused with participant_suspended', async () => {
  const refusal = await refusalOf(participantActive, having('suspended'));
  assert.equal(refusal.code, 'participant_suspended');
  assert.equal(refusal.status, 403);
});

for (const status of ['pending', 'rejected', 'removed'] as const)
  test(`LAB-16 a ${status} participant is refused with participant_not_approved`, async () => {
    const refusal = await refusalOf(participantActive, having(status));
    assert.equal(refusal.code, 'participant_not_approved');
    assert.equal(refusal.status, 403);
  });

test('LAB-14 an approved participant passes', () => passes(participantActive, having('approved')));
