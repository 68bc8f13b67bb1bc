import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CertificateOptions, createAuthority } from '../../test/support/certificates.ts';
import { oid, sequence, tagged } from '../../test/support/der.ts';
import { crl, ocspResponse } from '../../test/support/revocation.ts';
import { bankOf } from '../../test/support/revoking-bank.ts';

const OCSP = 'http://ocsp.example/';
const CA_CRL = 'http://crl.example/root.crl';
const root = createAuthority('Test Root');
const issuing = root.createIntermediate('Issuing', { crlUrls: [CA_CRL] });
const both = { ocspUrls: [OCSP], crlUrls: ['http://crl.example/a.crl'] };

test('an explanation lists every check, also behind the first refusal', async () => {
  const bank = bankOf(root);
  const bad = root.issue({
    ...both,
    extendedKeyUsages: ['serverAuth'],
    roles: ['AISP'],
    organizationIdentifier: 'PSDGB-FCA-1',
  });
  const { certificates, checks, path, verdict } = await bank.trust.explain(bad.chain, 'bank');
  assert.equal(verdict.ok, false);
  assert.deepEqual(path, ['CN=Test Participant,organizationIdentifier=PSDGB-FCA-1', 'CN=Test Root']);
  assert.deepEqual(certificates[0]?.roles, ['AISP']);
  assert.deepEqual(
    checks.map(({ check, ok, detail }) => [check, ok, detail]),
    [
      ['parse', true, 'parsed'],
      ['key', true, 'key_accepted'],
      ['path', true, 'path_found'],
      ['purpose', false, 'eku'],
      ['deny list', true, 'not_denied'],
      ['revocation', false, 'unavailable'],
    ],
  );
  const junk = await bank.trust.explain([Buffer.from('junk')], 'bank');
  assert.deepEqual(
    junk.checks.map(({ ok, detail }) => [ok, detail]),
    [[false, 'der_length']],
  );
  await assert.rejects(bank.trust.explain(bad.chain, 'nobody'), /no such bank/);
});

test('an explanation says whether a certificate is qualified under the law of the Union', async () => {
  const bank = bankOf(root, 'off');
  const foreign = sequence(oid('0.4.0.1862.1.7'), sequence(tagged(0x13, Buffer.from('CH'))));
  const qualified = async (options: CertificateOptions) =>
    (await bank.trust.explain(root.issue(options).chain, 'bank')).certificates[0]?.qualified;
  assert.equal(await qualified({ qcType: 'web', qualified: true }), true);
  assert.equal(await qualified({ qcType: 'web', qualified: true, statements: [foreign] }), false);
  assert.equal(await qualified({ qcType: 'web' }), false);
});

test('an explanation shows a bad issuer, a denied key and a responder’s word', async () => {
  const chain = issuing.issue({ ...both, roles: ['Unspecified'], organizationIdentifier: 'PSDGB-FCA-1' });
  const bank = bankOf(root);
  bank.set(OCSP, ocspResponse(issuing, chain));
  bank.set(CA_CRL, crl(root, []));
  const details = async (...extra: readonly Uint8Array[]) => {
    const { checks } = await bank.trust.explain([...chain.chain, ...extra], 'bank');
    return checks.filter(({ ok }) => !ok).map(({ check, detail }) => `${check} ${detail}`);
  };
  assert.deepEqual(await details(), []);
  assert.deepEqual(await details(Buffer.from('junk')), ['parse der_length']);
  const { checks } = await bank.trust.explain(chain.chain, 'bank');
  assert.match(checks.find(({ check }) => check === 'purpose')?.message ?? '', /roles none/);
  assert.match(checks.at(-1)?.message ?? '', /CN=Issuing: by crl, as of 2026-11-20/);
  const stranger = createAuthority('Stranger').issue({ keyType: 'rsa1024' });
  const strange = await bank.trust.explain(stranger.chain, 'bank');
  assert.deepEqual(
    strange.checks.filter(({ ok }) => !ok).map(({ check, detail }) => `${check} ${detail}`),
    ['key algorithm_policy', 'path algorithm_policy'],
  );
  const denied = [{ issuer: 'CN=Test Root', serial: issuing.serial.toString(16) }];
  bank.trust.replaceScheme('bank', { anchors: [root.certificatePem], extendedKeyUsages: [], denied });
  assert.deepEqual(await details(), ['deny list denied']);
});
