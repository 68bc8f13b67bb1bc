import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { test } from 'node:test';
import {
  type Authority,
  algorithmOf,
  type CertificateOptions,
  createAuthority,
  extension,
  type Issued,
  type KeyType,
  newKey,
} from '../../test/support/certificates.ts';
import { bitString, explicit, implicit, nothing, sequence } from '../../test/support/der.ts';
import { type Chance, chanceOf, mutated, seedOf } from '../../test/support/fuzz.ts';
import { NOW } from '../../test/support/judging.ts';
import { opensslOpinions } from '../../test/support/openssl.ts';
import { at } from '../../test/support/revocation.ts';
import { judgeChain } from './judge.ts';
import { compileScheme } from './scheme.ts';
import { parseCertificate } from './x509.ts';

const root = createAuthority('Fuzz Root');
const scheme = compileScheme({ anchors: [root.certificatePem], extendedKeyUsages: ['clientAuth'] });
const ours = (chain: readonly Uint8Array[]): string => {
  const { verdict } = judgeChain(chain, scheme, NOW);
  return verdict.ok ? 'OK' : verdict.detail;
};

/**
 * What openssl refuses and we accept, by openssl's words, each with its reason. That the words are about it is checked as
 * well: a key identifier must really differ from the one that the authority wrote.
 */
const LOOSER: ReadonlyMap<string, string> = new Map([
  ['unable to get local issuer certificate', 'OpenSSL lets key identifiers decide; here they never do (§7.1 rule 4)'],
  ['Missing Authority Key Identifier', 'RFC 5280 asks authorities to write it; nothing rests on it here'],
  ['Missing Subject Key Identifier', 'the same'],
]);

const KEY_IDENTIFIERS = ['2.5.29.14', '2.5.29.35'];

function keyIdentifiersDiffer(one: Uint8Array, other: Uint8Array): boolean {
  const [first, second] = [one, other].map((der) => parseCertificate(der).extensions);
  return KEY_IDENTIFIERS.some((id) => {
    const [a, b] = [first?.get(id), second?.get(id)];
    return a === undefined || b === undefined || Buffer.compare(a.value, b.value) !== 0;
  });
}

interface Altered {
  readonly chain: readonly Uint8Array[];
  readonly original: readonly Uint8Array[];
}

/** What we accepted and openssl refuses without a listed reason. */
function unexplained(accepted: readonly Altered[]): readonly string[] {
  const leaves = accepted.map(({ chain: [leaf = Buffer.alloc(0)] }) => leaf);
  const untrusted = accepted.flatMap(({ chain }) => chain.slice(1));
  const opinions = opensslOpinions(leaves, { untrusted, anchors: [root.der] });
  return opinions.flatMap((opinion, index) => {
    if (opinion === 'OK') return [];
    const { chain = [], original = [] } = accepted[index] ?? {};
    const differ = chain.some((der, place) => keyIdentifiersDiffer(der, original[place] ?? der));
    const listed = differ && LOOSER.has(opinion);
    return listed ? [] : [`${opinion}: ${chain.map((der) => Buffer.from(der).toString('hex')).join(' ')}`];
  });
}

function resigned(tbs: Uint8Array, { key }: Issued): Buffer {
  return sequence(tbs, algorithmOf(key), bitString(sign('sha256', tbs, key)));
}

const tbsOf = ({ der }: Issued): Uint8Array => parseCertificate(der).tbs;

const PARTICIPANT: CertificateOptions = {
  dnsNames: ['a.example'],
  organization: 'Fuzz',
  organizationIdentifier: 'PSDGB-FCA-1',
  roles: ['AISP'],
  crlUrls: ['http://crl.example/a.crl'],
};

test('differential: of 5,000 altered certificates, most of them signed anew, none is accepted that openssl refuses', {
  timeout: 120_000,
}, (t) => {
  const seed = seedOf(20_261_121);
  t.diagnostic(`seed ${seed}`);
  const chance = chanceOf(seed);
  const template = root.issue(PARTICIPANT);
  const tbs = tbsOf(template);
  const accepted: Altered[] = [];
  for (let round = 0; round < 5_000; round += 1) {
    const der = round % 5 === 0 ? mutated(template.der, chance) : resigned(mutated(tbs, chance), root);
    if (ours([der]) === 'OK') accepted.push({ chain: [der], original: [template.der] });
  }
  t.diagnostic(`${accepted.length} accepted`);
  assert.ok(accepted.length > 100, `seed ${seed}: only ${accepted.length} alterations were harmless`);
  assert.deepEqual(unexplained(accepted), [], `seed ${seed}`);
});

/** A chain of two authorities and a leaf, with one of the three altered and signed anew by its issuer. */
function alteredChain(name: string, keys: readonly Issued['key'][], chance: Chance): Altered {
  const { next, pick } = chance;
  const upper = root.createIntermediate(`Upper ${name}`, { key: pick(keys) });
  const lower = upper.createIntermediate(`Lower ${name}`, { key: pick(keys), pathLength: 0 });
  const leaf = lower.issue({ ...PARTICIPANT, key: pick(keys) });
  const members: readonly (readonly [Issued, Authority])[] = [
    [leaf, lower],
    [lower, upper],
    [upper, root],
  ];
  const target = next(members.length);
  const original = members.map(([member]) => member.der);
  const chain = members.map(([member, issuer], place) =>
    place === target ? resigned(mutated(tbsOf(member), chance), issuer) : member.der,
  );
  return { chain: rearranged(chain, chance), original: chain.map((_, place) => original[place] ?? Buffer.alloc(0)) };
}

/** Sometimes a member is missing, doubled, or at another place. */
function rearranged(chain: readonly Buffer[], { next, pick }: Chance): readonly Buffer[] {
  const [leaf, ...issuers] = chain;
  if (leaf === undefined || next(4) > 0) return chain;
  return [leaf, ...pick([issuers.slice(1), issuers.toReversed(), [...issuers, ...issuers], [leaf, ...issuers]])];
}

test('differential: of 3,000 altered chains none is accepted that openssl refuses', { timeout: 120_000 }, (t) => {
  const seed = seedOf(31);
  t.diagnostic(`seed ${seed}`);
  const chance = chanceOf(seed);
  const keys = Array.from({ length: 6 }, () => newKey('ec'));
  const accepted: Altered[] = [];
  for (let round = 0; round < 3_000; round += 1) {
    const altered = alteredChain(String(round), keys, chance);
    if (ours(altered.chain) === 'OK') accepted.push(altered);
  }
  t.diagnostic(`${accepted.length} accepted`);
  assert.ok(accepted.length > 100, `seed ${seed}: only ${accepted.length} alterations were harmless`);
  assert.deepEqual(unexplained(accepted), [], `seed ${seed}`);
});

/** What we refuse and openssl accepts, by our code, each with the rule that it does not have. */
const STRICTER: Readonly<Record<string, string>> = {
  key_usage: 'OpenSSL takes a missing key usage for all of them (§7.1 rule 9)',
  eku: 'and a missing or any extended key usage too',
  algorithm_policy: 'OpenSSL accepts secp256k1 (§7.2)',
  not_a_ca: 'a CA certificate without keyUsage is refused here (§7.1 rule 6)',
  path_budget: 'OpenSSL goes deeper than five certificates',
};

/** Random chains of zero to three authorities, right and wrong in all that path validation looks at. */
function randomChain(name: string, keys: ReadonlyMap<KeyType, readonly Issued['key'][]>, chance: Chance): Issued {
  const { pick, next } = chance;
  const keyOf = (type: KeyType) => pick(keys.get(type) ?? []);
  const dates = () => (next(12) === 0 ? pick([{ notAfter: at(-1) }, { notBefore: at(60) }]) : {});
  const subtree = () => sequence(explicit(next(2), sequence(implicit(2, Buffer.from('a.example')))));
  const extensions = () => [
    ...(next(16) === 0 ? [extension('1.2.3.4', nothing, true)] : []),
    ...(next(6) === 0 ? [extension('2.5.29.30', subtree(), true)] : []),
  ];
  const authorityOptions = (): CertificateOptions => {
    const authority = next(16) !== 0;
    const usages = next(16) === 0 ? { keyUsages: pick([['digitalSignature'], ['cRLSign']] as const) } : undefined;
    const limit = pick([{}, {}, { pathLength: 0 }, { pathLength: 1 }]);
    const purposes = pick([['serverAuth'], ['clientAuth', 'serverAuth'], ['any']]);
    return {
      key: keyOf('ec'),
      authority,
      ...(authority && usages === undefined ? limit : {}),
      ...(next(6) === 0 ? { extendedKeyUsages: purposes } : {}),
      ...usages,
      ...dates(),
      extensions: extensions(),
    };
  };
  let issuer = root;
  for (let depth = next(4); depth > 0; depth -= 1)
    issuer = issuer.createIntermediate(`CA ${name} ${depth}`, authorityOptions());
  return issuer.issue({
    key: keyOf(pick(['ec', 'ec', 'ec', 'ec', 'ec384', 'ec384', 'rsa1024', 'secp256k1'] as const)),
    dnsNames: pick([[], ['x.a.example'], ['b.example']]),
    keyUsages: next(4) > 0 ? ['digitalSignature'] : pick([['keyEncipherment'], []] as const),
    extendedKeyUsages: next(3) > 0 ? ['clientAuth'] : pick([['serverAuth'], ['any'], []]),
    ...(next(15) === 0 ? { raw: { digest: 'sha1' } } : {}),
    ...dates(),
    ...(next(12) === 0 ? { extensions: [extension('1.2.3.4', nothing, true)] } : {}),
  });
}

/** No two chains share an authority but the root, and openssl goes through all it is given for every certificate. */
function inParts(leaves: readonly Issued[]): readonly (readonly Issued[])[] {
  const size = 100;
  return Array.from({ length: leaves.length / size }, (_, part) => leaves.slice(part * size, (part + 1) * size));
}

test('differential: 2,000 random chains get the verdict of openssl, or a listed stricter one', {
  timeout: 120_000,
}, (t) => {
  const seed = seedOf(7);
  t.diagnostic(`seed ${seed}`);
  const chance = chanceOf(seed);
  const types: readonly KeyType[] = ['ec', 'ec384', 'rsa1024', 'secp256k1'];
  const keys = new Map(types.map((type) => [type, [newKey(type), newKey(type)]]));
  const leaves = Array.from({ length: 2_000 }, (_, round) => randomChain(String(round), keys, chance));
  const opinions = inParts(leaves).flatMap((part) =>
    opensslOpinions(
      part.map(({ der }) => der),
      { untrusted: part.flatMap(({ chain }) => chain.slice(1)), anchors: [root.der] },
    ),
  );
  const counts = { agreed: 0, accepted: 0 };
  const disputed = leaves.flatMap(({ chain }, round) => {
    const [own, opinion = ''] = [ours(chain), opinions[round]];
    if (own === 'OK') counts.accepted += 1;
    if ((own === 'OK') === (opinion === 'OK')) counts.agreed += 1;
    else if (own === 'OK' || !Object.hasOwn(STRICTER, own)) return [`${round}: we say ${own}, openssl says ${opinion}`];
    return [];
  });
  t.diagnostic(`${counts.agreed} agreed, ${counts.accepted} accepted`);
  assert.deepEqual(disputed, [], `seed ${seed}`);
  assert.ok(counts.agreed > 1_400 && counts.accepted > 200, `seed ${seed}: ${counts.agreed}, ${counts.accepted}`);
});
