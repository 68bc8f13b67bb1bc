import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type CertificateOptions, createAuthority, extension, rdn } from '../../test/support/certificates.ts';
import {
  bitString,
  boolean,
  explicit,
  generalizedTime,
  implicit,
  integer,
  nothing,
  octetString,
  oid,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from '../../test/support/der.ts';
import { judge, judged } from '../../test/support/judging.ts';
import { Malformed } from './malformed.ts';
import { parseCertificate } from './x509.ts';

const root = createAuthority('Test Root');
const verdictOn = (options: CertificateOptions) => judged(root.issue(options).chain, root);
const codeOf = (der: Uint8Array) => judged([der], root);
const extensionsOnly = (...items: readonly Uint8Array[]) => explicit(3, sequence(...items));
const keyUsage = extension('2.5.29.15', bitString(Buffer.from([0x80]), 7), true);
const clientAuth = extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.2')));
const san = (...names: readonly Uint8Array[]) => extension('2.5.29.17', sequence(...names));
const dns = (name: string) => implicit(2, Buffer.from(name, 'latin1'));

test('attack 17 octets after a certificate are refused', async () => {
  const { der } = root.issue();
  assert.equal(await codeOf(Buffer.concat([der, Buffer.alloc(4)])), 'certificate_malformed/der_trailing');
  assert.equal(await codeOf(sequence(der.subarray(4), nothing)), 'certificate_malformed/der_trailing');
});

test('attack 18 and 72 BER lengths are refused, so that one certificate has one thumbprint', async () => {
  const { der } = root.issue();
  const content = der.subarray(4);
  const indefinite = Buffer.concat([Buffer.from([0x30, 0x80]), content, Buffer.alloc(2)]);
  const padded = Buffer.concat([Buffer.from([0x30, 0x83, 0x00]), der.subarray(2, 4), content]);
  for (const ber of [indefinite, padded]) {
    assert.equal(await codeOf(ber), 'certificate_malformed/der_length');
    assert.ok(new X509Certificate(ber).fingerprint256, 'Node reads it, and hashes another encoding');
  }
  const expected = createHash('sha256').update(der).digest('base64url');
  const verdict = await judge([der], root);
  assert.equal(verdict.ok && verdict.certificate.thumbprint, expected);
});

test('attack 19 an encoded DEFAULT FALSE and a BOOLEAN of 01 are refused', async () => {
  const explicitFalse = sequence(oid('2.5.29.37'), boolean(false), octetString(sequence(oid('1.3.6.1.5.5.7.3.2'))));
  const one = sequence(oid('2.5.29.37'), Buffer.from([1, 1, 1]), octetString(sequence(oid('1.3.6.1.5.5.7.3.2'))));
  const notAuthority = extension('2.5.29.19', sequence(boolean(false)), true);
  for (const item of [explicitFalse, one, notAuthority]) {
    const raw = { extensions: extensionsOnly(keyUsage, item) };
    assert.equal(await verdictOn({ raw }), 'certificate_malformed/der_boolean');
  }
});

test('attack 20 an extension that is there twice is refused', async () => {
  assert.equal(await verdictOn({ extensions: [clientAuth] }), 'certificate_malformed/extension_duplicate');
});

test('attack 21 version 1 and 2 are refused, with and without extensions', async () => {
  for (const version of [Buffer.alloc(0), explicit(0, integer(1)), explicit(0, integer(3)), explicit(0, integer(0))]) {
    assert.equal(await verdictOn({ raw: { version } }), 'certificate_malformed/version');
  }
  const bare = { version: Buffer.alloc(0), extensions: Buffer.alloc(0) };
  assert.equal(await verdictOn({ raw: bare }), 'certificate_malformed/version');
  assert.equal(parseCertificate(root.issue({ raw: bare }).der, { anchor: true }).version, 1);
  const mixed = root.issue({ raw: { version: Buffer.alloc(0) } }).der;
  assert.throws(() => parseCertificate(mixed, { anchor: true }), Malformed);
});

test('attack 22 a serial that is negative, zero or longer than 20 octets is refused', async () => {
  for (const serial of [integer(-1), integer(0), integer(1n << 160n), tagged(2, Buffer.from([0, 1]))]) {
    assert.match(await verdictOn({ raw: { serial } }), /^certificate_malformed\/(serial|der_integer)$/);
  }
  assert.equal(await verdictOn({ serial: (1n << 160n) - 1n }), 'ok');
});

test('attack 23 signature algorithms inside and outside must be the same octets', async () => {
  const rsa = createAuthority('RSA Root', { keyType: 'rsa' });
  const withoutNull = sequence(oid('1.2.840.113549.1.1.11'));
  const other = sequence(oid('1.2.840.10045.4.3.3'));
  const algorithm = 'certificate_malformed/algorithm_mismatch';
  assert.equal(await judged(rsa.issue({ raw: { outerAlgorithm: withoutNull } }).chain, rsa), algorithm);
  assert.equal(await verdictOn({ raw: { outerAlgorithm: other } }), algorithm);
  const both = rsa.issue({ raw: { innerAlgorithm: withoutNull } });
  assert.equal(await judged(both.chain, rsa), 'certificate_untrusted/algorithm_policy');
});

test('attack 24 unused bits in signature or key are refused', async () => {
  const { der } = root.issue();
  const flipped = Buffer.from(der);
  const parsed = parseCertificate(der);
  flipped[der.length - parsed.signature.length - 1] = 1;
  assert.equal(await codeOf(flipped), 'certificate_malformed/der_bitstring');
  const key = Buffer.from(parsed.publicKeyInfo);
  key[key.length - parsed.keyOctets.length - 1] = 1;
  assert.equal(await verdictOn({ raw: { publicKey: key } }), 'certificate_malformed/der_bitstring');
});

test('attack 25 bombs are refused within the limits', { timeout: 5_000 }, async () => {
  let bomb: Buffer = nothing;
  for (let depth = 0; depth < 4_000; depth += 1) bomb = tagged(0x30, bomb);
  assert.equal(await codeOf(bomb.subarray(0, 16_000)), 'certificate_malformed/der_length');
  assert.equal(await codeOf(tagged(0x30, Buffer.alloc(60_000))), 'certificate_malformed/limit');
  const huge = extension('1.2.3', octetString(Buffer.alloc(1 << 20)));
  assert.equal(await verdictOn({ extensions: [huge] }), 'certificate_malformed/limit');
  const names = Array.from({ length: 300 }, (_, index) => dns(`h${index}.example`));
  assert.equal(await verdictOn({ extensions: [san(...names)] }), 'certificate_malformed/limit');
  const claimed = Buffer.from('3084ffffffff', 'hex');
  assert.equal(await codeOf(claimed), 'certificate_malformed/der_length');
  const many = Array.from({ length: 65 }, (_, index) => extension(`1.2.3.${index}`, nothing));
  assert.equal(await verdictOn({ extensions: many }), 'certificate_malformed/limit');
});

test('attack 26 strings that are not of their type are refused', async () => {
  const bad = [
    tagged(0x0c, Buffer.from([0xc3, 0x28])),
    tagged(0x13, Buffer.from('a*b')),
    tagged(0x1e, Buffer.from('abc')),
  ];
  for (const value of bad) {
    const raw = { subject: sequence(rdn('2.5.4.3', value)) };
    assert.equal(await verdictOn({ raw }), 'certificate_malformed/der_string');
  }
});

test('attack 27 alternative names that could be read in two ways are refused', async () => {
  const bad = [
    'a\0b.example',
    'a,DNS:b',
    'a"b',
    'a\nb',
    'm\u00fcller.example',
    '127.0.0.1',
    '1.2',
    '',
    '-a.example',
    'a..b',
    '*',
    'a.*.b',
  ];
  for (const name of bad) {
    assert.equal(await verdictOn({ dnsNames: [name] }), 'certificate_malformed/san_syntax', JSON.stringify(name));
  }
  for (const uri of ['https://a b', 'https://a"b', 'relative', 'https://a\nb', '']) {
    assert.equal(await verdictOn({ uris: [uri] }), 'certificate_malformed/san_syntax', JSON.stringify(uri));
  }
  for (const email of ['a', 'a b@c', 'a@b, c@d', 'a@b\n']) {
    assert.equal(await verdictOn({ emails: [email] }), 'certificate_malformed/san_syntax', JSON.stringify(email));
  }
  const address = san(implicit(7, Buffer.alloc(5)));
  assert.equal(await verdictOn({ extensions: [address] }), 'certificate_malformed/san_syntax');
  assert.equal(
    await verdictOn({ extensions: [san(tagged(0x8c, Buffer.alloc(1)))] }),
    'certificate_malformed/san_syntax',
  );
  for (const name of ['*.example', 'a.example.', 'xn--mller-kva.example', 'A.Example']) {
    assert.equal(await verdictOn({ dnsNames: [name] }), 'ok', name);
  }
});

test('attack 28 two organizationIdentifiers are refused, two common names are read in order', async () => {
  const twice = sequence(rdn('2.5.4.97', utf8('PSDGB-FCA-1')), rdn('2.5.4.97', utf8('PSDGB-FCA-2')));
  assert.equal(await verdictOn({ raw: { subject: twice } }), 'certificate_malformed/orgid_duplicate');
  const names = sequence(rdn('2.5.4.3', utf8('first')), rdn('2.5.4.3', utf8('second')));
  const verdict = await judge(root.issue({ raw: { subject: names } }).chain, root);
  assert.equal(verdict.ok && verdict.certificate.subject, 'CN=second,CN=first');
});

test('attack 28 the attributes of a multi-valued RDN are sorted, as DER demands', async () => {
  const [a, b] = [sequence(oid('2.5.4.3'), utf8('x')), sequence(oid('2.5.4.10'), utf8('y'))];
  assert.equal(await verdictOn({ raw: { subject: sequence(set(a, b)) } }), 'ok');
  const unsorted = sequence(tagged(0x31, ...[a, b].toSorted(Buffer.compare).toReversed()));
  assert.equal(await verdictOn({ raw: { subject: unsorted } }), 'certificate_malformed/der_set');
});

test('attack 29 validity that ends before it begins, or has another form, is refused', async () => {
  const [early, late] = [new Date('2024-01-01T00:00:00Z'), new Date('2030-01-01T00:00:00Z')];
  assert.equal(await verdictOn({ notBefore: late, notAfter: early }), 'certificate_malformed/validity_order');
  const fraction = sequence(time(early), tagged(0x18, Buffer.from('20300101000000.5Z')));
  const thirtieth = sequence(time(early), tagged(0x17, Buffer.from('300230000000Z')));
  for (const validity of [fraction, thirtieth]) {
    assert.equal(await verdictOn({ raw: { validity } }), 'certificate_malformed/der_time');
  }
  const general = sequence(generalizedTime(new Date('1950-01-01T00:00:00Z')), generalizedTime(late));
  assert.equal(await verdictOn({ raw: { validity: general } }), 'ok');
  const boundary = sequence(tagged(0x17, Buffer.from('500101000000Z')), tagged(0x17, Buffer.from('491231235959Z')));
  assert.equal(await verdictOn({ raw: { validity: boundary } }), 'ok');
});

test('a value of an extension is complete DER of its type', async () => {
  const trailing = extension('2.5.29.37', Buffer.concat([sequence(oid('1.3.6.1.5.5.7.3.2')), nothing]));
  const raw = { extensions: extensionsOnly(keyUsage, trailing) };
  assert.equal(await verdictOn({ raw }), 'certificate_malformed/der_trailing');
  const pathLength = extension('2.5.29.19', sequence(integer(1)), true);
  assert.equal(await verdictOn({ extensions: [pathLength] }), 'certificate_malformed/extension_syntax');
  const nothingAllowed = extension('2.5.29.15', bitString(Buffer.alloc(0)), true);
  assert.equal(
    await verdictOn({ keyUsages: [], extensions: [nothingAllowed] }),
    'certificate_malformed/extension_syntax',
  );
  const emptyValue = sequence(rdn('2.5.4.3', utf8('')));
  assert.equal(await verdictOn({ raw: { subject: emptyValue } }), 'certificate_malformed/name_syntax');
  assert.equal(await verdictOn({ raw: { issuer: sequence() } }), 'certificate_malformed/name_syntax');
});

test('what a certificate says of itself is read', async () => {
  const leaf = root.issue({
    commonName: 'a.example',
    organization: 'Café & Söhne',
    country: 'GB',
    organizationIdentifier: 'PSDGB-FCA-1',
    dnsNames: ['a.example'],
    uris: ['https://a.example/x?y=1,2'],
    emails: ['a@a.example'],
    ipAddresses: ['10.1.2.3', '2001:db8::1'],
    ocspUrls: ['http://ocsp.example/'],
    caIssuersUrls: ['http://ca.example/i.cer'],
    crlUrls: ['http://crl.example/a.crl'],
  });
  const verdict = await judge(leaf.chain, root);
  assert.ok(verdict.ok);
  const { certificate } = verdict;
  assert.equal(certificate.subject, 'CN=a.example,organizationIdentifier=PSDGB-FCA-1,O=Café & Söhne,C=GB');
  assert.equal(certificate.issuer, 'CN=Test Root');
  assert.equal(certificate.serial, leaf.serial.toString(16).padStart(20, '0'));
  assert.deepEqual(certificate.ipAddresses, ['10.1.2.3', '2001:db8::1']);
  assert.deepEqual(certificate.uris, ['https://a.example/x?y=1,2']);
  assert.equal(certificate.pem, leaf.certificatePem);
  assert.equal(certificate.roles, undefined);
  const parsed = parseCertificate(leaf.der);
  assert.deepEqual(parsed.ocspUrls, ['http://ocsp.example/']);
  assert.deepEqual(parsed.caIssuersUrls, ['http://ca.example/i.cer']);
  assert.deepEqual(parsed.distributionPoints, [
    { urls: ['http://crl.example/a.crl'], indirect: false, someReasons: false },
  ]);
});

test('attack 31 no single flipped bit of a certificate gives another accepted certificate', {
  timeout: 60_000,
}, async () => {
  const { der } = root.issue({ roles: ['AISP'], organizationIdentifier: 'PSDGB-FCA-1', dnsNames: ['a.example'] });
  const accepted: number[] = [];
  for (let bit = 0; bit < der.length * 8; bit += 1) {
    const flipped = Buffer.from(der);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if ((await codeOf(flipped)) === 'ok') accepted.push(bit);
  }
  assert.deepEqual(accepted, []);
});

test('attack 27 a DNS name longer than any host is refused', async () => {
  const label = 'a'.repeat(60);
  assert.equal(await verdictOn({ dnsNames: [[label, label, label, label, 'example'].join('.')] }), 'ok');
  const long = [label, label, label, label, label].join('.');
  assert.equal(await verdictOn({ dnsNames: [long] }), 'certificate_malformed/san_syntax');
});
