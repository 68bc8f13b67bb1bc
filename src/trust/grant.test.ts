import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CertificateOptions, createAuthority, extension } from '../../test/support/certificates.ts';
import { oid, sequence } from '../../test/support/der.ts';
import { judge, judged, NOW } from '../../test/support/judging.ts';
import { type Criteria, findAnchorFacts, type GrantedAnchor, type Qualification } from './index.ts';

const root = createAuthority('Listed Root');
const day = (offset: number) => new Date(NOW.getTime() + offset * 86_400_000);
const qualified = { qualified: true, organizationIdentifier: 'PSDGB-FCA-1', roles: ['AISP'] };
const issue = (options: CertificateOptions = {}) => root.issue({ notBefore: day(-10), ...qualified, ...options });
const leaf = issue();

/** Judges a leaf under one anchor of a list, in a scheme where lists decide. */
function under(grant: Partial<GrantedAnchor>, chain = leaf.chain, missingLists: readonly string[] = []) {
  const anchor = { pem: root.certificatePem, origin: 'trusted list XX', ...grant };
  return judged(chain, [], { grantedAnchors: [anchor], qualified: true, missingLists });
}

const NOT_GRANTED = 'certificate_not_qualified/anchor_not_granted';

test('attack 46 WSN-24 granted at issuance and now, each in a time of its own; withdrawn at either does not count', async () => {
  assert.equal(await under({ granted: [{ from: day(-20) }] }), 'ok');
  assert.equal(await under({ granted: [{ from: day(-20), until: day(-5) }, { from: day(-2) }] }), 'ok');
  assert.equal(await under({ granted: [{ from: day(-20), until: day(1) }] }), 'ok');
  assert.equal(await under({ granted: [{ from: day(-20), until: NOW }] }), NOT_GRANTED);
  assert.equal(await under({ granted: [{ from: day(-20), until: day(-12) }, { from: day(-5) }] }), NOT_GRANTED);
  assert.equal(await under({ granted: [{ from: day(-5) }] }), NOT_GRANTED);
  assert.equal(await under({ granted: [{ from: day(5) }] }), NOT_GRANTED);
  assert.equal(await under({ granted: [] }), NOT_GRANTED);
});

test('attack 66 a list that is out of date, or not at hand, grants nothing and says so', async () => {
  const granted = [{ from: day(-20) }];
  assert.equal(await under({ granted, until: day(1) }), 'ok');
  assert.equal(await under({ granted, until: NOW }), 'certificate_not_qualified/trusted_list_expired');
  const stranger = createAuthority('Stranger').issue(qualified);
  assert.equal(await under({ granted }, stranger.chain), 'certificate_not_qualified/issuer_unknown');
  assert.equal(await under({ granted }, stranger.chain, ['YY']), 'certificate_not_qualified/trusted_list_missing');
  const settings = { grantedAnchors: [], missingLists: ['XX', 'YY'] };
  const refused = await judge(leaf.chain, [], settings);
  assert.deepEqual(!refused.ok && [refused.reason, refused.message], [
    'certificate_untrusted',
    'No known authority issued the certificate, and the trusted lists of XX, YY are not at hand.',
  ]);
  // Time and form are said as they are elsewhere.
  const old = issue({ notAfter: day(-1) });
  assert.equal(await under({ granted }, old.chain), 'certificate_expired/expired');
});

test('WSN-24 a list vouches for the issuer it names, not for authorities below, unless it names a root', async () => {
  const below = root.createIntermediate('Below').issue({ notBefore: day(-10), ...qualified });
  const granted = [{ from: day(-20) }];
  assert.equal(await under({ granted, issuingOnly: true }), 'ok');
  assert.equal(await under({ granted, issuingOnly: true }, below.chain), NOT_GRANTED);
  assert.equal(await under({ granted }, below.chain), 'ok');
});

test('attack 58 a verdict ends with the list and with the time of the grant', async () => {
  const untilOf = async (grant: Partial<GrantedAnchor>) => {
    const grantedAnchors = [{ pem: root.certificatePem, origin: 'trusted list XX', ...grant }];
    const verdict = await judge(leaf.chain, [], { grantedAnchors });
    return verdict.ok ? verdict.validUntil : undefined;
  };
  assert.deepEqual(await untilOf({ until: day(2), granted: [{ from: day(-20), until: day(1) }] }), day(1));
  assert.deepEqual(await untilOf({ until: day(2), granted: [{ from: day(-20), until: day(3) }] }), day(2));
  assert.deepEqual(await untilOf({ until: day(2), granted: [{ from: day(-20) }] }), day(2));
});

const NOTHING: Criteria = {
  assert: 'all',
  keyUsages: [],
  policies: [],
  extendedKeyUsages: [],
  subjectAttributes: [],
  nested: [],
  unknown: 0,
};
const policy = '1.2.3.4';
const withPolicy = issue({ extensions: [extension('2.5.29.32', sequence(sequence(oid(policy))))] });

/** Judges under qualifiers for those who meet the criteria. */
function qualifiedBy(criteria: Partial<Criteria>, qualifiers: Qualification['qualifiers'], of = withPolicy) {
  const qualifications = [{ qualifiers, criteria: { ...NOTHING, ...criteria } }];
  return under({ granted: [{ from: day(-20), qualifications }] }, of.chain);
}

test('WSN-24 a list takes the status from those certificates that meet its criteria, and from those nobody can tell', async () => {
  const met: readonly Partial<Criteria>[] = [
    {},
    { policies: [[policy]] },
    {
      keyUsages: [
        [
          { bit: 0, value: true },
          { bit: 1, value: false },
        ],
      ],
    },
    { extendedKeyUsages: [['1.3.6.1.5.5.7.3.2']] },
    { subjectAttributes: [['2.5.4.97']] },
    { assert: 'atLeastOne', policies: [['1.9'], [policy]] },
    { assert: 'none', policies: [['1.9']] },
    { nested: [{ ...NOTHING, policies: [[policy]] }] },
    { unknown: 1 },
    { assert: 'atLeastOne', unknown: 1, policies: [['1.9']] },
    { assert: 'none', unknown: 1 },
  ];
  for (const criteria of met)
    assert.equal(await qualifiedBy(criteria, ['not-qualified']), NOT_GRANTED, JSON.stringify(criteria));
  const unmet: readonly Partial<Criteria>[] = [
    { policies: [['1.9']] },
    { policies: [[policy, '1.9']] },
    { keyUsages: [[{ bit: 0, value: false }]] },
    { extendedKeyUsages: [['1.3.6.1.5.5.7.3.1']] },
    { subjectAttributes: [['2.5.4.5']] },
    { assert: 'atLeastOne', policies: [['1.9']] },
    { assert: 'atLeastOne' },
    { assert: 'none', policies: [[policy]] },
    { unknown: 1, policies: [['1.9']] },
  ];
  for (const criteria of unmet)
    assert.equal(await qualifiedBy(criteria, ['not-qualified']), 'ok', JSON.stringify(criteria));
  assert.equal(await qualifiedBy({ policies: [[policy]] }, ['not-qualified'], leaf), 'ok');
  const broken = issue({ extensions: [extension('2.5.29.32', sequence(oid(policy)))] });
  assert.equal(await qualifiedBy({ policies: [['1.9']] }, ['not-qualified'], broken), NOT_GRANTED);
});

test('WSN-24 a list that calls a certificate another kind than the use overrides what it says of itself', async () => {
  assert.equal(await qualifiedBy({}, ['eseal']), NOT_GRANTED);
  assert.equal(await qualifiedBy({}, ['esign']), NOT_GRANTED);
  assert.equal(await qualifiedBy({}, ['web']), 'ok');
  assert.equal(await qualifiedBy({}, ['web', 'eseal']), 'ok');
  assert.equal(await qualifiedBy({}, []), 'ok');
  assert.equal(await qualifiedBy({}, ['web', 'not-qualified']), NOT_GRANTED);
});

test('WSN-24 a kind that a certificate only may have does not outweigh another one that it has', async () => {
  const said = (qualifiers: Qualification['qualifiers'], criteria: Partial<Criteria> = {}): Qualification => ({
    qualifiers,
    criteria: { ...NOTHING, ...criteria },
  });
  const of = (...qualifications: readonly Qualification[]) =>
    under({ granted: [{ from: day(-20), qualifications }] }, withPolicy.chain);
  assert.equal(await of(said(['esign']), said(['web'], { unknown: 1 })), NOT_GRANTED);
  assert.equal(await of(said(['esign'], { unknown: 1 }), said(['web'], { unknown: 1 })), NOT_GRANTED);
  assert.equal(await of(said(['esign']), said(['web'])), 'ok');
  assert.equal(await of(said(['web'], { unknown: 1 })), 'ok');
});

test('§5.5 what can be an anchor is told before it becomes one', () => {
  assert.equal(findAnchorFacts(new Uint8Array([0x30, 0])), undefined);
  assert.equal(findAnchorFacts(leaf.der)?.authority, false);
  const facts = findAnchorFacts(root.der);
  assert.deepEqual([facts?.authority, facts?.subject, facts?.pem], [true, 'CN=Listed Root', root.certificatePem]);
});
