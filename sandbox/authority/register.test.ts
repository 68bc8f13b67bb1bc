import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import { type Places, placesOf } from '../places.ts';
import { statementIssuer } from './directory.ts';
import { createParticipant, planOf } from './participant.ts';
import { openRegister } from './register.ts';

const NOW = new Date('2026-05-04T12:00:00Z');
const DAY_MS = 86_400_000;

/** Runs openssl as an independent reader. @throws when it does not agree */
function openssl(...words: readonly string[]): string {
  return execFileSync('openssl', [...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function verifies(
  authority: string,
  purpose: string,
  certificate: string,
  at: Date,
  ...more: readonly string[]
): string {
  const moment = String(Math.floor(at.getTime() / 1000));
  const strict = ['-x509_strict', '-auth_level', '2', '-attime', moment, '-purpose', purpose, '-CAfile', authority];
  return openssl('verify', ...strict, ...more, '-untrusted', certificate, certificate);
}

async function contents(directory: string): Promise<ReadonlyMap<string, string>> {
  const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name)).toSorted();
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)));
}

describe('the test authority', () => {
  let places: Places;
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'portcullis-authority-'));
    places = placesOf(root);
    await openRegister(places, ['gobank', 'labbank'], NOW);
  });
  after(() => rm(root, { recursive: true, force: true }));
  const at = (...parts: readonly string[]) => join(places.sandbox, ...parts);

  test('openssl refuses each certificate for another purpose or under another authority', () => {
    const rootCertificate = at('authority', 'root.pem');
    assert.throws(() => verifies(rootCertificate, 'sslclient', at('platform', 'gateway.pem'), NOW));
    assert.throws(() =>
      verifies(at('authority', 'internal.pem'), 'sslclient', at('participants', 'financroo', 'transport.pem'), NOW),
    );
    assert.throws(() => verifies(rootCertificate, 'sslclient', at('platform', 'server.pem'), NOW));
    assert.throws(() => verifies(rootCertificate, 'sslserver', at('participants', 'paymate', 'transport.pem'), NOW));
  });

  test('openssl verifies every certificate for its purpose, strictly', () => {
    const rootCertificate = at('authority', 'root.pem');
    const internal = at('authority', 'internal.pem');
    for (const name of ['financroo', 'paymate', 'suspendedpay']) {
      assert.match(verifies(rootCertificate, 'sslclient', at('participants', name, 'transport.pem'), NOW), /: OK/);
      assert.match(verifies(rootCertificate, 'any', at('participants', name, 'signing.pem'), NOW), /: OK/);
    }
    const server = ['-verify_hostname', 'localhost', '-verify_ip', '::1'];
    assert.match(verifies(rootCertificate, 'sslserver', at('platform', 'server.pem'), NOW, ...server), /: OK/);
    assert.match(verifies(internal, 'sslclient', at('platform', 'gateway.pem'), NOW), /: OK/);
    assert.match(verifies(internal, 'sslserver', at('banks', 'gobank', 'server.pem'), NOW, ...server), /: OK/);
  });

  test('openssl reads the organisation identifier, the key usage and the PSD2 statement of a transport certificate', async () => {
    const text = openssl('x509', '-in', at('participants', 'financroo', 'transport.pem'), '-noout', '-text');
    assert.match(text, /organizationIdentifier ?= ?PSDXX-SANDBOX-\d{6}/);
    assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
    assert.match(text, /TLS Web Client Authentication\n/);
    assert.match(text, /qcStatements/);
    assert.match(text, /Public-Key: \(2048 bit\)/);
    assert.doesNotMatch(text, /TLS Web Server Authentication/);
    const { raw } = new X509Certificate(await readFile(at('participants', 'paymate', 'transport.pem')));
    assert.ok(raw.includes('PSP_PI'));
    assert.ok(!raw.includes('PSP_AI'));
  });

  test('N-278 private keys can be read by their owner alone', async () => {
    const keys = [...(await contents(places.sandbox)).entries()].filter(([, text]) => /PRIVATE KEY|"d"/.test(text));
    assert.ok(keys.length >= 14);
    for (const [path] of keys) assert.equal((await stat(path)).mode & 0o777, 0o600, path);
  });

  test('a software statement holds what the directory vouches for, and no other key verifies it', async () => {
    const keys = JSON.parse(await readFile(at('authority', 'directory.jwks.json'), 'utf8'));
    const statement = (await readFile(at('participants', 'financroo', 'software-statement.jwt'), 'utf8')).trim();
    const options = { issuer: statementIssuer, algorithms: ['ES256'], currentDate: NOW };
    const { payload } = await jwtVerify(statement, createLocalJWKSet(keys), options);
    assert.equal(payload.org_id, 'financroo');
    assert.deepEqual(payload.software_roles, ['AISP', 'PISP', 'CBPII']);
    assert.deepEqual(payload.software_redirect_uris, ['https://localhost:8091/callback']);
    assert.match(String(payload.software_id), /^[0-9a-zA-Z]{22}$/);
    assert.doesNotMatch(JSON.stringify(payload.software_jwks), /"[dpq]":/);
    const foreign = createPublicKey(await readFile(at('participants', 'financroo', 'signing.pem'), 'utf8'));
    await assert.rejects(jwtVerify(statement, foreign, options));
  });

  test('the signing JWK signs what the key of the statement verifies', async () => {
    const jwk = JSON.parse(await readFile(at('participants', 'financroo', 'signing.jwk.json'), 'utf8'));
    const signed = await new SignJWT({}).setProtectedHeader({ alg: 'PS256', kid: jwk.kid }).sign(await importJWK(jwk));
    const certificate = new X509Certificate(await readFile(at('participants', 'financroo', 'signing.pem')));
    await jwtVerify(signed, certificate.publicKey);
  });

  test('CLD-05 a second start changes no key and no certificate', async () => {
    const first = await contents(places.sandbox);
    const { renewed } = await openRegister(places, ['gobank', 'labbank'], new Date(NOW.getTime() + DAY_MS));
    const second = await contents(places.sandbox);
    assert.deepEqual(renewed, []);
    assert.deepEqual([...second.keys()], [...first.keys()]);
    const changed = [...second].filter(([path, text]) => first.get(path) !== text).map(([path]) => path);
    const dated = /software-statement\.jwt$|authority\/register\.json$/;
    assert.ok(changed.length > 0 && changed.every((path) => dated.test(path)), String(changed));
  });

  test('WSN-14 the authority publishes the authorisation of every participant, dated at the start', async () => {
    const entries: unknown = JSON.parse(await readFile(places.directoryEntries, 'utf8'));
    assert.ok(Array.isArray(entries));
    const { publishedAt, authorisations } = JSON.parse(await readFile(places.authorityRegister, 'utf8'));
    assert.equal(publishedAt, new Date(NOW.getTime() + DAY_MS).toISOString());
    assert.deepEqual(
      authorisations,
      entries.map(({ registrationNumber, roles }) => {
        const [country, authority, number] = String(registrationNumber).slice(3).split('-');
        return { country, authority, number, roles: { XX: roles } };
      }),
    );
  });

  test('participant: what cannot be meant is refused with a sentence', () => {
    assert.throws(() => planOf(['--roles', 'AISP']), /one name/);
    assert.throws(() => planOf(['Bad Name', '--roles', 'AISP']), /lower-case/);
    assert.throws(() => planOf(['../../etc', '--roles', 'AISP']), /lower-case/);
    assert.throws(() => planOf(['newpay']), /--roles takes/);
    assert.throws(() => planOf(['newpay', '--roles', 'AISP,ADMIN']), /--roles takes/);
    assert.throws(() => planOf(['newpay', '--roles', 'AISP', '--status', 'king']), /--status takes/);
    assert.throws(() => planOf(['newpay', '--roles', 'AISP', '--redirect-uri', 'http://x']), /https/);
    assert.throws(() => planOf(['newpay', '--roles', 'AISP', '--rolles', 'AISP']), /rolles/);
  });

  test('participant: another one is made before the platform ever ran, once, and stays over starts', async () => {
    const plan = planOf(['newpay', '--roles', 'AISP,PISP', '--redirect-uri', 'https://newpay.example/cb']);
    const lines = await createParticipant(places, plan, NOW);
    assert.match(lines.join('\n'), /newpay \(AISP, PISP; approved\)/);
    const transport = at('participants', 'newpay', 'transport.pem');
    assert.match(verifies(at('authority', 'root.pem'), 'sslclient', transport, NOW), /: OK/);
    await assert.rejects(createParticipant(places, plan, NOW), /there is a participant newpay already/);
    const { entries } = await openRegister(places, ['gobank', 'labbank'], NOW);
    assert.deepEqual(
      entries.map(({ id, status }) => [id, status]),
      [
        ['financroo', 'approved'],
        ['paymate', 'approved'],
        ['suspendedpay', 'suspended'],
        ['gobank-core', 'approved'],
        ['labbank-core', 'approved'],
        ['newpay', 'approved'],
      ],
    );
  });

  test('N-277 ASK-02 two years later a start renews what ran out, and every key stays', async () => {
    const later = new Date(NOW.getTime() + 730 * DAY_MS);
    const transport = at('participants', 'financroo', 'transport.pem');
    assert.throws(() => verifies(at('authority', 'root.pem'), 'sslclient', transport, later));
    const keysBefore = [...(await contents(places.sandbox))].filter(([path]) => path.endsWith('.key'));
    const { renewed } = await openRegister(places, ['gobank', 'labbank'], later);
    const after = await contents(places.sandbox);
    assert.deepEqual(renewed.toSorted(), [
      'financroo',
      'gobank-core',
      'labbank-core',
      'newpay',
      'paymate',
      'suspendedpay',
    ]);
    for (const [path, text] of keysBefore) assert.equal(after.get(path), text, path);
    assert.match(verifies(at('authority', 'root.pem'), 'sslclient', transport, later), /: OK/);
  });

  test('N-277 a certificate with less than seven days left is renewed, one with more is not', async () => {
    const transport = at('participants', 'financroo', 'transport.pem');
    const end = new X509Certificate(await readFile(transport)).validToDate.getTime();
    assert.deepEqual((await openRegister(places, [], new Date(end - 8 * DAY_MS))).renewed, []);
    const { renewed } = await openRegister(places, [], new Date(end - 6 * DAY_MS));
    assert.ok(renewed.includes('financroo'));
  });

  test('N-277 a renewed issuing authority reaches the files that send it along', async () => {
    const issuing = at('authority', 'issuing.pem');
    const end = new X509Certificate(await readFile(issuing)).validToDate.getTime();
    const near = new Date(end - 3 * DAY_MS);
    await openRegister(places, [], near);
    assert.ok(new X509Certificate(await readFile(issuing)).validToDate.getTime() > end);
    const chain = await readFile(at('participants', 'financroo', 'transport.pem'), 'utf8');
    assert.ok(chain.endsWith(await readFile(issuing, 'utf8')));
  });
});
