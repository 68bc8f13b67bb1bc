import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, certificateOf, createWorld, passes, refusalOf, trusted } from '../../../test/support/gateway.ts';
import type { CertificateReason } from '../../trust/index.ts';
import { certificateTrusted } from './certificate-trusted.ts';

const reasons: readonly CertificateReason[] = [
  'certificate_missing',
  'certificate_malformed',
  'certificate_untrusted',
  'certificate_expired',
  'certificate_not_yet_valid',
  'certificate_revoked',
  'revocation_unavailable',
  'revocation_unknown',
  'revocation_info_missing',
  'certificate_not_qualified',
  'certificate_wrong_purpose',
];

for (const reason of reasons)
  test(`N-38 a verdict of ${reason} is refused with 401 and that reason`, async () => {
    const world = createWorld();
    const certificate = certificateOf('cert-x');
    world.verdict = () => ({ ok: false, reason, detail: 'finer', message: 'Change it.', certificate });
    const call = callOf();
    const refusal = await refusalOf(certificateTrusted, call, world);
    assert.equal(refusal.code, reason);
    assert.equal(refusal.status, 401);
    assert.equal(refusal.detail, 'finer');
    assert.equal(call.evidence.certificate, certificate, 'the record names the refused certificate');
  });

test('N-34 a certificate header that cannot be read is refused with 400', async () => {
  const world = createWorld();
  world.verdict = () => ({
    ok: false,
    reason: 'header_invalid',
    detail: 'two',
    message: 'One.',
    certificate: undefined,
  });
  assert.equal((await refusalOf(certificateTrusted, callOf(), world)).status, 400);
});

test('LAB-35 the door without client certificates is no way around a bank that requires them', async () => {
  const world = createWorld();
  world.verdict = () => ({
    ok: false,
    reason: 'certificate_missing',
    detail: 'none',
    message: 'No.',
    certificate: undefined,
  });
  const refusal = await refusalOf(certificateTrusted, callOf({ door: 'plain' }), world);
  assert.equal(refusal.code, 'certificate_missing');
});

test('LAB-31 the mTLS door asks for a certificate even of a bank that does not require one', async () => {
  const world = createWorld();
  world.verdict = () => ({
    ok: false,
    reason: 'certificate_missing',
    detail: 'none',
    message: 'No.',
    certificate: undefined,
  });
  const call = callOf({ bank: { requireClientCertificate: false } });
  assert.equal((await refusalOf(certificateTrusted, call, world)).code, 'certificate_missing');
});

test('LAB-31 no certificate is needed where door and bank ask for none', async () => {
  const world = createWorld();
  const call = callOf({ door: 'plain', bank: { requireClientCertificate: false } });
  await passes(certificateTrusted, call, world);
  assert.deepEqual(world.asked, []);
  assert.equal(call.evidence.certificate, undefined);
});

test('a trusted certificate becomes evidence', async () => {
  const world = createWorld();
  const certificate = certificateOf('cert-a');
  world.verdict = () => trusted(certificate);
  const call = callOf();
  await passes(certificateTrusted, call, world);
  assert.equal(call.evidence.certificate, certificate);
});
