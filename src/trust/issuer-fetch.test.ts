import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { type Authority, createAuthority } from '../../test/support/certificates.ts';
import { NOW } from '../../test/support/judging.ts';
import { createTrust, type TrustObservation } from './index.ts';
import type { IssuerFetchSettings } from './issuer-fetch.ts';
import { Unusable } from './unusable.ts';

const BASE = 'http://ca.example/certs/';
const root = createAuthority('Test Root');
const issuing = root.createIntermediate('Issuing', { caIssuersUrls: [`${BASE}root.cer`] });
const leaf = issuing.issue({ caIssuersUrls: [`${BASE}issuing.cer`] });

/** A bank that may fetch issuers, and what the addresses answer. */
function bankOf(settings: IssuerFetchSettings | undefined, answers: Readonly<Record<string, Uint8Array>> = {}) {
  const asked: string[] = [];
  const observations: TrustObservation[] = [];
  let now = NOW;
  const trust = createTrust({
    clock: { now: () => now },
    schemes: new Map([
      ['bank', { anchors: [root.certificatePem], extendedKeyUsages: ['clientAuth'], fetchIssuers: settings }],
    ]),
    observe: (observation) => observations.push(observation),
    fetchIssuer: async (url) => {
      asked.push(url);
      const answer = answers[url];
      if (answer === undefined) throw new Unusable('fetch_failed', 'nobody answers');
      return answer;
    },
  });
  const judged = async (...chain: readonly Uint8Array[]) => {
    const verdict = await trust.judge(chain, 'bank');
    return verdict.ok ? 'ok' : verdict.detail;
  };
  const at = (seconds: number) => {
    now = new Date(NOW.getTime() + seconds * 1000);
  };
  return { trust, asked, observations, judged, at };
}

const allowed = { addresses: [BASE] };

test('attack 43 without the setting nothing is fetched, and with it nothing but what the operator named', async () => {
  const off = bankOf(undefined, { [`${BASE}issuing.cer`]: issuing.der });
  assert.equal(await off.judged(leaf.der), 'issuer_unknown');
  assert.deepEqual(off.asked, []);
  const strange = [
    'http://ca.example/certs',
    'http://ca.example/certs/../admin',
    'http://ca.example/certs/%2e%2e/admin',
    'http://ca.example.evil.example/certs/a',
    'http://ca.example@evil.example/certs/a',
    'https://ca.example/certs/a',
    'http://ca.example:8080/certs/a',
    'http://169.254.169.254/latest',
    'ldap://ca.example/certs/a',
    'file:///etc/passwd',
  ];
  for (const url of strange) {
    const bank = bankOf(allowed, { [url]: issuing.der });
    assert.equal(await bank.judged(issuing.issue({ caIssuersUrls: [url] }).der), 'issuer_unknown', url);
    assert.deepEqual(bank.asked, [], url);
  }
});

test('a missing intermediate is fetched as DER or PEM, judged like any other, and remembered', async () => {
  for (const octets of [issuing.der, Buffer.from(issuing.certificatePem)]) {
    const bank = bankOf(allowed, { [`${BASE}issuing.cer`]: octets });
    assert.equal(await bank.judged(leaf.der), 'ok');
    const sibling = issuing.issue({ caIssuersUrls: [`${BASE}issuing.cer`] });
    assert.equal(await bank.judged(sibling.der), 'ok');
    assert.deepEqual(bank.asked, [`${BASE}issuing.cer`]);
    assert.equal(await bank.judged(...leaf.chain), 'ok');
    assert.deepEqual((await bank.trust.explain([leaf.der], 'bank')).path.length, 3);
  }
  const exact = bankOf({ addresses: [`${BASE}issuing.cer`] }, { [`${BASE}issuing.cer`]: issuing.der });
  assert.equal(await exact.judged(leaf.der), 'ok');
});

test('a fetched certificate gains nothing by where it came from', async () => {
  const url = `${BASE}issuing.cer`;
  const rogue = createAuthority('Test Root').createIntermediate('Issuing');
  const wrong: readonly (readonly [Uint8Array, string])[] = [
    [rogue.der, 'path_signature'],
    [root.createIntermediate('Other').der, 'issuer_unknown'],
    [root.issue({ commonName: 'Issuing' }).der, 'path_signature'],
    [Buffer.from('<html>'), 'issuer_unknown'],
    [Buffer.alloc(0), 'issuer_unknown'],
    [Buffer.from(`${issuing.certificatePem}${root.certificatePem}`), 'issuer_unknown'],
    [Buffer.concat([issuing.der, Buffer.of(0)]), 'issuer_unknown'],
    // A bundle: SEQUENCE, then the object identifier of signedData.
    [Buffer.from('300b06092a864886f70d010702', 'hex'), 'issuer_unknown'],
  ];
  for (const [octets, expected] of wrong) {
    const bank = bankOf(allowed, { [url]: octets });
    assert.equal(await bank.judged(leaf.der), expected);
  }
  const old = root.createIntermediate('Old', { notAfter: new Date(NOW.getTime() - 1_000) });
  const below = old.issue({ caIssuersUrls: [url] });
  assert.equal(await bankOf(allowed, { [url]: old.der }).judged(below.der), 'expired');
});

test('attack 36 a loop of authorities, or a chain without end, costs three fetches', async () => {
  const answers: Record<string, Uint8Array> = {};
  const authorities: Authority[] = [createAuthority('Deep 0')];
  for (let depth = 1; depth <= 6; depth += 1) {
    const url = `${BASE}${depth - 1}`;
    authorities.push((authorities[depth - 1] ?? root).createIntermediate(`Deep ${depth}`, { caIssuersUrls: [url] }));
  }
  for (const [index, authority] of authorities.entries()) answers[`${BASE}${index}`] = authority.der;
  const bottom = authorities.at(-1)?.issue({ caIssuersUrls: [`${BASE}6`] });
  const deep = bankOf(allowed, answers);
  assert.notEqual(await deep.judged(bottom?.der ?? Buffer.alloc(0)), 'ok');
  assert.equal(deep.asked.length, 3);
  const self = createAuthority('Self');
  const round = bankOf(allowed, { [`${BASE}self`]: self.der });
  assert.equal(await round.judged(self.issue({ caIssuersUrls: [`${BASE}self`] }).der), 'issuer_unknown');
  assert.equal(round.asked.length, 1);
});

test('an address that fails is left alone for a while, and strangers cause no more than sixty fetches a minute', async () => {
  const bank = bankOf(allowed);
  const stranger = createAuthority('Stranger');
  const named = (path: string) => stranger.issue({ caIssuersUrls: [`${BASE}${path}`] }).der;
  const [one, other] = [named('same'), named('same')];
  assert.equal(await bank.judged(one), 'issuer_unknown');
  assert.equal(await bank.judged(other), 'issuer_unknown');
  assert.equal(bank.asked.length, 1);
  for (let index = 0; index < 70; index += 1) await bank.judged(named(String(index)));
  assert.equal(bank.asked.length, 60);
  assert.ok(bank.observations.some((seen) => seen.kind === 'fetch' && seen.outcome === 'fetch_paused'));
  bank.at(61);
  await bank.judged(named('later'));
  assert.equal(bank.asked.length, 61);
});

test('attack 43 private addresses are refused, also named ones, unless the setting allows them', async () => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/pkix-cert');
    response.end(issuing.der);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/issuing.cer`;
  const own = issuing.issue({ caIssuersUrls: [url] });
  for (const allowPrivateAddresses of [false, true]) {
    const schemes = new Map([
      [
        'bank',
        {
          anchors: [root.certificatePem],
          extendedKeyUsages: ['clientAuth'],
          fetchIssuers: { addresses: [url], allowPrivateAddresses },
        },
      ],
    ]);
    const trust = createTrust({ clock: { now: () => NOW }, schemes });
    const verdict = await trust.judge([own.der], 'bank');
    assert.equal(verdict.ok, allowPrivateAddresses);
    await trust.close();
  }
  server.close();
  server.closeAllConnections();
});

test('settings that name no address are refused', () => {
  for (const addresses of [
    [],
    ['nonsense'],
    ['ftp://ca.example/'],
    ['http://user@ca.example/'],
    ['http://ca.example/#a'],
  ])
    assert.throws(() => bankOf({ addresses }), /bank bank: trust scheme: fetchIssuers/);
});
