import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { before, test } from 'node:test';
import { type CryptoKey, createLocalJWKSet, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { issueCertificate } from '../../authority/certificate.ts';
import { octetString, sequence } from '../../authority/der.ts';
import { extension, leafConstraints, participantStatements } from '../../authority/extensions.ts';
import type { Exchange } from '../wire.ts';
import { createBindingFinder } from './binding.ts';
import { readCertificate } from './certificate.ts';
import { textOf } from './markup.ts';
import type { Message } from './messages.ts';
import { certificatesView, proofView } from './proof-view.ts';
import { createSignatureChecker, type Signature } from './signatures.ts';

const NOW = new Date('2026-05-15T12:00:00Z');
const ISSUER = 'https://bank.example/one';
const [KEYS, DOWN] = ['https://bank.example/one/jwks', 'https://bank.example/down/jwks'];

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A certificate with these extensions, from the test authority's own code. */
function certificate(name: string, ...extensions: readonly Uint8Array[]): string {
  const subject = { country: 'XX', organisation: 'Pay <b> Ltd', organisationIdentifier: 'PSDXX-T-1', commonName: name };
  const issuer = { subject: { country: 'XX', organisation: 'Test', commonName: 'Test CA' }, key: privateKey };
  const notAfter = new Date(NOW.getTime() + 86_400_000);
  return issueCertificate({ subject, publicKey, issuer, notBefore: NOW, notAfter, extensions });
}

const AUTHORITY = { name: 'Test Authority', id: 'XX-TEST' };
const own = certificate('pay', leafConstraints(), participantStatements('web', ['AISP', 'PISP'], AUTHORITY));
const stranger = certificate('stranger');

test('SCR-29 a statement of roles that is none is said to be unreadable, a missing one missing: no role is made up', () => {
  const broken = [octetString(Buffer.from('roles')), sequence(sequence()), Buffer.from([0x30, 0x05, 0x30])];
  for (const value of broken) {
    const fields = readCertificate(certificate('pay', extension('1.3.6.1.5.5.7.1.3', false, value)));
    assert.ok(fields.psd2 === 'unreadable' || fields.psd2 === undefined);
    assert.match(textOf(certificatesView([fields])), /pay: (roles that cannot be read|no roles)</);
  }
  assert.equal(readCertificate(stranger).psd2, undefined);
  for (const pem of ['', 'no certificate', own.slice(0, 200)]) assert.throws(() => readCertificate(pem));
});

test('SCR-29 a certificate in fields: names, dates, roles with their authority, key, both thumbprints; escaped', () => {
  const fields = readCertificate(own);
  const node = new X509Certificate(own);
  assert.deepEqual(fields.psd2, { roles: ['PSP_AI', 'PSP_PI'], authority: 'Test Authority', authorityId: 'XX-TEST' });
  assert.equal(fields.organisationIdentifier, 'PSDXX-T-1');
  assert.equal(fields.serial, node.serialNumber);
  assert.equal(fields.validUntil, '2026-05-16T12:00:00.000Z');
  assert.equal(fields.thumbprint.hex, node.fingerprint256.replaceAll(':', '').toLowerCase());
  assert.equal(Buffer.from(fields.thumbprint.x5tS256, 'base64url').toString('hex'), fields.thumbprint.hex);
  const page = textOf(certificatesView([fields]));
  for (const text of ['pay: AISP, PISP', 'Test Authority (XX-TEST)', 'EC, prime256v1']) {
    assert.ok(page.includes(text), text);
  }
  assert.match(page, /Pay .?&lt;b.?&gt; Ltd/);
});

let bank: { readonly privateKey: CryptoKey; readonly jwk: JWK };
let foreign: CryptoKey;

before(async () => {
  const pair = await generateKeyPair('ES256');
  bank = { privateKey: pair.privateKey, jwk: { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' } };
  foreign = (await generateKeyPair('ES256')).privateKey;
});

function exchange(sent: Readonly<Record<string, string>>, answered: unknown, more: Partial<Exchange> = {}): Exchange {
  return {
    ...{
      method: 'POST',
      url: `${ISSUER}/token`,
      requestHeaders: {},
      requestBody: new URLSearchParams(sent).toString(),
    },
    ...{ status: 200, responseHeaders: {}, cookies: [], responseBody: JSON.stringify(answered) },
    ...more,
  };
}

function signed(key: CryptoKey = bank.privateKey, kid = 'one', iss = ISSUER): Promise<string> {
  return new SignJWT({ iss, sub: 'customer' }).setProtectedHeader({ alg: 'ES256', kid }).sign(key);
}

async function check(idToken: string, sent: Readonly<Record<string, string>> = {}): Promise<readonly Signature[]> {
  const keys = { source: 'keys of a test', find: createLocalJWKSet({ keys: [bank.jwk] }) };
  const addresses = new Map([
    [ISSUER, KEYS],
    ['https://down.example', DOWN],
    ['https://wrong.example', 'no address'],
  ]);
  const checker = createSignatureChecker({
    ...{ own: keys, directory: keys, jwksUriOf: (issuer) => addresses.get(issuer) },
    fetch: async (url) => {
      if (url !== KEYS) throw new Error('nobody is there');
      return Response.json({ keys: [bank.jwk] });
    },
  });
  return checker(exchange(sent, { id_token: idToken, other: 'a.b.c', expires_in: 60 }));
}

test('SCR-29 a signature that does not hold is told so, with what is wrong; one that cannot be checked is no good one', async () => {
  const honest = await signed();
  const [header = '', , signature = ''] = honest.split('.');
  const changed = [header, Buffer.from(JSON.stringify({ iss: ISSUER, sub: 'other' })).toString('base64url'), signature];
  const unsigned = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${honest.split('.')[1]}.`;
  const secret = new TextEncoder().encode(JSON.stringify(bank.jwk));
  const shared = new SignJWT({ iss: ISSUER }).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(secret);
  const wrong: readonly (readonly [string | Promise<string>, Signature['verdict'], RegExp])[] = [
    [changed.join('.'), 'does not hold', /changed since/],
    [signed(foreign), 'does not hold', /not made with this key/],
    [signed(bank.privateKey, 'two'), 'does not hold', /no published key/],
    [unsigned, 'does not hold', /nobody may sign in this way/],
    [shared, 'does not hold', /nobody may sign in this way/],
    [signed(bank.privateKey, 'one', 'https://elsewhere.example'), 'not checked', /no bank of the list/],
    [signed(bank.privateKey, 'one', 'https://down.example'), 'not checked', /nobody is there/],
    [signed(bank.privateKey, 'one', 'https://wrong.example'), 'not checked', /URL/],
  ];
  for (const [token, verdict, why] of wrong) {
    const [found, ...more] = await check(await token);
    assert.deepEqual([found?.name, found?.verdict, more.length], ['id_token', verdict, 0], found?.why);
    assert.match(found?.why ?? '', why);
    const page = textOf(proofView({ ...message, signatures: found === undefined ? [] : [found] }, []));
    assert.match(page, /badge problem/);
    assert.doesNotMatch(page, /badge good/);
  }
});

test('SCR-29 a signature that holds is shown with algorithm, key and where the key was found, and without the JWT', async () => {
  const token = await signed();
  const found = await check(token, { client_assertion: token, code: 'a.b.c' });
  assert.deepEqual(
    found.map(({ name, verdict, algorithm, keyId, key, source }) => [name, verdict, algorithm, keyId, key, source]),
    [
      ['client_assertion', 'holds', 'ES256', 'one', 'EC, P-256', 'keys of a test'],
      ['id_token', 'holds', 'ES256', 'one', 'EC, P-256', `the bank’s keys at ${KEYS}`],
    ],
  );
  const page = textOf(proofView({ ...message, signatures: found }, []));
  assert.match(page, /signature holds<\/span> <code>id_token<\/code>: ES256 with key <code>one<\/code> \(EC, P-256\)/);
  for (const part of token.split('.')) assert.ok(!page.includes(part) && !JSON.stringify(found).includes(part));
});

const message: Message = {
  ...{ title: 'The bank’s API: accounts', says: '', clause: '', actor: 'Financroo', at: NOW.toISOString() },
  ...{ sent: { line: 'GET /', headers: [], body: undefined }, answered: undefined, curl: undefined },
};

test('SCR-29 token and certificate: another certificate, or none, is not the same; an unknown token is not judged', () => {
  const find = createBindingFinder();
  const certificates = [readCertificate(own), readCertificate(stranger)];
  const [mine = '', theirs = ''] = certificates.map(({ thumbprint }) => thumbprint.x5tS256);
  const call = exchange({}, {}, { requestHeaders: { Authorization: 'Bearer opaque' } });
  assert.equal(find(call, mine), undefined);
  assert.equal(find(exchange({ token: 'opaque' }, { active: false }), mine), undefined);
  const told = find(exchange({ token: 'opaque' }, { active: true, cnf: { 'x5t#S256': mine } }), mine);
  assert.deepEqual(told, { token: mine, told: 'introspection', certificate: mine, same: true });
  for (const other of [theirs, undefined]) {
    const binding = find(call, other);
    assert.deepEqual(binding, { token: mine, told: 'earlier', certificate: other, same: false });
    const page = textOf(proofView({ ...message, binding }, certificates));
    assert.match(page, /role="group" aria-label="Token and certificate"[\s\S]*not the same[\s\S]*The bank must refuse/);
    assert.match(page, other === undefined ? /has no certificate/ : /of the certificate of stranger/);
  }
  assert.match(textOf(proofView({ ...message, binding: find(call, mine) }, certificates)), /bound to us/);
});

test('SCR-29 a self-contained token tells by itself to which certificate it is bound', () => {
  const find = createBindingFinder();
  const claims = Buffer.from(JSON.stringify({ cnf: { 'x5t#S256': 'mine' } })).toString('base64url');
  const token = `eyJ.${claims}.signature`;
  assert.equal(find(exchange({}, { access_token: token }), 'mine')?.same, true);
  assert.equal(find(exchange({}, { access_token: token }), 'theirs')?.same, false);
  for (const none of ['opaque', 'a.b.c', `eyJ.${btoa('{"cnf":7}')}.x`]) {
    assert.equal(find(exchange({}, { access_token: none }), 'mine'), undefined);
  }
});
