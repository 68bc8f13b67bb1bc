import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, extension, type Issued } from '../../test/support/certificates.ts';
import { explicit, implicit, oid, sequence, set, utf8 } from '../../test/support/der.ts';
import {
  at,
  crl,
  crlEntry,
  issuingDistributionPoint,
  type OcspOptions,
  ocspResponse,
  responderOf,
} from '../../test/support/revocation.ts';
import { type Answer, bankOf } from '../../test/support/revoking-bank.ts';

const OCSP = 'http://ocsp.example/';
const CRL = 'http://crl.example/a.crl';
const root = createAuthority('Test Root');
const both = { ocspUrls: [OCSP], crlUrls: [CRL] };
const leaf = root.issue(both);

const ocsp = (options: OcspOptions = {}, issued: Issued = leaf) => ocspResponse(root, issued, options);
const CLEAN = crl(root, []);
const listing = (issued: Issued) => crl(root, [issued.serial]);

const UNAVAILABLE = 'revocation_unavailable/revocation_unavailable';
const table: readonly (readonly [string, Answer, Answer, string])[] = [
  ['good, list not consulted', ocsp(), 'down', 'ok by ocsp'],
  ['revoked', ocsp({ status: 'revoked' }), 'down', 'certificate_revoked/revoked'],
  ['attack 56 revoked, list clean', ocsp({ status: 'revoked' }), CLEAN, 'certificate_revoked/revoked'],
  [
    'attack 47 and 55 unknown, list clean: no silent fall-through',
    ocsp({ status: 'unknown' }),
    CLEAN,
    'revocation_unknown/revocation_unknown',
  ],
  ['attack 55 no answer, list clean', 'down', CLEAN, 'ok by crl'],
  ['no answer, listed', 'down', listing(leaf), 'certificate_revoked/revoked'],
  ['attack 55 no answer, no list', 'down', 'down', UNAVAILABLE],
  ['attack 48 stale answer, no list', ocsp({ nextUpdate: at(-1) }), 'down', UNAVAILABLE],
  ['attack 48 stale answer, list clean', ocsp({ nextUpdate: at(-1) }), CLEAN, 'ok by crl'],
  ['attack 52 forged "good", listed', ocsp({ signer: leaf }), listing(leaf), 'certificate_revoked/revoked'],
  ['attack 52 forged "good", no list', ocsp({ signer: leaf }), 'down', UNAVAILABLE],
  ['attack 57 no answer, expired list', 'down', crl(root, [], { nextUpdate: at(-1) }), UNAVAILABLE],
  ['attack 47 hold', 'down', crl(root, [], { entries: [crlEntry(leaf.serial, 6)] }), 'certificate_revoked/revoked'],
  [
    'attack 47 removeFromCRL',
    'down',
    crl(root, [], { entries: [crlEntry(leaf.serial, 8)] }),
    'certificate_revoked/revoked',
  ],
];

for (const [name, answer, list, expected] of table) {
  test(`§9.1 ${name}`, async () => {
    const bank = bankOf(root);
    bank.set(OCSP, answer);
    bank.set(CRL, list);
    assert.equal(await bank.judge(leaf), expected);
  });
}

test('attack 54 without responder the list decides; without both there is nothing to ask', async () => {
  const listOnly = root.issue({ crlUrls: [CRL] });
  const bank = bankOf(root);
  bank.set(CRL, CLEAN);
  assert.equal(await bank.judge(listOnly), 'ok by crl');
  assert.equal(await bank.judge(root.issue()), 'revocation_info_missing/revocation_info_missing');
  const elsewhere = root.issue({ ocspUrls: ['ldap://x/'], crlUrls: ['ftp://x/'] });
  assert.equal(await bank.judge(elsewhere), 'revocation_info_missing/revocation_info_missing');
});

test('attack 57 distribution points of other issuers or for some reasons only are not enough', async () => {
  const name = explicit(0, explicit(0, implicit(6, Buffer.from(CRL))));
  const points = [
    sequence(name, implicit(1, Buffer.from([6, 0x40]))),
    sequence(name, explicit(2, explicit(4, sequence()))),
  ];
  for (const point of points) {
    const bank = bankOf(root);
    bank.set(CRL, CLEAN);
    const issued = root.issue({ extensions: [extension('2.5.29.31', sequence(point))] });
    assert.equal(await bank.judge(issued), 'revocation_info_missing/revocation_info_missing');
  }
});

test('a scheme without revocation asks nobody', async () => {
  const bank = bankOf(root, 'off');
  assert.equal(await bank.judge(leaf), 'ok by undefined');
  assert.deepEqual(bank.asked, []);
});

test('attack 43 nothing is asked about a certificate without a valid path', async () => {
  const stranger = createAuthority('Stranger');
  const bank = bankOf(root);
  assert.equal(await bank.judge(stranger.issue(both)), 'certificate_untrusted/issuer_unknown');
  assert.equal(await bank.judge(root.issue({ ...both, notAfter: at(-1) })), 'certificate_expired/expired');
  assert.deepEqual(bank.asked, []);
});

test('the order is a setting', async () => {
  const crlFirst = bankOf(root, { order: 'crl-first' });
  crlFirst.set(CRL, CLEAN);
  assert.equal(await crlFirst.judge(leaf), 'ok by crl');
  assert.deepEqual(crlFirst.asked, [CRL]);
  const fallback = bankOf(root, { order: 'crl-first' });
  fallback.set(OCSP, ocsp());
  assert.equal(await fallback.judge(leaf), 'ok by ocsp');
  const ocspOnly = bankOf(root, { order: 'ocsp-only' });
  ocspOnly.set(CRL, CLEAN);
  assert.equal(await ocspOnly.judge(leaf), UNAVAILABLE);
  const crlOnly = bankOf(root, { order: 'crl-only' });
  crlOnly.set(OCSP, ocsp());
  assert.equal(await crlOnly.judge(leaf), UNAVAILABLE);
});

test('an issuer may be set to fall from "unknown" to the list', async () => {
  const bank = bankOf(root, { unknownFallsToCrl: true });
  bank.set(OCSP, ocsp({ status: 'unknown' }));
  bank.set(CRL, CLEAN);
  assert.equal(await bank.judge(leaf), 'ok by crl');
  const alone = bankOf(root, { unknownFallsToCrl: true, order: 'ocsp-only' });
  alone.set(OCSP, ocsp({ status: 'unknown' }));
  assert.equal(await alone.judge(leaf), 'revocation_unknown/revocation_unknown');
});

test('attack 49 a nonce that is required must come back; one that is off is not sent', async () => {
  const required = bankOf(root, { nonce: 'require', order: 'ocsp-only' });
  required.set(OCSP, ocsp());
  assert.equal(await required.judge(leaf), UNAVAILABLE);
  for (const nonce of ['prefer', 'off'] as const) {
    const bank = bankOf(root, { nonce, order: 'ocsp-only', certIdHash: 'sha256' });
    bank.set(OCSP, ocsp());
    assert.equal(await bank.judge(leaf), 'ok by ocsp');
  }
});

test('a soft caller goes on when nobody answers, and never when somebody says no', async () => {
  const bank = bankOf(root);
  assert.equal(await bank.judge(leaf), UNAVAILABLE);
  assert.equal(await bank.softly(leaf), 'ok by soft');
  for (const [status, expected] of [
    ['revoked', 'certificate_revoked/revoked'],
    ['unknown', 'revocation_unknown/revocation_unknown'],
  ] as const) {
    const other = bankOf(root);
    other.set(OCSP, ocsp({ status }));
    assert.equal(await other.softly(leaf), expected);
  }
  assert.equal(await bank.softly(root.issue()), 'revocation_info_missing/revocation_info_missing');
  const good = bankOf(root);
  good.set(OCSP, ocsp());
  assert.equal(await good.softly(leaf), 'ok by ocsp');
});

test('attack 56 "good" does not outweigh a list at hand that names the certificate', async () => {
  const bank = bankOf(root);
  const listOnly = root.issue({ crlUrls: [CRL] });
  bank.set(CRL, listing(leaf));
  assert.equal(await bank.judge(listOnly), 'ok by crl');
  bank.set(OCSP, ocsp());
  assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
});

test('attack 56 a clean list does not outweigh an answer at hand that says "revoked"', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp({ status: 'revoked' }));
  bank.set(CRL, CLEAN);
  assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
  bank.trust.replaceScheme('bank', {
    anchors: [root.certificatePem],
    extendedKeyUsages: [],
    revocation: { order: 'crl-first' },
  });
  assert.equal(await bank.judge(leaf), 'certificate_revoked/revoked');
});

test('attack 52 a responder without nocheck is itself looked up', async () => {
  const signer = responderOf(root, { extensions: [], crlUrls: [CRL] });
  const without = responderOf(root, { extensions: [] });
  const cases: readonly (readonly [Issued, Answer, string])[] = [
    [signer, CLEAN, 'ok by ocsp'],
    [signer, listing(signer), 'ok by crl'],
    [signer, 'down', UNAVAILABLE],
    [without, 'down', UNAVAILABLE],
  ];
  for (const [responder, list, expected] of cases) {
    const bank = bankOf(root);
    bank.set(OCSP, ocsp({ signer: responder }));
    bank.set(CRL, list);
    assert.equal(await bank.judge(leaf), expected);
  }
});

test('attack 52 an answer by the wrong signer is written to the log', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp({ signer: leaf }));
  await bank.judge(leaf);
  const [warning] = bank.warnings;
  const fields = Object(warning);
  assert.equal(fields.code, 'ocsp_signer');
  assert.equal(fields.source, OCSP);
});

const CA_CRL = 'http://crl.example/root.crl';
const issuing = root.createIntermediate('Issuing', { crlUrls: [CA_CRL] });

test('attack 59 a revoked authority ends every certificate below, cached verdicts included', async () => {
  const one = issuing.issue(both);
  const bank = bankOf(root);
  bank.set(OCSP, ocspResponse(issuing, one));
  bank.set(CA_CRL, crl(root, []));
  assert.equal(await bank.judge(one), 'ok by ocsp');
  bank.set(CA_CRL, crl(root, [issuing.serial], { number: 2n }));
  bank.trust.forget();
  assert.equal(await bank.judge(one), 'certificate_revoked/ca_revoked');
  bank.set(OCSP, ocspResponse(issuing, one, { status: 'revoked' }));
  bank.trust.forget();
  assert.equal(await bank.judge(one), 'certificate_revoked/revoked');
});

test('an authority that nobody answers for is refused, unless the scheme does not ask', async () => {
  const one = issuing.issue(both);
  const bank = bankOf(root);
  bank.set(OCSP, ocspResponse(issuing, one));
  assert.equal(await bank.judge(one), UNAVAILABLE);
  const lax = bankOf(root, { authorities: false });
  lax.set(OCSP, ocspResponse(issuing, one));
  assert.equal(await lax.judge(one), 'ok by ocsp');
  const unnamed = root.createIntermediate('Unnamed').issue(both);
  bank.set(OCSP, 'down');
  assert.match(await bank.judge(unnamed), /^revocation_info_missing/);
  const asAnchor = bankOf(issuing);
  asAnchor.set(OCSP, ocspResponse(issuing, one));
  assert.equal(await asAnchor.judge(one), 'ok by ocsp');
});

test('F7 attack 30 the deny list goes by issuer and serial and by key, in leaf and authority', async () => {
  const bank = bankOf(root, 'off');
  const verdict = await bank.trust.judge(leaf.chain, 'bank');
  assert.ok(verdict.ok);
  const { issuer, serial, spkiSha256 } = verdict.certificate;
  const set = (denied: readonly ({ issuer: string; serial: string } | { spkiSha256: string })[]) =>
    bank.trust.replaceScheme('bank', {
      anchors: [root.certificatePem],
      extendedKeyUsages: [],
      revocation: 'off',
      denied,
    });
  set([{ issuer, serial: `00:${serial.toUpperCase()}` }]);
  assert.equal(await bank.judge(leaf), 'certificate_revoked/denied');
  set([{ spkiSha256 }]);
  assert.equal(await bank.judge(leaf), 'certificate_revoked/denied');
  set([{ issuer: 'CN=Other', serial }]);
  assert.equal(await bank.judge(leaf), 'ok by undefined');
  set([{ issuer: 'CN=Test Root', serial: issuing.serial.toString(16) }]);
  assert.equal(await bank.judge(issuing.issue()), 'certificate_revoked/denied');
  for (const wrong of [{ issuer: 'nonsense', serial }, { issuer, serial: 'xyz' }, { spkiSha256: 'short' }]) {
    assert.throws(() => set([wrong]), /denied 1/);
  }
});

test('attack 28 a deny list does not depend on the order in which the parts of a multi-valued RDN are written', async () => {
  const attribute = (type: string, value: string) => sequence(oid(type), utf8(value));
  const subject = sequence(set(attribute('2.5.4.3', 'Two'), attribute('2.5.4.10', 'Parts')));
  const odd = createAuthority('odd', { raw: { issuer: subject, subject } });
  const one = odd.issue({ serial: 77n });
  const bank = bankOf(odd, 'off');
  for (const issuer of ['CN=Two+O=Parts', 'O=Parts+CN=Two']) {
    const denied = [{ issuer, serial: '4d' }];
    bank.trust.replaceScheme('bank', { anchors: [odd.certificatePem], extendedKeyUsages: [], denied });
    assert.equal(await bank.judge(one), 'certificate_revoked/denied');
  }
});

test('settings that make no sense are refused', () => {
  assert.throws(() => bankOf(root, { ocspMaximumAgeSeconds: 0 }), /ocspMaximumAgeSeconds/);
  assert.throws(() => bankOf(root, { crlMaximumAgeSeconds: Number.NaN }), /crlMaximumAgeSeconds/);
});

test('a list of another distribution point at the named address does not count', async () => {
  const bank = bankOf(root);
  bank.set(CRL, crl(root, [], { extensions: [issuingDistributionPoint('http://crl.example/b.crl')] }));
  assert.equal(await bank.judge(leaf), UNAVAILABLE);
});

test('verdicts are counted', async () => {
  const bank = bankOf(root);
  bank.set(OCSP, ocsp());
  await bank.judge(leaf);
  await bank.judge(createAuthority('Stranger').issue());
  const outcomes = bank.observations.flatMap((item) => (item.kind === 'verdict' ? [item.outcome] : []));
  assert.deepEqual(outcomes, ['ok', 'certificate_untrusted']);
});

test('an authority that its responder does not know is refused by that name', async () => {
  const CA_OCSP = 'http://ocsp.example/ca';
  const odd = root.createIntermediate('Odd', { ocspUrls: [CA_OCSP] });
  const one = odd.issue(both);
  const bank = bankOf(root);
  bank.set(OCSP, ocspResponse(odd, one));
  bank.set(CA_OCSP, ocspResponse(root, odd, { status: 'unknown' }));
  assert.equal(await bank.judge(one), 'revocation_unknown/revocation_unknown');
});

test('lists are forgotten, the longest unused first, when there are too many of them', async () => {
  const bank = bankOf(root, { order: 'crl-only' });
  const url = (index: number) => `http://crl.example/${index}.crl`;
  for (let index = 0; index <= 500; index += 1) bank.set(url(index), CLEAN);
  const key = leaf.key;
  for (let index = 0; index <= 500; index += 1) {
    assert.equal(await bank.judge(root.issue({ key, crlUrls: [url(index)] })), 'ok by crl');
  }
  assert.equal(bank.asked.length, 501);
  await bank.judge(root.issue({ key, crlUrls: [url(500)] }));
  assert.equal(bank.asked.length, 501);
  await bank.judge(root.issue({ key, crlUrls: [url(0)] }));
  assert.equal(bank.asked.length, 502);
});

test('banks with other rules share no answers', async () => {
  const bank = bankOf(root, { nonce: 'off' });
  bank.set(OCSP, ocsp());
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
  const anchors = [root.certificatePem];
  const strict = { anchors, extendedKeyUsages: [], revocation: { nonce: 'require', order: 'ocsp-only' } } as const;
  bank.trust.replaceScheme('bank', strict);
  assert.equal(await bank.judge(leaf), UNAVAILABLE);
});

test('a list at hand that speaks of other certificates contradicts nothing', async () => {
  const child = root.createIntermediate('Child', { crlUrls: [CRL] });
  const below = child.issue({ ocspUrls: ['http://ocsp.example/below'] });
  const bank = bankOf(root);
  bank.set(CRL, crl(root, [leaf.serial], { extensions: [issuingDistributionPoint(CRL, [2])] }));
  bank.set('http://ocsp.example/below', ocspResponse(child, below));
  assert.equal(await bank.judge(below), 'ok by ocsp');
  bank.set(OCSP, ocsp());
  assert.equal(await bank.judge(leaf), 'ok by ocsp');
});
