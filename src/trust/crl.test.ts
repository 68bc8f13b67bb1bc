import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, extension, type Issued } from '../../test/support/certificates.ts';
import { generalizedTime, integer, nothing, octetString, oid, sequence, tagged, utf8 } from '../../test/support/der.ts';
import { NOW } from '../../test/support/judging.ts';
import { at, type CrlOptions, crl, crlEntry, issuingDistributionPoint } from '../../test/support/revocation.ts';
import { DEFAULT_ALGORITHM_POLICY } from './algorithms.ts';
import { checkCrlScope, checkCrlTimes, findInCrl, openCrl } from './crl.ts';
import { Unusable } from './unusable.ts';
import { parseCertificate } from './x509.ts';

const root = createAuthority('Test Root');
const issuing = root.createIntermediate('Test Issuing');
const URL = 'http://crl.example/a.crl';
const leaf = issuing.issue({ crlUrls: [URL] });

async function outcome(der: Uint8Array, certificate: Issued = leaf, issuer: Issued = issuing): Promise<string> {
  try {
    const list = await openCrl(der, parseCertificate(issuer.der), DEFAULT_ALGORITHM_POLICY);
    const parsed = parseCertificate(certificate.der);
    checkCrlTimes(list, NOW);
    checkCrlScope(list, parsed);
    const entry = findInCrl(list, parsed);
    return entry === undefined ? 'clean' : `listed ${entry.reason ?? '-'}`;
  } catch (error) {
    if (error instanceof Unusable) return error.code;
    throw error;
  }
}
const say = (serials: readonly bigint[], options: CrlOptions = {}) => outcome(crl(issuing, serials, options));

test('attack 57 a certificate is found in a list of its issuer, with the reason', async () => {
  assert.equal(await say([]), 'clean');
  assert.equal(await say([leaf.serial + 1n]), 'clean');
  assert.equal(await say([1n, leaf.serial, 2n]), 'listed -');
  assert.equal(await say([], { entries: [crlEntry(leaf.serial, 1)] }), 'listed 1');
  const late = sequence(integer(leaf.serial), generalizedTime(at(-60)));
  assert.equal(await say([], { entries: [late] }), 'listed -');
});

test('attack 47 hold and removeFromCRL are found too', async () => {
  assert.equal(await say([], { entries: [crlEntry(leaf.serial, 6)] }), 'listed 6');
  assert.equal(await say([], { entries: [crlEntry(leaf.serial, 8)] }), 'listed 8');
});

test('attack 57 lists out of their time do not count', async () => {
  assert.equal(await say([], { nextUpdate: at(-1) }), 'crl_time');
  assert.equal(await say([], { nextUpdate: at(0) }), 'crl_time');
  assert.equal(await say([], { nextUpdate: null }), 'crl_time');
  assert.equal(await say([], { thisUpdate: at(301) }), 'crl_time');
  assert.equal(await say([], { thisUpdate: at(299) }), 'clean');
  assert.equal(await say([], { thisUpdate: at(200), nextUpdate: at(100) }), 'crl_time');
});

test('attack 57 lists of another issuer, of a rogue twin, or not signed as they should be do not count', async () => {
  assert.equal(await outcome(crl(root, [])), 'crl_issuer');
  assert.equal(await outcome(crl(createAuthority('Test Issuing'), [])), 'crl_signature');
  assert.equal(await say([], { digest: 'sha1' }), 'crl_signature');
  assert.equal(await say([], { outerAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) }), 'crl_syntax');
  const mute = root.createIntermediate('Mute', { keyUsages: ['keyCertSign'] });
  assert.equal(await outcome(crl(mute, []), mute.issue(), mute), 'crl_issuer');
});

test('attack 57 delta, indirect and partial lists do not count', async () => {
  const delta = extension('2.5.29.27', integer(1), true);
  assert.equal(await say([], { extensions: [delta] }), 'crl_scope');
  const partial = [
    issuingDistributionPoint(URL, [4]),
    issuingDistributionPoint(URL, [5]),
    issuingDistributionPoint(URL, [1, 2]),
    issuingDistributionPoint(URL, [], Buffer.from([1, 0x40])),
  ];
  for (const item of partial) assert.equal(await say([], { extensions: [item] }), 'crl_scope');
});

test('attack 57 lists for users only or authorities only speak of these alone', async () => {
  const users = { extensions: [issuingDistributionPoint(URL, [1])] };
  const authorities = { extensions: [issuingDistributionPoint(URL, [2])] };
  const child = issuing.createIntermediate('Child', { crlUrls: [URL] });
  assert.equal(await say([], users), 'clean');
  assert.equal(await say([], authorities), 'crl_scope');
  assert.equal(await outcome(crl(issuing, [], users), child), 'crl_scope');
  assert.equal(await outcome(crl(issuing, [], authorities), child), 'clean');
});

test('attack 57 a list of another distribution point does not count', async () => {
  assert.equal(await say([], { extensions: [issuingDistributionPoint(URL)] }), 'clean');
  assert.equal(await say([], { extensions: [issuingDistributionPoint('http://crl.example/b.crl')] }), 'crl_scope');
  const relative = extension(
    '2.5.29.28',
    sequence(tagged(0xa0, tagged(0xa1, sequence(oid('2.5.4.3'), utf8('x'))))),
    true,
  );
  assert.equal(await say([], { extensions: [relative] }), 'crl_scope');
});

test('attack 57 unknown critical extensions of list or entry, and entries of other issuers, spoil the list', async () => {
  assert.equal(await say([], { extensions: [extension('1.2.3', nothing, true)] }), 'crl_critical');
  assert.equal(await say([], { extensions: [extension('1.2.3', nothing)] }), 'clean');
  assert.equal(
    await say([], { entries: [crlEntry(1n, undefined, extension('1.2.3', nothing, true))] }),
    'crl_critical',
  );
  assert.equal(
    await say([], { entries: [crlEntry(1n, undefined, extension('2.5.29.29', sequence(), true))] }),
    'crl_critical',
  );
  assert.equal(
    await say([], { entries: [crlEntry(1n, undefined, extension('2.5.29.29', sequence()))] }),
    'crl_critical',
  );
});

test('attack 57 lists that are not strict DER do not count', async () => {
  const flag = extension('2.5.29.28', sequence(tagged(0x81, Buffer.from([0]))), true);
  const cases: readonly CrlOptions[] = [
    { version: integer(0) },
    { version: Buffer.alloc(0) },
    { extensions: [flag] },
    { number: -1n },
    { entries: [sequence(integer(5), octetString(nothing))] },
    { entries: [sequence(tagged(2, Buffer.from([0, 5])), tagged(0x17, Buffer.from('260101000000Z')))] },
    { entries: [sequence(tagged(2, Buffer.from([0, 5, 5])), tagged(0x17, Buffer.from('260101000000Z')))] },
    { entries: [sequence(integer(5), tagged(0x17, Buffer.from('260230000000Z')))] },
    { entries: [crlEntry(1n << 170n)] },
    { entries: [sequence(integer(5), tagged(0x17, Buffer.from('260101000000Z')), nothing)] },
    { entries: [nothing] },
  ];
  for (const [index, options] of cases.entries()) assert.equal(await say([], options), 'crl_syntax', `case ${index}`);
  const thirtieth = sequence(integer(leaf.serial), tagged(0x17, Buffer.from('260230000000Z')));
  assert.equal(
    await say([], { entries: [thirtieth] }),
    'listed -',
    'a serial that is listed is revoked, whatever its date',
  );
  const good = crl(issuing, [1n, 2n]);
  assert.equal(await outcome(good.subarray(0, -1)), 'crl_syntax');
  assert.equal(await outcome(Buffer.concat([good, Buffer.alloc(1)])), 'crl_syntax');
  assert.equal(await outcome(Buffer.from('-----BEGIN X509 CRL-----')), 'crl_syntax');
  assert.equal(await outcome(Buffer.alloc(33 * 1024 * 1024)), 'crl_syntax');
});

test('attack 31 no single flipped bit of a list hides an entry', { timeout: 60_000 }, async () => {
  const der = crl(issuing, [3n, leaf.serial, 5n]);
  for (let bit = 0; bit < der.length * 8; bit += 1) {
    const flipped = Buffer.from(der);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const result = await outcome(flipped);
    assert.ok(result.startsWith('crl_'), `bit ${bit}: ${result}`);
  }
});

test('attack 57 a list of a million entries is indexed in bounded memory, and nobody waits for it', {
  timeout: 60_000,
}, async () => {
  const count = 1_000_000;
  const serials = Array.from({ length: count }, (_, index) => (1n << 62n) + BigInt(index) * 977n);
  const one = crlEntry(serials[0] ?? 0n);
  const entries = Buffer.alloc(one.length * count);
  for (let index = 0; index < count; index += 1) {
    one.copy(entries, index * one.length);
    entries.writeBigUInt64BE(serials[index] ?? 0n, index * one.length + 4);
  }
  const der = crl(issuing, [], { entries: [entries] });
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  const before = process.memoryUsage().arrayBuffers;
  const list = await openCrl(der, parseCertificate(issuing.der), DEFAULT_ALGORITHM_POLICY);
  clearInterval(timer);
  assert.equal(list.entries.size, count);
  assert.ok(turns >= 20, `${turns} turns for others`);
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 24 * 1024 * 1024, `${grown} octets beside the list`);
  for (const index of [0, 1, 499_999, count - 1]) {
    const octets = Buffer.alloc(8);
    octets.writeBigUInt64BE(serials[index] ?? 0n);
    assert.ok(list.entries.find(octets) !== undefined);
    octets.writeBigUInt64BE((serials[index] ?? 0n) + 1n);
    assert.equal(list.entries.find(octets), undefined);
  }
});

test('attack 57 an algorithm that does not fit the issuer’s key, and lists of odd entries, do not count', async () => {
  const foreign = root.createIntermediate('Test Issuing', { keyType: 'rsa' });
  assert.equal(await outcome(crl(foreign, [])), 'crl_signature');
  assert.equal(await say([], { entries: [Buffer.alloc(0)] }), 'crl_syntax');
  const negative = sequence(tagged(2, Buffer.from([0xff, 0x7f])), tagged(0x17, Buffer.from('260101000000Z')));
  assert.equal(await say([], { entries: [negative] }), 'clean');
  const padded = sequence(tagged(2, Buffer.from([0xff, 0x80])), tagged(0x17, Buffer.from('260101000000Z')));
  assert.equal(await say([], { entries: [padded] }), 'crl_syntax');
});

test('attack 57 an entry with long extensions is found like any other, and a list may name no point', async () => {
  const long = crlEntry(leaf.serial, 1, extension('1.2.3', octetString(Buffer.alloc(300))));
  assert.equal(await say([], { entries: [crlEntry(7n), long] }), 'listed 1');
  assert.equal(await say([], { extensions: [issuingDistributionPoint(undefined, [1])], number: null }), 'clean');
});
