import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { pemOf } from '../../test/support/der.ts';
import { decodeForwarded, decodeRfc9440Chain, type ForwardedFormat, saysNothing } from './forwarded-formats.ts';
import type { ForwardedParser } from './forwarded-parser.ts';
import { HeaderProblem } from './header-problem.ts';

const root = createAuthority('Test Root');
const issuing = root.createIntermediate('Issuing');
/** One whose base64 has every character that forms treat in their own way. */
const leaf = certificateWith('+', '/');
const pem = leaf.certificatePem;
const base64 = leaf.der.toString('base64');
function certificateWith(...characters: readonly string[]): Issued {
  for (;;) {
    const issued = issuing.issue();
    const text = issued.der.toString('base64');
    if (characters.every((character) => text.includes(character))) return issued;
  }
}

const albEscape = (text: string) =>
  encodeURIComponent(text).replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=');
const hash = createHash('sha256').update(leaf.der).digest('hex');

function outcome(value: string, format: ForwardedFormat | ForwardedParser, hops = 1): string {
  try {
    const certificates = decodeForwarded(value, format, { hops });
    return certificates.map((der) => (Buffer.compare(der, leaf.der) === 0 ? 'leaf' : 'other')).join(' ');
  } catch (error) {
    if (error instanceof HeaderProblem) return error.code;
    throw error;
  }
}

const xfcc = (...pairs: readonly string[]) => pairs.join(';');
const CERT = `Cert="${encodeURIComponent(pem)}"`;
const CHAIN = `Chain="${encodeURIComponent(leaf.chainPem)}"`;

const accepted: readonly (readonly [string, ForwardedFormat, string, string])[] = [
  ['rfc9440', 'rfc9440', `:${base64}:`, 'leaf'],
  ['nginx', 'nginx-escaped', encodeURIComponent(pem), 'leaf'],
  ['nginx with CRLF', 'nginx-escaped', encodeURIComponent(pem.replaceAll('\n', '\r\n')), 'leaf'],
  ['AWS leaf', 'aws-alb', albEscape(pem), 'leaf'],
  ['AWS chain', 'aws-alb', albEscape(leaf.chainPem), 'leaf other'],
  ['AWS wholly escaped', 'aws-alb', encodeURIComponent(pem), 'leaf'],
  ['Envoy Cert', 'envoy-xfcc', xfcc(`By=spiffe://x`, `Hash=${hash}`, CERT, 'URI=a', 'URI=b', 'DNS=x'), 'leaf'],
  ['Envoy Chain', 'envoy-xfcc', xfcc(CHAIN), 'leaf other'],
  ['Envoy both', 'envoy-xfcc', xfcc(CERT, CHAIN), 'leaf other'],
  ['Envoy unquoted', 'envoy-xfcc', `Cert=${encodeURIComponent(pem)}`, 'leaf'],
  [
    'attack 9 Envoy with quotes escaped inside Subject',
    'envoy-xfcc',
    xfcc('Subject="O=\\"a, b\\";CN=x"', CERT),
    'leaf',
  ],
  ['HAProxy', 'base64-der', base64, 'leaf'],
  ['HAProxy quoted', 'base64-der', `"${base64}"`, 'leaf'],
  ['Traefik', 'traefik', [leaf.der, issuing.der].map((der) => der.toString('base64')).join(','), 'leaf other'],
  ['Traefik escaped', 'traefik-escaped', encodeURIComponent(base64), 'leaf'],
  ['loose: spaces', 'pem-loose', pem.trim().replaceAll('\n', ' '), 'leaf'],
  ['loose: tabs', 'pem-loose', pem.replaceAll('\n', '\t'), 'leaf'],
  ['loose: literal backslash n', 'pem-loose', pem.replaceAll('\n', '\\n'), 'leaf'],
  ['loose: nothing', 'pem-loose', pem.replaceAll('\n', ''), 'leaf'],
];

for (const [name, format, value, expected] of accepted) {
  test(`§11.2 ${name} is read`, () => assert.equal(outcome(value, format), expected));
}

test('every form gives the same octets, so the same thumbprint', () => {
  const values = accepted.map(([, format, value]) => decodeForwarded(value, format, { hops: 1 })[0]);
  assert.equal(
    new Set(
      values.map((der) =>
        createHash('sha256')
          .update(der ?? '')
          .digest('hex'),
      ),
    ).size,
    1,
  );
});

const url = base64.replaceAll('+', '-').replaceAll('/', '_');
const escaped = encodeURIComponent(pem);
const key = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n';
const refused: readonly (readonly [string, ForwardedFormat, string, string])[] = [
  ['attack 8 rfc9440 joined', 'rfc9440', `:${base64}:, :${base64}:`, 'header_duplicate'],
  ['attack 8 nginx joined', 'nginx-escaped', `${escaped}, ${escaped}`, 'header_duplicate'],
  ['attack 8 AWS joined', 'aws-alb', `${albEscape(pem)}, ${albEscape(pem)}`, 'header_duplicate'],
  ['attack 8 HAProxy joined', 'base64-der', `${base64}, ${base64}`, 'header_duplicate'],
  ['attack 8 loose joined', 'pem-loose', `${pem.trim()}, ${pem.trim()}`, 'header_duplicate'],
  ['attack 11 plus turned into space', 'aws-alb', albEscape(pem).replaceAll('+', ' '), 'header_malformed'],
  ['attack 11 %ZZ', 'nginx-escaped', `${escaped}%ZZ`, 'header_malformed'],
  ['attack 11 %00', 'nginx-escaped', `${escaped}%00`, 'header_malformed'],
  ['attack 11 %FF', 'nginx-escaped', `${escaped}%FF`, 'header_malformed'],
  ['attack 11 escaped twice', 'nginx-escaped', encodeURIComponent(escaped), 'header_malformed'],
  ['attack 12 url alphabet', 'base64-der', url, 'header_malformed'],
  [
    'attack 12 no padding',
    'base64-der',
    Buffer.from('30820', 'latin1').toString('base64').replaceAll('=', ''),
    'header_malformed',
  ],
  ['attack 12 pad bits', 'base64-der', 'AB==', 'header_malformed'],
  ['attack 12 rfc9440 without colons', 'rfc9440', base64, 'header_malformed'],
  ['attack 12 rfc9440 one colon', 'rfc9440', `:${base64}`, 'header_malformed'],
  ['attack 12 rfc9440 with space', 'rfc9440', `: ${base64}:`, 'header_malformed'],
  ['attack 9 Envoy Hash only', 'envoy-xfcc', `Hash=${hash}`, 'header_no_certificate'],
  ['attack 9 Envoy spoofed element in front', 'envoy-xfcc', `Cert="x",${CERT}`, 'header_malformed'],
  ['attack 9 Envoy unbalanced quote', 'envoy-xfcc', `Subject="a;${CERT}`, 'header_malformed'],
  ['attack 9 Envoy quote in the middle', 'envoy-xfcc', `Subject=a"b";${CERT}`, 'header_malformed'],
  ['attack 9 Envoy key twice', 'envoy-xfcc', xfcc(CERT, CERT), 'header_malformed'],
  [
    'attack 9 Envoy key twice in other case',
    'envoy-xfcc',
    xfcc(CERT, CERT.replace('Cert', 'CERT')),
    'header_malformed',
  ],
  ['attack 9 Envoy unknown key', 'envoy-xfcc', xfcc(CERT, 'Foo=bar'), 'header_malformed'],
  ['attack 9 Envoy no key', 'envoy-xfcc', '=x', 'header_malformed'],
  ['attack 9 Envoy bad percent', 'envoy-xfcc', 'Cert="%ZZ"', 'header_malformed'],
  [
    'attack 9 Envoy Cert unlike Chain',
    'envoy-xfcc',
    xfcc(CERT, `Chain="${encodeURIComponent(issuing.certificatePem)}"`),
    'header_inconsistent',
  ],
  [
    'attack 9 Envoy Hash unlike Cert',
    'envoy-xfcc',
    xfcc(`Hash=${hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))}`, CERT),
    'header_inconsistent',
  ],
  ['attack 14 private key beside', 'nginx-escaped', encodeURIComponent(pem + key), 'header_malformed'],
  ['attack 14 text before', 'nginx-escaped', encodeURIComponent(`x${pem}`), 'header_malformed'],
  ['attack 14 text after', 'nginx-escaped', encodeURIComponent(`${pem}x`), 'header_malformed'],
  ['attack 14 two certificates', 'nginx-escaped', encodeURIComponent(leaf.chainPem), 'header_malformed'],
  [
    'attack 14 TRUSTED CERTIFICATE',
    'nginx-escaped',
    encodeURIComponent(pemOf(leaf.der, 'TRUSTED CERTIFICATE')),
    'header_malformed',
  ],
  ['attack 14 X509 CERTIFICATE', 'pem-loose', pemOf(leaf.der, 'X509 CERTIFICATE'), 'header_malformed'],
  ['attack 14 loose with text', 'pem-loose', `a ${pem}`, 'header_malformed'],
  ['attack 14 loose with two', 'pem-loose', leaf.chainPem, 'header_malformed'],
  ['another known form: PEM as rfc9440', 'rfc9440', escaped, 'header_malformed'],
  ['another known form: rfc9440 as nginx', 'nginx-escaped', `:${base64}:`, 'header_malformed'],
  ['another known form: base64 as traefik', 'traefik', `:${base64}:`, 'header_malformed'],
  ['attack 13 longer than 24 KiB', 'base64-der', 'A'.repeat(24_580), 'header_too_large'],
  ['attack 13 nine certificates', 'traefik', Array.from({ length: 9 }, () => 'AAAA').join(','), 'header_too_large'],
  [
    'attack 13 nine in Envoy',
    'envoy-xfcc',
    `Chain="${encodeURIComponent(pemOf(Buffer.alloc(8)).repeat(9))}"`,
    'header_malformed',
  ],
];

for (const [name, format, value, expected] of refused) {
  test(`§11.3 ${name} is refused`, () => assert.equal(outcome(value, format), expected));
}

test('attack 10 null-like values say that there is no certificate', () => {
  for (const value of ['', ' ', '\t', 'null', '(null)', '-', ' null ']) assert.equal(saysNothing(value), true);
  for (const value of ['NULL', 'none', '::', '--', 'undefined']) assert.equal(saysNothing(value), false);
});

test('with two trusted hops the first of exactly two elements counts', () => {
  const two = `${CERT},By=x;Hash=${hash}`;
  assert.equal(outcome(two, 'envoy-xfcc', 2), 'leaf');
  assert.equal(outcome(two, 'envoy-xfcc', 1), 'header_malformed');
  assert.equal(outcome(two, 'envoy-xfcc', 3), 'header_malformed');
});

test('the chain of RFC 9440 is a list of byte sequences', () => {
  const item = `:${issuing.der.toString('base64')}:`;
  assert.equal(decodeRfc9440Chain(`${item}, ${item}`).length, 2);
  for (const value of [`${item},`, 'AAAA', `${item} ${item}`]) {
    assert.throws(() => decodeRfc9440Chain(value), HeaderProblem);
  }
  assert.throws(() => decodeRfc9440Chain('x'.repeat(30_000)), /too long/);
});

test('a bank’s own decoder is used as given, and whatever it throws refuses', () => {
  assert.equal(
    outcome('x', () => [leaf.der]),
    'leaf',
  );
  assert.equal(
    outcome('x', () => []),
    'header_no_certificate',
  );
  assert.equal(
    outcome('x', () => {
      throw new TypeError('oops');
    }),
    'header_malformed',
  );
});
