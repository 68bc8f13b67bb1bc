import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, certificateOf, passes, refusalOf } from '../../../test/support/gateway.ts';
import { certificateRole } from './certificate-role.ts';

const stating = (roles: readonly string[] | undefined) => ({ certificate: certificateOf('cert-a', { roles }) });

test('N-27 a certificate for account information alone does not open payments', async () => {
  const call = callOf({ method: 'POST', path: '/payments', evidence: stating(['AISP']) });
  const refusal = await refusalOf(certificateRole, call);
  assert.equal(refusal.code, 'role_missing');
  assert.equal(refusal.status, 403);
});

test('WSN-17 a certificate for payments alone does not open accounts', async () => {
  assert.equal((await refusalOf(certificateRole, callOf({ evidence: stating(['PISP']) }))).code, 'role_missing');
});

test('N-28 a certificate with an empty list of roles opens nothing', async () => {
  assert.equal((await refusalOf(certificateRole, callOf({ evidence: stating([]) }))).code, 'role_missing');
});

test('N-28 a role is compared as a whole, not by its letters', async () => {
  for (const roles of [['AISPX'], ['aisp'], ['AIS']])
    assert.equal((await refusalOf(certificateRole, callOf({ evidence: stating(roles) }))).code, 'role_missing');
});

test('N-26 the account role alone is enough for accounts', () =>
  passes(certificateRole, callOf({ evidence: stating(['AISP']) })));

test('WSN-20 a certificate may state several roles', () =>
  passes(certificateRole, callOf({ evidence: stating(['CBPII', 'AISP']) })));

test('WSN-21 N-28 a certificate without a PSD2 statement opens nothing', async () => {
  const refusal = await refusalOf(certificateRole, callOf({ evidence: stating(undefined) }));
  assert.equal(refusal.code, 'role_missing');
  assert.equal(refusal.detail, 'psd2_missing');
});

test('WSN-21 where roles come from the directory, roles that the certificate states still limit', async () => {
  const call = callOf({ bank: { rolesFromDirectory: true }, evidence: stating(['PISP']) });
  assert.equal((await refusalOf(certificateRole, call)).detail, 'certificate_role');
});

test('certificates.md §19 E 61 the role of an account servicing provider opens nothing to a third party', async () => {
  for (const path of ['/accounts', '/balances'])
    assert.equal(
      (await refusalOf(certificateRole, callOf({ path, evidence: stating(['ASPSP']) }))).code,
      'role_missing',
    );
  const payments = callOf({ method: 'POST', path: '/payments', evidence: stating(['ASPSP', 'AISP', 'CBPII']) });
  assert.equal((await refusalOf(certificateRole, payments)).code, 'role_missing');
});

test('a bank that takes roles from the directory lets a certificate without a PSD2 statement pass', () =>
  passes(certificateRole, callOf({ bank: { rolesFromDirectory: true }, evidence: stating(undefined) })));

test('LAB-31 at a door without client certificates there is nothing to read a role from', () =>
  passes(certificateRole, callOf({ door: 'plain' })));
