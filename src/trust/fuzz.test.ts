import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { test } from 'node:test';
import {
  algorithmOf,
  type CertificateOptions,
  createAuthority,
  extension,
  type KeyType,
} from '../../test/support/certificates.ts';
import { bitString, explicit, implicit, nothing, sequence } from '../../test/support/der.ts';
import { NOW } from '../../test/support/judging.ts';
import { opensslOpinions } from '../../test/support/openssl.ts';
import { at, crl, ocspResponse } from '../../test/support/revocation.ts';
import { parseCrl } from './crl-syntax.ts';
import { judgeChain } from './judge.ts';
import { Malformed } from './malformed.ts';
import { parseOcspResponse } from './ocsp-response.ts';
import { parseQcStatements, QcProblem } from './qc-statements.ts';
import { compileScheme } from './scheme.ts';
import { Unusable } from './unusable.ts';
import { parseCertificate } from './x509.ts';

/** Deterministic: a failure can be seen again. */
function generator(seed: number) {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = <T>(items: readonly T[]): T => {
    const item = items[next(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  return { next, pick };
}

const root = createAuthority('Fuzz Root');
const scheme = compileScheme({ anchors: [root.certificatePem], extendedKeyUsages: ['clientAuth'] });
const ours = (chain: readonly Uint8Array[]): string => {
  const { verdict } = judgeChain(chain, scheme, NOW);
  return verdict.ok ? 'OK' : verdict.detail;
};

/** Flips, sets, removes, doubles or swaps octets. */
function mutated(octets: Uint8Array, { next, pick }: ReturnType<typeof generator>): Buffer {
  const copy = Buffer.from(octets);
  for (let round = 0; round <= next(3); round += 1) {
    const place = next(copy.length);
    const action = pick(['flip', 'set', 'increment', 'copy'] as const);
    if (action === 'flip') copy[place] = (copy[place] ?? 0) ^ (1 << next(8));
    if (action === 'set') copy[place] = pick([0x00, 0x01, 0x30, 0x7f, 0x80, 0x82, 0xa0, 0xff]);
    if (action === 'increment') copy[place] = ((copy[place] ?? 0) + 1) & 0xff;
    if (action === 'copy') copy.copy(copy, place, next(copy.length), next(copy.length));
  }
  return copy;
}

/** OpenSSL lets key identifiers decide; here they never do (§7.1 rule 4), so alterations of them are not compared. */
function sameKeyIdentifiers(one: Uint8Array, other: Uint8Array): boolean {
  const [first, second] = [one, other].map((der) => parseCertificate(der).extensions);
  return ['2.5.29.14', '2.5.29.35'].every((id) => {
    const [a, b] = [first?.get(id), second?.get(id)];
    return a !== undefined && b !== undefined && Buffer.compare(a.value, b.value) === 0;
  });
}

test('differential: of thousands of altered and newly signed certificates none is accepted that openssl refuses', {
  timeout: 120_000,
}, () => {
  const random = generator(20_261_121);
  const template = root.issue({
    dnsNames: ['a.example'],
    organization: 'Fuzz',
    organizationIdentifier: 'PSDGB-FCA-1',
    roles: ['AISP'],
    crlUrls: ['http://crl.example/a.crl'],
  });
  const { tbs } = parseCertificate(template.der);
  const accepted: Buffer[] = [];
  for (let round = 0; round < 4_000; round += 1) {
    const altered = mutated(tbs, random);
    const der = sequence(altered, algorithmOf(root.key), bitString(sign('sha256', altered, root.key)));
    if (ours([der]) === 'OK' && sameKeyIdentifiers(der, template.der)) accepted.push(der);
  }
  assert.ok(accepted.length > 50, `only ${accepted.length} alterations were harmless: the test would prove nothing`);
  const opinions = opensslOpinions(accepted.slice(0, 400), { anchors: [root.der] });
  assert.deepEqual(
    opinions.filter((opinion) => opinion !== 'OK'),
    [],
  );
});

/** What we refuse and OpenSSL accepts, by our code, each with the rule that it does not have. */
const STRICTER: Readonly<Record<string, string>> = {
  key_usage: 'OpenSSL takes a missing key usage for all of them (§7.1 rule 9)',
  eku: 'and a missing or any extended key usage too',
  algorithm_policy: 'OpenSSL accepts secp256k1 (§7.2)',
  not_a_ca: 'a CA certificate without keyUsage is refused here (§7.1 rule 6)',
  path_budget: 'OpenSSL goes deeper than five certificates',
};

test('differential: random chains get the verdict of openssl, or a listed stricter one', { timeout: 120_000 }, () => {
  const random = generator(7);
  const { pick, next } = random;
  const dates = () => (next(6) === 0 ? pick([{ notAfter: at(-1) }, { notBefore: at(60) }]) : {});
  const critical = () => (next(12) === 0 ? { extensions: [extension('1.2.3.4', nothing, true)] } : {});
  const keyTypes: readonly KeyType[] = ['ec', 'ec', 'ec', 'ec384', 'rsa1024', 'secp256k1'];
  const constraints = () =>
    next(5) === 0
      ? {
          extensions: [
            extension('2.5.29.30', sequence(explicit(next(2), sequence(implicit(2, Buffer.from('a.example'))))), true),
          ],
        }
      : {};
  const authorityOptions = (): CertificateOptions => ({
    ...pick([{}, {}, { pathLength: 0 }, { pathLength: 1 }]),
    authority: next(10) !== 0,
    ...(next(6) === 0 ? { extendedKeyUsages: pick([['serverAuth'], ['clientAuth', 'serverAuth'], ['any']]) } : {}),
    ...(next(10) === 0 ? { keyUsages: pick([['digitalSignature'], ['cRLSign']] as const), pathLength: undefined } : {}),
    ...dates(),
    ...critical(),
    ...constraints(),
  });
  const disputed: string[] = [];
  let agreed = 0;
  for (let round = 0; round < 300; round += 1) {
    let issuer = root;
    for (let depth = next(4); depth > 0; depth -= 1) {
      const options = authorityOptions();
      issuer = issuer.createIntermediate(
        `CA ${round} ${depth}`,
        options.authority === false ? { ...options, pathLength: undefined } : options,
      );
    }
    const leaf = issuer.issue({
      keyType: pick(keyTypes),
      dnsNames: pick([[], ['x.a.example'], ['b.example']]),
      keyUsages: pick([['digitalSignature'], ['digitalSignature'], ['keyEncipherment'], []] as const),
      extendedKeyUsages: pick([['clientAuth'], ['clientAuth'], ['serverAuth'], ['any'], []]),
      ...(next(15) === 0 ? { raw: { digest: 'sha1' } } : {}),
      ...dates(),
      ...critical(),
    });
    const [opinion = ''] = opensslOpinions([leaf.der], { untrusted: leaf.chain.slice(1), anchors: [root.der] });
    const own = ours(leaf.chain);
    if ((own === 'OK') === (opinion === 'OK')) agreed += 1;
    else if (own === 'OK' || !Object.hasOwn(STRICTER, own))
      disputed.push(`${round}: we say ${own}, openssl says ${opinion}`);
  }
  assert.deepEqual(disputed, []);
  assert.ok(agreed > 200, `${agreed} agreed`);
});

test('parsers throw nothing but their own refusals, in bounded time, whatever they are given', {
  timeout: 120_000,
}, () => {
  const random = generator(99);
  const leaf = root.issue({ roles: ['AISP'], dnsNames: ['a.example'] });
  const statements = parseCertificate(leaf.der).extensions.get('1.3.6.1.5.5.7.1.3')?.value ?? Buffer.alloc(0);
  const subjects: readonly (readonly [Uint8Array, (octets: Uint8Array) => unknown])[] = [
    [leaf.der, (octets) => parseCertificate(octets)],
    [root.der, (octets) => parseCertificate(octets, { anchor: true })],
    [ocspResponse(root, leaf, { signer: leaf }), parseOcspResponse],
    [crl(root, [1n, 2n, leaf.serial]), parseCrl],
    [statements, parseQcStatements],
  ];
  const started = process.cpuUsage();
  for (let round = 0; round < 20_000; round += 1) {
    const [original, parse] = random.pick(subjects);
    const octets =
      round % 10 === 0
        ? Buffer.from(Array.from({ length: random.next(200) }, () => random.next(256)))
        : mutated(original, random);
    const input = round % 7 === 0 ? octets.subarray(0, random.next(octets.length + 1)) : octets;
    try {
      parse(input);
    } catch (error) {
      const known = error instanceof Malformed || error instanceof Unusable || error instanceof QcProblem;
      if (!known) throw error;
    }
  }
  const seconds = process.cpuUsage(started).user / 1e6;
  assert.ok(seconds < 30, `${seconds} s of processor time`);
});
