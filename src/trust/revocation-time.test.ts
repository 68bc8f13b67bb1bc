import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { at, crl, crlEntry, type OcspOptions, ocspResponse } from '../../test/support/revocation.ts';
import { bankOf } from '../../test/support/revoking-bank.ts';

const OCSP = 'http://ocsp.example/';
const CRL = 'http://crl.example/a.crl';
const root = createAuthority('Test Root');
const both = { ocspUrls: [OCSP], crlUrls: [CRL] };
const leaf = root.issue(both);
const CLEAN = crl(root, []);
/** On hold: unlike a withdrawal for good it is not remembered beyond its list. */
const HELD = [crlEntry(leaf.serial, 6)];
const UNAVAILABLE = 'revocation_unavailable/revocation_unavailable';
const ocsp = (options: OcspOptions = {}) => ocspResponse(root, leaf, options);

test('attack 58 a verdict ends with the answer it rests on', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp({ nextUpdate: at(600) }));
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  bank.set(OCSP, 'down');
  bank.at(at(300));
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  assert.equal(bank.asked.length, 1);
  bank.at(at(599));
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  bank.at(at(600));
  assert.equal(await bank.judge(leaf), UNAVAILABLE);
});

test('attack 58 an answer is believed no longer than the configured bound, and never past its own age', async () => {
  const bank = bankOf(root, { ocspMaximumAgeSeconds: 60 });
  bank.set(OCSP, ocsp({ nextUpdate: at(86_400) }));
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  bank.set(OCSP, ocsp({ status: 'revoked', nextUpdate: at(86_400) }));
  bank.at(at(61));
  assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
});

test('attack 58 an answer that names no end counts from when it was made, not from when we heard it', async () => {
  const bank = bankOf(root, { order: 'ocsp-only' });
  bank.set(OCSP, ocsp({ thisUpdate: at(-3_000), producedAt: at(-3_000), nextUpdate: null }));
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  bank.set(OCSP, 'down');
  bank.at(at(599));
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  bank.at(at(600));
  assert.equal(await bank.judge(leaf), UNAVAILABLE);
});

test('attack 49 an older answer that is played while a newer one is at hand does not replace it', async () => {
  const bank = bankOf(root, { order: 'ocsp-only' });
  bank.set(OCSP, ocsp({ status: 'revoked', thisUpdate: at(-10), nextUpdate: at(1_000) }));
  assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
  bank.set(OCSP, ocsp({ thisUpdate: at(-500), nextUpdate: at(2_000) }));
  for (const second of [800, 820, 840, 999]) {
    bank.at(at(second));
    assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
    await new Promise(setImmediate);
  }
  assert.ok(bank.asked.length > 1);
});

test('an answer is renewed in the background before it ends', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp({ nextUpdate: at(1000) }));
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  bank.set(OCSP, ocsp({ status: 'revoked', nextUpdate: at(2000) }));
  bank.at(at(760));
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  await new Promise(setImmediate);
  assert.equal(bank.asked.length, 2);
  assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
});

test('attack 58 many questions while an answer is being renewed cause one more', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp({ nextUpdate: at(1000) }));
  await bank.judge(leaf);
  const gate = Promise.withResolvers<Uint8Array>();
  bank.set(OCSP, () => gate.promise);
  for (const second of [760, 800, 840]) {
    bank.at(at(second));
    assert.equal(await bank.judge(leaf), 'ok by ocsp');
  }
  assert.equal(bank.asked.length, 2);
  gate.resolve(ocsp({ status: 'revoked', nextUpdate: at(2000) }));
  await bank.becomes(leaf, 'certificate_revoked/revoked');
});

test('attack 58 more dead lists than are remembered are asked again, and nothing else', async () => {
  const bank = bankOf(root, { order: 'crl-only' });
  const { key } = leaf;
  const certificates = Array.from({ length: 502 }, (_, index) => root.issue({ key, crlUrls: [`${CRL}${index}`] }));
  for (const issued of certificates) assert.equal(await bank.judge(issued), UNAVAILABLE);
  assert.equal(bank.asked.length, 502);
});

test('a list is renewed in the background, and what it newly names is refused at once', async () => {
  const bank = bankOf(root, { order: 'crl-only' });
  bank.set(CRL, crl(root, [], { nextUpdate: at(1000), number: 1n }));
  assert.equal(await bank.judge(leaf), 'ok by crl');
  bank.set(CRL, crl(root, [leaf.serial], { nextUpdate: at(2000), number: 2n }));
  bank.at(at(760));
  assert.equal(await bank.judge(leaf), 'ok by crl');
  await bank.becomes(leaf, 'certificate_revoked/revoked');
});

test('attack 57 a list that is older than the one before does not count', async () => {
  const bank = bankOf(root, { order: 'crl-only', crlMaximumAgeSeconds: 100 });
  bank.set(CRL, crl(root, [], { entries: HELD, number: 5n }));
  assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
  bank.at(at(101));
  bank.set(CRL, crl(root, [], { number: 4n }));
  assert.equal(await bank.judge(leaf), UNAVAILABLE);
  bank.at(at(140));
  bank.set(CRL, crl(root, [], { number: null }));
  assert.equal(await bank.judge(leaf), UNAVAILABLE);
  bank.at(at(180));
  bank.set(CRL, crl(root, [], { number: 5n }));
  assert.equal(await bank.judge(leaf), 'ok by crl');
});

test('attack 57 of lists with one number, or without, the older does not count after the newer', async () => {
  for (const number of [null, 7n]) {
    const bank = bankOf(root, { order: 'crl-only', crlMaximumAgeSeconds: 100 });
    bank.set(CRL, crl(root, [], { entries: HELD, number, thisUpdate: at(-60) }));
    assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
    bank.at(at(101));
    bank.set(CRL, crl(root, [], { number, thisUpdate: at(-61) }));
    assert.equal(await bank.judge(leaf), UNAVAILABLE);
    bank.at(at(140));
    bank.set(CRL, crl(root, [], { number, thisUpdate: at(100) }));
    assert.equal(await bank.judge(leaf), 'ok by crl');
  }
});

test('attack 58 the same serial of another issuer is another certificate', async () => {
  const other = createAuthority('Other Root');
  const twin = other.issue({ ...both, serial: leaf.serial });
  const bank = bankOf(root);
  bank.set(OCSP, ocsp());
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  const anchors = [root.certificatePem, other.certificatePem];
  bank.trust.replaceScheme('bank', { anchors, extendedKeyUsages: [], revocation: {} });
  assert.equal(await bank.judge(twin), UNAVAILABLE);
});

test('attack 58 a thundering herd causes one question', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, async () => {
    await new Promise(setImmediate);
    return ocsp();
  });
  const answers = await Promise.all(Array.from({ length: 100 }, () => bank.judge(leaf)));
  assert.deepEqual(new Set(answers), new Set(['ok by ocsp']));
  assert.deepEqual(bank.asked, [OCSP]);
  const lists = bankOf(root, { order: 'crl-only' });
  lists.set(CRL, CLEAN);
  const many = Array.from({ length: 20 }, () => root.issue({ crlUrls: [CRL] }));
  await Promise.all(many.map((issued) => lists.judge(issued)));
  assert.deepEqual(lists.asked, [CRL]);
});

test('attack 58 a dead responder is not asked again for every request', async () => {
  const bank = bankOf(root);
  for (let second = 0; second < 30; second += 1) {
    bank.at(at(second));
    assert.equal(await bank.judge(leaf), UNAVAILABLE);
  }
  assert.equal(bank.asked.length, 2);
});
