import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, certificateOf, participantOf, passes, refusalOf, standingOf } from '../../../test/support/gateway.ts';
import type { Role } from '../../directory/index.ts';
import { participantRole } from './participant-role.ts';

const holding = (roles: readonly Role[], stated?: readonly string[]) =>
  callOf({
    evidence: {
      standing: standingOf({ participant: participantOf({ roles }) }),
      ...(stated === undefined ? {} : { certificate: certificateOf('cert-a', { roles: stated }) }),
    },
  });

for (const roles of [[], ['PISP'], ['CBPII', 'ASPSP']] as const)
  test(`WSN-17 N-27 roles ${JSON.stringify(roles)} do not open accounts`, async () => {
    const refusal = await refusalOf(participantRole, holding(roles));
    assert.equal(refusal.code, 'role_missing');
    assert.equal(refusal.status, 403);
  });

test('WSN-21 a role in the certificate that the directory has withdrawn opens nothing', async () => {
  assert.equal((await refusalOf(participantRole, holding(['PISP'], ['AISP', 'PISP']))).code, 'role_missing');
});

test('WSN-21 a role in the directory that the certificate does not state opens nothing', async () => {
  assert.equal((await refusalOf(participantRole, holding(['AISP'], ['PISP']))).code, 'role_missing');
});

test('certificates.md §14 a role that the register does not give opens nothing', async () => {
  const evidence = { standing: standingOf(), certificate: certificateOf('cert-a'), registered: ['PISP'] };
  assert.equal((await refusalOf(participantRole, callOf({ evidence }))).code, 'role_missing');
});

test('a scope that no role allows is allowed to nobody', async () => {
  const { regime } = callOf().bank;
  const call = callOf({ bank: { regime: { ...regime, rolesByScope: {} } }, evidence: { standing: standingOf() } });
  assert.equal((await refusalOf(participantRole, call)).code, 'role_missing');
});

test('N-26 WSN-20 the account role opens accounts, alone or among others, and is kept for the record', async () => {
  for (const roles of [['AISP'], ['PISP', 'AISP']] as const) {
    const call = holding(roles);
    await passes(participantRole, call);
    assert.equal(call.evidence.role, 'AISP');
  }
});
