import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CertificateOptions, createAuthority } from '../../test/support/certificates.ts';
import { judged, NOW } from '../../test/support/judging.ts';
import { createTrust, type TrustScheme } from './index.ts';

/** The columns of certificates.md §8.5 as data; anchors are the tests' own. */
const SCHEMES = {
  qualifiedWeb: {
    use: 'transport',
    extendedKeyUsages: ['clientAuth'],
    qualified: true,
    qcTypeRequired: true,
    rolesRequired: true,
    statements: { rolesEncoding: 'etsi', authority: 'strict', organizationIdentifier: 'any' },
  },
  qualifiedSeal: {
    use: 'signature',
    extendedKeyUsages: [],
    qualified: true,
    qcTypeRequired: true,
    rolesRequired: true,
    statements: { rolesEncoding: 'etsi', authority: 'strict', organizationIdentifier: 'any' },
  },
  directoryWeb: {
    use: 'transport',
    extendedKeyUsages: ['serverAuth', 'clientAuth'],
    qcTypeRequired: true,
    rolesRequired: true,
    statements: { rolesEncoding: 'flattened', authority: 'relaxed', organizationIdentifier: 'psd' },
  },
  directorySeal: {
    use: 'signature',
    extendedKeyUsages: ['documentSigning'],
    keyUsages: ['digitalSignature', 'nonRepudiation'],
    qcTypeRequired: true,
    rolesRequired: true,
    statements: { rolesEncoding: 'flattened', authority: 'relaxed', organizationIdentifier: 'psd' },
  },
} as const satisfies Record<string, Partial<TrustScheme>>;

const root = createAuthority('Test Root');
const tpp = { organizationIdentifier: 'PSDGB-FCA-1', authorityId: 'GB-FCA', roles: ['AISP'] };
const seal = { ...tpp, qcType: 'eseal', keyUsages: ['digitalSignature', 'nonRepudiation'] } as const;
const CERTIFICATES = {
  qualifiedWeb: { ...tpp, qualified: true },
  qualifiedSeal: { ...seal, qualified: true, extendedKeyUsages: [] },
  directoryWeb: {
    ...tpp,
    organizationIdentifier: 'PSDGB-OB-1',
    extendedKeyUsages: ['serverAuth', 'clientAuth'],
    flattenedRoles: true,
    roles: ['AISP', 'PISP'],
  },
  directorySeal: { ...seal, organizationIdentifier: 'PSDGB-OB-1', extendedKeyUsages: ['1.3.6.1.4.1.311.10.3.12'] },
} as const satisfies Record<string, CertificateOptions>;

/** Expected answers, certificate by scheme. */
const TABLE = {
  qualifiedWeb: ['ok', 'qc_type', 'eku', 'key_usage'],
  qualifiedSeal: ['eku', 'ok', 'eku', 'eku'],
  directoryWeb: ['roles_encoding', 'roles_encoding', 'ok', 'key_usage'],
  directorySeal: ['eku', 'nca_mismatch', 'eku', 'ok'],
} as const;

const names = ['qualifiedWeb', 'qualifiedSeal', 'directoryWeb', 'directorySeal'] as const;
for (const certificate of names) {
  for (const [column, scheme] of names.entries()) {
    test(`attack 41 §8.5 certificate ${certificate} under scheme ${scheme}`, async () => {
      const answer = await judged(root.issue(CERTIFICATES[certificate]).chain, root, SCHEMES[scheme]);
      assert.equal(answer.split('/').at(-1), TABLE[certificate][column]);
    });
  }
}

test('attack 46 and 66 an anchor counts inside the window of its grant, at issuance and now', async () => {
  const day = (offset: number) => new Date(NOW.getTime() + offset * 86_400_000);
  const leaf = root.issue({ notBefore: day(-10) });
  const under = (from: Date | undefined, until: Date | undefined) =>
    judged(leaf.chain, [], { grantedAnchors: [{ pem: root.certificatePem, from, until, origin: 'trusted list XX' }] });
  const refused = 'certificate_untrusted/anchor_not_granted';
  assert.equal(await under(undefined, undefined), 'ok');
  assert.equal(await under(day(-20), day(1)), 'ok');
  assert.equal(await under(day(-20), day(-1)), refused);
  assert.equal(await under(day(-20), NOW), refused);
  assert.equal(await under(day(-5), undefined), refused);
  assert.equal(await under(day(5), undefined), refused);
});

test('attack 58 a verdict ends with the grant of its anchor', async () => {
  const until = new Date(NOW.getTime() + 60_000);
  const grantedAnchors = [{ pem: root.certificatePem, until, origin: 'trusted list XX' }];
  const schemes = new Map([['bank', { anchors: [], grantedAnchors, extendedKeyUsages: [] }]]);
  const verdict = await createTrust({ clock: { now: () => NOW }, schemes }).judge(root.issue().chain, 'bank');
  assert.deepEqual(verdict.ok && verdict.validUntil, until);
});
