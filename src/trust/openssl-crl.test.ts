import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, extension, type Issued } from '../../test/support/certificates.ts';
import { boolean, integer, nothing, octetString, sequence, tagged, time } from '../../test/support/der.ts';
import { opensslOpinions } from '../../test/support/openssl.ts';
import { at, type CrlOptions, crl, crlEntry, issuingDistributionPoint } from '../../test/support/revocation.ts';
import { bankOf } from '../../test/support/revoking-bank.ts';

const CRL = 'http://crl.example/a.crl';
const root = createAuthority('Test Root');
const twin = createAuthority('Test Root');
const stranger = createAuthority('Stranger');
const leaf = root.issue({ crlUrls: [CRL] });

const UNUSABLE = 'revocation_unavailable/revocation_unavailable';
const REVOKED = 'certificate_revoked/revoked';
const GOOD = 'ok by crl';
const point = (...input: Parameters<typeof issuingDistributionPoint>): CrlOptions => ({
  extensions: [issuingDistributionPoint(...input)],
});
const clean = (options: CrlOptions, issuer: Issued = root) => crl(issuer, [], options);
const entries = (...list: readonly Uint8Array[]) => crl(root, [], { entries: list });
const invalidity = extension('2.5.29.24', tagged(0x18, Buffer.from('20260101000000Z')));

/** Lists with what we say and what openssl says; where we are stricter, the reason stands beside. */
const cases: readonly (readonly [name: string, list: Uint8Array, ours: string, openssl: RegExp, stricter?: string])[] =
  [
    ['clean', clean({}), GOOD, /^OK$/],
    ['without number', clean({ number: null }), GOOD, /^OK$/],
    ['of others', crl(root, [leaf.serial + 1n, 5n]), GOOD, /^OK$/],
    ['that names it', crl(root, [3n, leaf.serial, 5n]), REVOKED, /^certificate revoked$/],
    ['that names it with a reason', entries(crlEntry(leaf.serial, 1)), REVOKED, /^certificate revoked$/],
    ['that names it with more', entries(crlEntry(leaf.serial, 1, invalidity)), REVOKED, /^certificate revoked$/],
    ['that holds it', entries(crlEntry(leaf.serial, 6)), REVOKED, /^certificate revoked$/],
    ['out of date', clean({ nextUpdate: at(-1) }), UNUSABLE, /^CRL has expired$/],
    ['out of date that names it', crl(root, [leaf.serial], { nextUpdate: at(-1) }), UNUSABLE, /expired.*revoked$/],
    ['from the future', clean({ thisUpdate: at(600) }), UNUSABLE, /^CRL is not yet valid$/],
    ['of another issuer', clean({}, stranger), UNUSABLE, /^unable to get certificate CRL$/],
    ['of a twin', clean({}, twin), UNUSABLE, /^CRL signature failure$/],
    ['of a part, the right one', clean(point(CRL)), GOOD, /^OK$/],
    ['of a part, another one', clean(point('http://crl.example/b.crl')), UNUSABLE, /CRL scope|get certificate CRL/],
    ['for users', clean(point(undefined, [1])), GOOD, /^OK$/],
    ['for authorities', clean(point(undefined, [2])), UNUSABLE, /CRL scope|get certificate CRL/],
    ['for attributes', clean(point(undefined, [5])), UNUSABLE, /CRL scope|get certificate CRL/],
    ['for some reasons', clean(point(CRL, [], Buffer.from([6, 0x40]))), UNUSABLE, /CRL scope|get certificate CRL/],
    ['that is indirect', clean(point(CRL, [4])), UNUSABLE, /CRL scope|get certificate CRL/],
    [
      'that is a delta',
      clean({ extensions: [extension('2.5.29.27', integer(1), true)] }),
      UNUSABLE,
      /^OK$/,
      '§9.3: a delta list leaves out what its base list names',
    ],
    [
      'with a critical extension nobody knows',
      clean({ extensions: [extension('1.2.3.4', nothing, true)] }),
      UNUSABLE,
      /critical/,
    ],
    [
      'with a critical entry extension nobody knows',
      entries(crlEntry(7n, 1, extension('1.2.3.4', nothing, true))),
      UNUSABLE,
      /critical/,
    ],
    ['without end', clean({ nextUpdate: null }), UNUSABLE, /^OK$/, '§9.3: nextUpdate is mandatory'],
    ['of version 1', version1(), UNUSABLE, /^OK$/, '§9.3: a list without extensions says nothing of its scope'],
    ['signed with SHA-1', clean({ digest: 'sha1' }), UNUSABLE, /^OK$/, '§7.2: SHA-1 does not count in lists either'],
    [
      'with an encoded default',
      entries(sequence(integer(7), time(at(-3600)), sequence(falseExtension()))),
      UNUSABLE,
      /^OK$/,
      '§5.1: strict DER',
    ],
  ];

function falseExtension(): Buffer {
  return sequence(Buffer.from('06032a0304', 'hex'), boolean(false), octetString(nothing));
}

function version1(): Buffer {
  return crl(root, [], { version: Buffer.alloc(0), number: null });
}

for (const [name, list, expected, words, stricter] of cases) {
  test(`attack 57 a list ${name}: our word and openssl’s`, async () => {
    const bank = bankOf(root, { order: 'crl-only' });
    bank.set(CRL, list);
    const own = await bank.judge(leaf);
    assert.equal(own, expected);
    const [opinion = ''] = opensslOpinions([leaf.der], { anchors: [root.der], lists: [list] });
    assert.match(opinion, words);
    if (opinion !== 'OK' || stricter === undefined) assert.equal(own === GOOD, opinion === 'OK');
    else assert.notEqual(own, GOOD, stricter);
  });
}
