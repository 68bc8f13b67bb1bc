import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { chanceOf, mutated, seedOf } from '../../test/support/fuzz.ts';
import { at, crl, ocspResponse, responderOf } from '../../test/support/revocation.ts';
import { bankOf } from '../../test/support/revoking-bank.ts';
import { parseCrl } from './crl-syntax.ts';
import { decodeForwarded, decodeRfc9440Chain, type ForwardedFormat } from './forwarded-formats.ts';
import { HeaderProblem } from './header-problem.ts';
import { Malformed } from './malformed.ts';
import { parseNameText } from './name-text.ts';
import { parseOcspResponse } from './ocsp-response.ts';
import { certificatesOfPem } from './pem.ts';
import { parseQcStatements, QcProblem } from './qc-statements.ts';
import { Unusable } from './unusable.ts';
import { parseCertificate } from './x509.ts';

const OCSP = 'http://ocsp.example/';
const CRL = 'http://crl.example/a.crl';
const root = createAuthority('Fuzz Root');
const leaf = root.issue({ roles: ['AISP'], dnsNames: ['a.example'], ocspUrls: [OCSP], crlUrls: [CRL] });

/** Microseconds of processor time that no single input may cost. A parse takes about thirty. */
const LONGEST_MICROSECONDS = 400_000;
const ROUNDS = 20_000;
/** Parsers keep nothing: what is in use after thousands of inputs is what was in use before. */
const MEMORY_OCTETS = 128 * 1024 * 1024;

type Subject = readonly [original: Uint8Array, parse: (octets: Uint8Array) => unknown];

const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
const header = (format: ForwardedFormat, value: string): Subject => [
  Buffer.from(value),
  (octets) => decodeForwarded(text(octets), format, { hops: 1 }),
];

function subjects(): readonly Subject[] {
  const statements = parseCertificate(leaf.der).extensions.get('1.3.6.1.5.5.7.1.3')?.value ?? Buffer.alloc(0);
  const base64 = leaf.der.toString('base64');
  const escaped = encodeURIComponent(leaf.certificatePem);
  const xfcc = `By=spiffe://a;Hash="x";Subject="CN=\\"a\\", O=b";Cert="${escaped}";URI=`;
  return [
    [leaf.der, (octets) => parseCertificate(octets)],
    [root.der, (octets) => parseCertificate(octets, { anchor: true })],
    [ocspResponse(root, leaf, { signer: leaf }), parseOcspResponse],
    [crl(root, [1n, 2n, leaf.serial]), parseCrl],
    [statements, parseQcStatements],
    [Buffer.from(leaf.chainPem), (octets) => certificatesOfPem(text(octets))],
    [Buffer.from('CN=a\\, b+O=#0c0161,C=GB,2.5.4.97=PSDGB-FCA-1'), (octets) => parseNameText(text(octets))],
    [Buffer.from(`:${base64}:, :${base64}:`), (octets) => decodeRfc9440Chain(text(octets))],
    header('rfc9440', `:${base64}:`),
    header('nginx-escaped', escaped),
    header('aws-alb', escaped.replaceAll('%2F', '/')),
    header('envoy-xfcc', xfcc),
    header('traefik-escaped', `${base64},${base64}`),
    header('pem-loose', leaf.certificatePem.replaceAll('\n', ' ')),
  ];
}

const REFUSALS = [Malformed, Unusable, QcProblem, HeaderProblem];

test('attack 25 and 31 parsers throw nothing but their own refusals, in bounded time and memory, whatever they are given', {
  timeout: 120_000,
}, (t) => {
  const seed = seedOf(99);
  t.diagnostic(`seed ${seed}`);
  const chance = chanceOf(seed);
  const all = subjects();
  const before = process.memoryUsage().rss;
  let longest = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [original, parse] = chance.pick(all);
    const noise = () => Buffer.from(Array.from({ length: chance.next(200) }, () => chance.next(256)));
    const octets = round % 10 === 0 ? noise() : mutated(original, chance);
    const input = round % 7 === 0 ? octets.subarray(0, chance.next(octets.length + 1)) : octets;
    const started = process.cpuUsage();
    try {
      parse(input);
    } catch (error) {
      const known = REFUSALS.some((refusal) => error instanceof refusal);
      assert.ok(known, `seed ${seed}, round ${round}: ${error} for ${input.toString('hex')}`);
    }
    longest = Math.max(longest, process.cpuUsage(started).user);
  }
  const grown = process.memoryUsage().rss - before;
  t.diagnostic(`longest ${longest} µs, ${Math.round(grown / 1024 / 1024)} MiB more`);
  assert.ok(longest < LONGEST_MICROSECONDS, `${longest} µs for one input`);
  assert.ok(grown < MEMORY_OCTETS, `${grown} octets more`);
});

test('attack 25 a text of any length and shape costs time in proportion', { timeout: 20_000 }, () => {
  const long = 24 * 1024;
  const shapes = [
    'a',
    '-',
    ' ',
    ',',
    '"',
    '\\',
    ';',
    '%41',
    'Cert="',
    '-----BEGIN CERTIFICATE-----\n',
    '\n',
    'a.',
    ':',
  ];
  const formats = ['rfc9440', 'nginx-escaped', 'aws-alb', 'envoy-xfcc', 'base64-der', 'traefik', 'pem-loose'] as const;
  const started = process.cpuUsage();
  for (const shape of shapes) {
    const value = shape.repeat(long / shape.length);
    for (const format of formats) assert.throws(() => decodeForwarded(`${value}!`, format, { hops: 1 }), HeaderProblem);
    assert.throws(() => certificatesOfPem(value), Malformed);
    assert.equal(parseNameText(`CN=${value}`), undefined);
  }
  const microseconds = process.cpuUsage(started).user;
  assert.ok(microseconds < 2_000_000, `${microseconds} µs`);
});

const DOCUMENTS = [
  ['an OCSP answer that says revoked', OCSP, () => ocspResponse(root, leaf, { status: 'revoked', reason: 1 })],
  [
    'a delegated OCSP answer that says unknown',
    OCSP,
    () => ocspResponse(root, leaf, { status: 'unknown', signer: responderOf(root) }),
  ],
  ['a stale OCSP answer that says good', OCSP, () => ocspResponse(root, leaf, { nextUpdate: at(-1) })],
  ['a list that names the certificate', CRL, () => crl(root, [3n, leaf.serial, 5n])],
  ['a list that is out of date', CRL, () => crl(root, [], { nextUpdate: at(-1) })],
] as const;

for (const [name, url, document] of DOCUMENTS) {
  test(`attack 31 whatever is altered in ${name}, the verdict is never good`, { timeout: 60_000 }, async (t) => {
    const seed = seedOf(53);
    t.diagnostic(`seed ${seed}`);
    const chance = chanceOf(seed);
    const genuine = document();
    for (let round = 0; round < 1_500; round += 1) {
      const altered = round % 2 === 0 ? flippedBit(genuine, chance.next(genuine.length * 8)) : mutated(genuine, chance);
      const bank = bankOf(root);
      bank.set(url, altered);
      const verdict = await bank.judge(leaf);
      assert.doesNotMatch(verdict, /^ok/, `seed ${seed}, round ${round}: ${altered.toString('hex')}`);
    }
  });
}

function flippedBit(octets: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(octets);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
