import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { at, crl, type OcspOptions, ocspResponse } from '../../test/support/revocation.ts';
import { bankOf } from '../../test/support/revoking-bank.ts';

const OCSP = 'http://ocsp.example/';
const root = createAuthority('Test Root');
const leaf = root.issue({ ocspUrls: [OCSP] });
const ocsp = (options: OcspOptions = {}) => ocspResponse(root, leaf, { nextUpdate: at(60), ...options });
const REVOKED = 'certificate_revoked/revoked';

test('attack 55 a silent responder does not bring a withdrawn certificate back, also where reads need no answer', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp({ status: 'revoked', reason: 1 }));
  assert.equal(await bank.softly(leaf), REVOKED);
  bank.set(OCSP, 'down');
  bank.at(at(3_600));
  assert.equal(await bank.softly(leaf), REVOKED);
  assert.equal(await bank.judge(leaf), REVOKED);
  const other = root.issue({ ocspUrls: [OCSP] });
  assert.equal(await bank.softly(other), 'ok by soft');
});

test('attack 47 a hold is not remembered beyond the answer that says so', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp({ status: 'revoked', reason: 6 }));
  assert.equal(await bank.softly(leaf), REVOKED);
  bank.set(OCSP, 'down');
  bank.at(at(3_600));
  assert.equal(await bank.softly(leaf), 'ok by soft');
});

test('what the authority says later, or an operator who forgets everything, undoes it', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp({ status: 'revoked' }));
  assert.equal(await bank.softly(leaf), REVOKED);
  bank.at(at(100));
  bank.set(OCSP, ocsp({ thisUpdate: at(90), producedAt: at(90), nextUpdate: at(160) }));
  assert.equal(await bank.softly(leaf), 'ok by ocsp');
  bank.set(OCSP, 'down');
  bank.at(at(3_600));
  assert.equal(await bank.softly(leaf), 'ok by soft');
  const forgetful = bankOf(root);
  forgetful.set(OCSP, ocsp({ status: 'revoked' }));
  assert.equal(await forgetful.softly(leaf), REVOKED);
  forgetful.set(OCSP, 'down');
  await forgetful.trust.forget();
  assert.equal(await forgetful.softly(leaf), 'ok by soft');
});

test('a list that named a certificate counts beyond its end while no other one comes', async () => {
  const CRL = 'http://crl.example/a.crl';
  const listed = root.issue({ crlUrls: [CRL] });
  const bank = bankOf(root);
  bank.set(CRL, crl(root, [listed.serial], { nextUpdate: at(60) }));
  assert.equal(await bank.softly(listed), REVOKED);
  bank.at(at(3_600));
  assert.equal(await bank.softly(listed), REVOKED);
});
