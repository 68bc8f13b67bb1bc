import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { judge, NOW } from '../../test/support/judging.ts';
import { crl } from '../../test/support/revocation.ts';
import { bankOf } from '../../test/support/revoking-bank.ts';
import { type CertificateVerdict, verdictFacts } from './index.ts';
import { parseCertificate, serialText } from './x509.ts';

const root = createAuthority('Test Root');
const EARLIER = new Date(NOW.getTime() - 60_000);

/** The record names the check, the certificate that failed, and what would have been right. */
function blamed(verdict: CertificateVerdict, check: string, at: Issued | undefined, expected: RegExp): void {
  assert.ok(!verdict.ok);
  const facts = verdictFacts(verdict);
  assert.equal(facts.certificateCheck, check);
  assert.match(String(facts.expected), expected);
  const thumbprint = at === undefined ? null : parseCertificate(at.der).thumbprint;
  assert.equal(facts.failedThumbprint, thumbprint);
  assert.equal(facts.failedSerial, at === undefined ? null : serialText(parseCertificate(at.der).serial));
  assert.doesNotMatch(verdict.message, /thumbprint|[0-9a-f]{16}/);
}

test('a refusal names the authority that failed, not the certificate below it', async () => {
  const old = root.createIntermediate('Old', { notAfter: EARLIER });
  blamed(await judge(old.issue().chain, root), 'path', old, /notAfter has not passed/);
  const leaf = root.issue();
  const below = [root.issue({ commonName: 'below' }).der, leaf.der];
  assert.equal((await judge(below, root)).ok, true);
});

test('a refusal names the caller’s own certificate when nobody else is to blame', async () => {
  const expired = root.issue({ notAfter: EARLIER });
  blamed(await judge(expired.chain, root), 'path', expired, /notAfter/);
  const stranger = createAuthority('Stranger').issue();
  blamed(await judge(stranger.chain, root), 'path', stranger, /ends at an anchor of this bank/);
  const rogue = createAuthority('Test Root').issue();
  blamed(await judge([rogue.der], root), 'path', rogue, /signature was made by the authority/);
  const mail = root.issue({ extendedKeyUsages: ['emailProtection'] });
  blamed(await judge(mail.chain, root), 'purpose', mail, /extended key usages that the bank asks for/);
});

test('what cannot be read is told without a certificate, and nothing is told of none', async () => {
  blamed(await judge([Buffer.from('nonsense')], root), 'parse', undefined, /canonical DER/);
  blamed(await judge([], root), 'presentation', undefined, /in the handshake/);
});

test('a denied key and a withdrawn authority are named', async () => {
  const issuing = root.createIntermediate('Issuing', { crlUrls: ['http://crl.example/a'] });
  const leaf = issuing.issue({ crlUrls: ['http://crl.example/b'] });
  const { spkiSha256 } = parseCertificate(issuing.der);
  blamed(await judge(leaf.chain, root, { denied: [{ spkiSha256 }] }), 'deny list', issuing, /not denied/);
  const bank = bankOf(root);
  bank.set('http://crl.example/a', crl(root, [issuing.serial]));
  bank.set('http://crl.example/b', crl(issuing, []));
  blamed(await bank.trust.judge(leaf.chain, 'bank'), 'revocation', issuing, /authorities that their issuers have not/);
  const silent = root.issue({ ocspUrls: ['http://nobody.example/'] });
  blamed(await bank.trust.judge(silent.chain, 'bank'), 'revocation', silent, /current and properly signed answer/);
});

test('WSO-07 the record of a request says how its certificate was cleared, or that nobody asked', async () => {
  const off = bankOf(root, 'off');
  const leaf = root.issue();
  const { thumbprint } = parseCertificate(leaf.der);
  assert.deepEqual(verdictFacts(await off.trust.judge(leaf.chain, 'bank')), { thumbprint, revocation: 'off' });
  const listed = root.issue({ crlUrls: ['http://crl.example/a'] });
  const bank = bankOf(root);
  bank.set('http://crl.example/a', crl(root, []));
  assert.equal(verdictFacts(await bank.trust.judge(listed.chain, 'bank')).revocation, 'crl');
  const silent = root.issue({ crlUrls: ['http://crl.example/none'] });
  const soft = await bank.trust.judge(silent.chain, 'bank', { revocation: 'soft' });
  assert.equal(verdictFacts(soft).revocation, 'soft');
  assert.deepEqual(verdictFacts(undefined), { thumbprint: null, revocation: null });
});
