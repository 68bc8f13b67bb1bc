import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { bitString, integer, sequence } from '../../test/support/der.ts';
import { judge, NOW } from '../../test/support/judging.ts';
import { createTrust, type TrustScheme } from './index.ts';
import { judgeChain } from './judge.ts';
import { compileScheme } from './scheme.ts';
import { parseCertificate } from './x509.ts';

const root = createAuthority('Test Root');
const schemeOf = (...anchors: readonly { readonly certificatePem: string }[]): TrustScheme => ({
  anchors: anchors.map(({ certificatePem }) => certificatePem),
  extendedKeyUsages: ['clientAuth'],
});

function trustAt(start: Date, schemes: Record<string, TrustScheme>) {
  let now = start;
  const trust = createTrust({ clock: { now: () => now }, schemes: new Map(Object.entries(schemes)) });
  const at = (date: Date) => {
    now = date;
  };
  const judged = async (chain: readonly Uint8Array[], bank = 'bank') => {
    const verdict = await trust.judge(chain, bank);
    return verdict.ok ? 'ok' : verdict.detail;
  };
  return { trust, at, judged };
}

test('attack 58 a verdict is never believed past the end of any certificate of its path', async () => {
  const leaf = root.issue({ notAfter: new Date('2026-11-20T12:10:00Z') });
  const { judged, at } = trustAt(NOW, { bank: schemeOf(root) });
  assert.equal(await judged(leaf.chain), 'ok');
  at(new Date('2026-11-20T12:10:00Z'));
  assert.equal(await judged(leaf.chain), 'ok');
  at(new Date('2026-11-20T12:10:01Z'));
  assert.equal(await judged(leaf.chain), 'expired');
});

test('attack 58 a verdict ends with the shortest-lived authority', async () => {
  const end = new Date('2026-11-20T12:05:00Z');
  const leaf = root.createIntermediate('Short', { notAfter: end }).issue();
  const verdict = await judge(leaf.chain, root);
  assert.deepEqual(verdict.ok && verdict.validUntil, end);
});

test('a verdict at hand costs no second evaluation, and parallel first sights share one', async () => {
  const leaf = root.issue();
  const { trust } = trustAt(NOW, { bank: schemeOf(root) });
  const [one, two] = await Promise.all([trust.judge(leaf.chain, 'bank'), trust.judge(leaf.chain, 'bank')]);
  assert.equal(one, two);
  assert.equal(await trust.judge(leaf.chain, 'bank'), one);
});

test('a refusal is kept briefly: a certificate becomes valid when its time comes', async () => {
  const leaf = root.issue({ notBefore: new Date('2026-11-20T12:00:05Z') });
  const { judged, at } = trustAt(NOW, { bank: schemeOf(root) });
  assert.equal(await judged(leaf.chain), 'not_yet_valid');
  at(new Date('2026-11-20T12:00:15Z'));
  assert.equal(await judged(leaf.chain), 'ok');
});

test('attack 58 a leaf without its intermediate does not spoil the verdict of the whole chain', async () => {
  const leaf = root.createIntermediate('Issuing').issue();
  const { judged } = trustAt(NOW, { bank: schemeOf(root) });
  assert.equal(await judged([leaf.der]), 'issuer_unknown');
  assert.equal(await judged(leaf.chain), 'ok');
  assert.equal(await judged([leaf.der]), 'issuer_unknown');
});

test('WSN-04 no chain at all is no certificate', async () => {
  const { judged } = trustAt(NOW, { bank: schemeOf(root) });
  assert.equal(await judged([]), 'certificate_absent');
  const { verdict } = judgeChain([], compileScheme(schemeOf(root)), NOW);
  assert.equal(verdict.ok ? 'ok' : verdict.detail, 'certificate_absent');
});

test('banks trust their own anchors alone', async () => {
  const other = createAuthority('Other Root');
  const leaf = root.issue();
  const { judged } = trustAt(NOW, { bank: schemeOf(root), other: schemeOf(other) });
  assert.equal(await judged(leaf.chain, 'bank'), 'ok');
  assert.equal(await judged(leaf.chain, 'other'), 'issuer_unknown');
  assert.equal(await judged(leaf.chain, 'nobody'), 'scheme_missing');
  assert.equal(await judged([], 'nobody'), 'scheme_missing');
});

test('replaced anchors take effect on the next judgement, without restart', async () => {
  const other = createAuthority('Other Root');
  const leaf = root.issue();
  const { trust, judged } = trustAt(NOW, { bank: schemeOf(root), beside: schemeOf(root) });
  assert.equal(await judged(leaf.chain), 'ok');
  trust.replaceScheme('bank', schemeOf(other));
  assert.equal(await judged(leaf.chain), 'issuer_unknown');
  assert.equal(await judged(leaf.chain, 'beside'), 'ok');
  trust.replaceScheme('bank', schemeOf(other, root));
  assert.equal(await judged(leaf.chain), 'ok');
  trust.replaceScheme('new', schemeOf(root));
  assert.equal(await judged(leaf.chain, 'new'), 'ok');
});

test('anchors of files and of trusted lists are replaced each without the other; without any left nobody gets in', async () => {
  const listed = createAuthority('Listed');
  const [own, foreign] = [root.issue(), listed.issue()];
  const { trust, judged } = trustAt(NOW, { bank: schemeOf(root) });
  assert.equal(await judged(foreign.chain), 'issuer_unknown');
  trust.replaceAnchors('bank', { grantedAnchors: [{ pem: listed.certificatePem, origin: 'trusted list XX' }] });
  assert.deepEqual([await judged(own.chain), await judged(foreign.chain)], ['ok', 'ok']);
  trust.replaceAnchors('bank', { anchors: [] });
  assert.deepEqual([await judged(own.chain), await judged(foreign.chain)], ['issuer_unknown', 'ok']);
  assert.throws(() => trust.replaceAnchors('bank', { anchors: ['nonsense'] }), /bank bank: trust scheme: anchor 1/);
  assert.throws(() => trust.replaceAnchors('nobody', { anchors: [] }), /bank nobody/);
  assert.equal(await judged(foreign.chain), 'ok');
  trust.replaceAnchors('bank', { grantedAnchors: [] });
  assert.deepEqual([await judged(own.chain), await judged(foreign.chain)], ['issuer_unknown', 'issuer_unknown']);
});

test('a scheme that is not sound is refused by name, and the old one stays', async () => {
  const leaf = root.issue();
  const { trust, judged } = trustAt(NOW, { bank: schemeOf(root) });
  const bad: readonly (readonly [Partial<TrustScheme>, RegExp])[] = [
    [{ anchors: [] }, /bank bank: trust scheme: no anchor/],
    [{ anchors: [''] }, /anchor 1 cannot be read \(pem\)/],
    [{ anchors: Array.from({ length: 2_001 }, () => root.certificatePem) }, /more than 2000 anchors/],
    [{ anchors: [root.certificatePem, 'nonsense'] }, /anchor 2 cannot be read \(pem\)/],
    [{ anchors: [`x${root.certificatePem}`] }, /anchor 1 cannot be read \(pem\)/],
    [{ anchors: [root.certificatePem.replace('M', '*')] }, /anchor 1 cannot be read \(pem\)/],
    [{ anchors: [root.certificatePem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')] }, /anchor 1/],
    [{ extendedKeyUsages: ['clientAuht'] }, /extended key usage "clientAuht"/],
  ];
  for (const [wrong, message] of bad) {
    assert.throws(() => trust.replaceScheme('bank', { ...schemeOf(root), ...wrong }), message);
  }
  assert.throws(() => createTrust({ clock: { now: () => NOW }, schemes: new Map([['x', schemeOf()]]) }), /bank x/);
  assert.equal(await judged(leaf.chain), 'ok');
  trust.replaceScheme(
    'bank',
    schemeOf({ certificatePem: `${root.certificatePem}\n${createAuthority('B').certificatePem}` }),
  );
  assert.equal(await judged(leaf.chain), 'ok');
});

test('F7 attack 30 a malleated signature gives another thumbprint, but the same issuer, serial and key', async () => {
  const leaf = root.issue();
  const parsed = parseCertificate(leaf.der);
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const [r, s] = integersOf(parsed.signature);
  const twin = sequence(parsed.tbs, parsed.signatureAlgorithm, bitString(sequence(integer(r), integer(order - s))));
  assert.notDeepEqual(twin, leaf.der);
  assert.equal(verify('sha256', parsed.tbs, root.certificatePem, parseCertificate(twin).signature), true);
  const [one, other] = [await judge([leaf.der], root), await judge([twin], root)];
  assert.ok(one.ok && other.ok);
  assert.notEqual(one.certificate.thumbprint, other.certificate.thumbprint);
  assert.equal(one.certificate.spkiSha256, other.certificate.spkiSha256);
  assert.equal(one.certificate.serial, other.certificate.serial);
  const { issuer, serial, spkiSha256 } = one.certificate;
  for (const denied of [{ issuer, serial }, { spkiSha256 }])
    for (const der of [leaf.der, twin]) {
      const verdict = await judge([der], root, { denied: [denied] });
      assert.ok(!verdict.ok && verdict.detail === 'denied');
    }
});

function integersOf(signature: Uint8Array): readonly [bigint, bigint] {
  const bytes = Buffer.from(signature);
  const length = bytes[3] ?? 0;
  const value = (from: number, octets: number) => BigInt(`0x${bytes.subarray(from, from + octets).toString('hex')}`);
  return [value(4, length), value(6 + length, bytes[5 + length] ?? 0)];
}
