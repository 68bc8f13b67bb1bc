import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority, type KeyType, newKey, publicKeyInfoOf } from '../../test/support/certificates.ts';
import { bitString, explicit, integer, nothing, octetString, oid, sequence } from '../../test/support/der.ts';
import { judged } from '../../test/support/judging.ts';
import { DEFAULT_ALGORITHM_POLICY, isSignedBy, keyProblem, signatureProblem } from './algorithms.ts';

const root = createAuthority('Test Root');
const rsaRoot = createAuthority('RSA Root', { keyType: 'rsa' });
const REFUSED = 'certificate_untrusted/algorithm_policy';
const rsaKey = (modulus: bigint, exponent: bigint) =>
  sequence(sequence(oid('1.2.840.113549.1.1.1'), nothing), bitString(sequence(integer(modulus), integer(exponent))));
const MODULUS = (1n << 2047n) + 1n;

for (const keyType of ['ec', 'ec384', 'ec521', 'rsa', 'rsa3072'] satisfies readonly KeyType[]) {
  test(`a key of type ${keyType} is accepted in leaf and authority`, async () => {
    const authority = createAuthority('Other Root', { keyType });
    assert.equal(await judged(authority.issue({ keyType }).chain, authority), 'ok');
  });
}

for (const keyType of ['rsa1024', 'secp256k1', 'ed25519'] satisfies readonly KeyType[]) {
  test(`attack 32 and 40 a key of type ${keyType} is refused in leaf and authority`, async () => {
    assert.equal(await judged(root.issue({ keyType }).chain, root), REFUSED);
    if (keyType === 'secp256k1') return;
    const weak = createAuthority('Weak Root', { keyType });
    assert.equal(await judged(weak.issue().chain, weak), REFUSED);
    const issuing = root.createIntermediate('Weak Issuing', { keyType });
    assert.equal(await judged(issuing.issue().chain, root), REFUSED);
  });
}

test('attack 32 Ed25519 is accepted where the scheme lists it', async () => {
  const edwards = createAuthority('Edwards Root', { keyType: 'ed25519' });
  const chain = edwards.issue({ keyType: 'ed25519' }).chain;
  assert.equal(await judged(chain, edwards, { algorithms: { ed25519: true } }), 'ok');
  assert.equal(await judged(chain, edwards), REFUSED);
});

test('attack 40 SHA-1 and MD5 signatures are refused in leaf and intermediate', async () => {
  for (const [authority, digest] of [
    [root, 'sha1'],
    [rsaRoot, 'sha1'],
    [rsaRoot, 'md5'],
  ] as const) {
    assert.equal(await judged(authority.issue({ raw: { digest } }).chain, authority), REFUSED, digest);
    const issuing = authority.createIntermediate('Issuing', { raw: { digest } });
    assert.equal(await judged(issuing.issue().chain, authority), REFUSED, digest);
  }
  for (const digest of ['sha384', 'sha512']) {
    assert.equal(await judged(rsaRoot.issue({ raw: { digest } }).chain, rsaRoot), 'ok', digest);
  }
});

test('attack 32 and 40 RSA keys are refused below 2048 bits, with a small or even exponent, or an even modulus', () => {
  const problem = (modulus: bigint, exponent: bigint) =>
    keyProblem(rsaKey(modulus, exponent), DEFAULT_ALGORITHM_POLICY);
  assert.equal(problem(MODULUS, 65_537n), undefined);
  assert.match(problem((1n << 1022n) + 1n, 65_537n) ?? '', /1023 bits/);
  assert.match(problem((1n << 2046n) + 1n, 65_537n) ?? '', /2047 bits/);
  assert.match(problem((1n << 8192n) + 1n, 65_537n) ?? '', /8193 bits/);
  assert.match(problem(-MODULUS, 65_537n) ?? '', /0 bits/);
  assert.match(problem(MODULUS + 1n, 65_537n) ?? '', /even modulus/);
  for (const exponent of [3n, 1n, 65_538n, -65_537n, (1n << 40n) + 1n]) {
    assert.match(problem(MODULUS, exponent) ?? '', /exponent/, String(exponent));
  }
  assert.match(
    keyProblem(rsaKey(MODULUS, 65_537n), { ...DEFAULT_ALGORITHM_POLICY, rsaMinimumBits: 3000 }) ?? '',
    /3000/,
  );
});

test('attack 32 keys in other shapes are refused', () => {
  const problem = (spki: Uint8Array) => keyProblem(spki, DEFAULT_ALGORITHM_POLICY);
  const ec = '1.2.840.10045.2.1';
  const point = Buffer.alloc(65, 4);
  const named = (parameters: Uint8Array, octets: Uint8Array) =>
    sequence(sequence(oid(ec), parameters), bitString(octets));
  const p256 = oid('1.2.840.10045.3.1.7');
  assert.equal(problem(named(p256, point)), undefined);
  assert.match(problem(named(sequence(integer(1)), point)) ?? '', /curve other/);
  assert.match(problem(named(p256, Buffer.alloc(33, 2))) ?? '', /not uncompressed/);
  assert.match(problem(named(p256, Buffer.alloc(65, 2))) ?? '', /not uncompressed/);
  assert.match(problem(sequence(sequence(oid('1.2.840.113549.1.1.1')), bitString(nothing))) ?? '', /parameters/);
  assert.match(problem(sequence(sequence(oid('1.2.3.4')), bitString(nothing))) ?? '', /kind of key/);
  assert.match(
    problem(sequence(sequence(oid('1.2.840.113549.1.1.1'), nothing), bitString(nothing))) ?? '',
    /cannot be read/,
  );
  assert.match(problem(Buffer.from('00', 'hex')) ?? '', /cannot be read/);
});

test('attack 32 a point off its curve is refused', async () => {
  const publicKey = Buffer.from(publicKeyInfoOf(newKey('ec')));
  publicKey[publicKey.length - 1] = (publicKey.at(-1) ?? 0) ^ 1;
  assert.equal(await judged(root.issue({ raw: { publicKey } }).chain, root), REFUSED);
});

const sha = (bits: number) => sequence(oid(`2.16.840.1.101.3.4.2.${{ 256: 1, 384: 2, 512: 3 }[bits]}`));
const pss = (hash: Uint8Array, mask: Uint8Array, salt: number, ...rest: readonly Uint8Array[]) =>
  sequence(
    oid('1.2.840.113549.1.1.10'),
    sequence(
      explicit(0, hash),
      explicit(1, sequence(oid('1.2.840.113549.1.1.8'), mask)),
      explicit(2, integer(salt)),
      ...rest,
    ),
  );

test('attack 32 RSASSA-PSS counts with one hash, its own length as salt and the default trailer, and nothing else', async () => {
  const problem = (algorithm: Uint8Array) => signatureProblem(algorithm, DEFAULT_ALGORITHM_POLICY);
  const good = pss(sha(256), sha(256), 32);
  assert.equal(problem(good), undefined);
  const sha1 = sequence(oid('1.3.14.3.2.26'));
  const bad = [
    pss(sha(256), sha(384), 32),
    pss(sha(256), sha(256), 20),
    pss(sha(256), sha(256), 32, explicit(3, integer(1))),
    pss(sha1, sha1, 20),
    sequence(oid('1.2.840.113549.1.1.10'), sequence()),
    sequence(oid('1.2.840.113549.1.1.10')),
  ];
  for (const algorithm of bad) assert.notEqual(problem(algorithm), undefined);
  const leaf = rsaRoot.issue({ raw: { innerAlgorithm: good, saltLength: 32 } });
  assert.equal(await judged(leaf.chain, rsaRoot), 'ok');
  const shortSalt = rsaRoot.issue({ raw: { innerAlgorithm: good, saltLength: 20 } });
  assert.equal(await judged(shortSalt.chain, rsaRoot), 'certificate_untrusted/path_signature');
  const plain = rsaRoot.issue({ raw: { innerAlgorithm: good } });
  assert.equal(await judged(plain.chain, rsaRoot), 'certificate_untrusted/path_signature');
});

test('attack 32 an algorithm that does not fit the key never verifies', () => {
  const key = newKey('ec');
  const signature = sign('sha256', Buffer.from('x'), key);
  const spki = publicKeyInfoOf(key);
  const ecdsa = sequence(oid('1.2.840.10045.4.3.2'));
  const rsa = sequence(oid('1.2.840.113549.1.1.11'), nothing);
  assert.equal(isSignedBy(spki, ecdsa, Buffer.from('x'), signature), true);
  assert.equal(isSignedBy(spki, ecdsa, Buffer.from('y'), signature), false);
  assert.equal(isSignedBy(spki, rsa, Buffer.from('x'), signature), false);
  assert.equal(isSignedBy(spki, sequence(oid('1.2.840.10045.4.3.2'), nothing), Buffer.from('x'), signature), false);
  assert.equal(isSignedBy(spki, octetString(signature), Buffer.from('x'), signature), false);
  assert.equal(isSignedBy(octetString(spki), ecdsa, Buffer.from('x'), signature), false);
});

test('attack 32 RSASSA-PSS with another mask generator or odd hash parameters does not count', () => {
  const problem = (algorithm: Uint8Array) => signatureProblem(algorithm, DEFAULT_ALGORITHM_POLICY);
  const withMask = (mask: Uint8Array) =>
    sequence(
      oid('1.2.840.113549.1.1.10'),
      sequence(explicit(0, sha(256)), explicit(1, mask), explicit(2, integer(32))),
    );
  assert.notEqual(problem(withMask(sequence(oid('1.2.3'), sha(256)))), undefined);
  const sha256WithNull = sequence(oid('2.16.840.1.101.3.4.2.1'), nothing);
  assert.equal(problem(pss(sha256WithNull, sha256WithNull, 32)), undefined);
  const odd = sequence(oid('2.16.840.1.101.3.4.2.1'), Buffer.from([5, 1, 0]));
  assert.notEqual(problem(pss(odd, odd, 32)), undefined);
});

test('keys that cannot be imported verify nothing, however many are tried', () => {
  const ecdsa = sequence(oid('1.2.840.10045.4.3.2'));
  for (let index = 0; index <= 1_000; index += 1) {
    assert.equal(isSignedBy(integer(index), ecdsa, Buffer.from('x'), Buffer.from('y')), false);
  }
});
