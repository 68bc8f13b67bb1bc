import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boundCertificate,
  callOf,
  certificateOf,
  createWorld,
  passes,
  refusalOf,
  standingOf,
  start,
} from '../../../test/support/gateway.ts';
import { certificateEnrolled } from './certificate-enrolled.ts';

const baseline = { requireBoundTokens: false, requireClientCertificate: false };
const enrolled = (...certificates: readonly ReturnType<typeof boundCertificate>[]) => standingOf({ certificates });
const over = (thumbprint: string, standing = standingOf(), bank = {}) =>
  callOf({ bank, evidence: { certificate: certificateOf(thumbprint), standing } });

test('CA-03 a certificate that is not the stored one is refused with certificate_not_enrolled', async () => {
  const refusal = await refusalOf(certificateEnrolled, over('cert-b'));
  assert.equal(refusal.code, 'certificate_not_enrolled');
  assert.equal(refusal.status, 401);
});

test('CA-19 after the relation is gone nothing passes where tokens are bound', async () => {
  assert.equal((await refusalOf(certificateEnrolled, over('cert-a', enrolled()))).code, 'certificate_not_enrolled');
});

test('CA-18 the old certificate is refused from the moment the rotation window closes', async () => {
  const call = () => over('cert-a', enrolled(boundCertificate('cert-new'), boundCertificate('cert-a', start)));
  const world = createWorld();
  assert.equal((await refusalOf(certificateEnrolled, call(), world)).detail, 'rotation_window_over');
  world.now = new Date(start.getTime() - 1);
  await passes(certificateEnrolled, call(), world);
});

test('a bank with bound tokens never passes a call without certificate', async () => {
  const call = callOf({ door: 'plain', evidence: { standing: standingOf() } });
  assert.equal((await refusalOf(certificateEnrolled, call)).code, 'certificate_not_enrolled');
});

test('CA-03 a baseline client with a stored certificate is refused over another one', async () => {
  assert.equal(
    (await refusalOf(certificateEnrolled, over('cert-b', standingOf(), baseline))).code,
    'certificate_not_enrolled',
  );
});

test('CA-01 the stored certificate passes', () => passes(certificateEnrolled, over('cert-a')));

test('LAB-41 a baseline client without a stored certificate passes over any trusted one', () =>
  passes(certificateEnrolled, over('cert-b', enrolled(), baseline)));

test('LAB-31 a baseline call at the door without certificates passes', () =>
  passes(certificateEnrolled, callOf({ door: 'plain', bank: baseline, evidence: { standing: standingOf() } })));
