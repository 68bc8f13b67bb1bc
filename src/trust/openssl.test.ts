import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { inDirectory } from '../../test/support/openssl.ts';
import { type IndexEntry, type OpensslResponder, startOpensslResponder } from '../../test/support/openssl-responder.ts';
import { crl, ocspResponse, responderOf } from '../../test/support/revocation.ts';
import { createTrust, type RevocationSettings } from './index.ts';
import { encodeCertId, encodeOcspRequest } from './ocsp-identity.ts';
import { parseCertificate } from './x509.ts';

const root = createAuthority('Test Root');
const issuing = root.createIntermediate('Test Issuing');
const names = ['valid', 'revoked', 'held', 'forgotten'] as const;
const keys = new Map(names.map((name) => [name, issuing.issue({ commonName: name, key: issuing.key })]));
/** A real responder is needed before its address can be in a certificate; serials are therefore fixed. */
const serials = new Map(names.map((name, index) => [name, 1_000n + BigInt(index)]));

async function responder(signer: Issued, extra: readonly string[] = []): Promise<OpensslResponder> {
  const entry = (name: (typeof names)[number], status: 'valid' | 'revoked', reason?: string): IndexEntry => {
    const certificate = { ...(keys.get(name) ?? issuing), serial: serials.get(name) ?? 0n };
    return reason === undefined ? { certificate, status } : { certificate, status, reason };
  };
  const entries = [
    entry('valid', 'valid'),
    entry('revoked', 'revoked', 'keyCompromise'),
    entry('held', 'revoked', 'certificateHold'),
  ];
  const running = await startOpensslResponder(issuing, signer, entries, extra);
  after(() => running.close());
  return running;
}

async function judged(url: string, name: (typeof names)[number], settings: RevocationSettings): Promise<string> {
  const certificate = issuing.issue({ commonName: name, serial: serials.get(name) ?? 0n, ocspUrls: [url] });
  const revocation = { allowPrivateAddresses: true, authorities: false, ...settings };
  const scheme = { anchors: [root.certificatePem], extendedKeyUsages: ['clientAuth'], revocation };
  const trust = createTrust({ clock: { now: () => new Date() }, schemes: new Map([['bank', scheme]]) });
  const verdict = await trust.judge(certificate.chain, 'bank');
  await trust.close();
  return verdict.ok ? `ok ${verdict.revocation?.nonce}` : verdict.reason;
}

const signers: readonly (readonly [string, Issued, readonly string[]])[] = [
  ['the issuer', issuing, []],
  ['a delegated responder', responderOf(issuing), []],
  ['a delegated responder by key', responderOf(issuing, { keyType: 'rsa' }), ['-resp_key_id']],
  ['the issuer without certificates', issuing, ['-resp_no_certs']],
];

for (const [name, signer, extra] of signers) {
  for (const certIdHash of ['sha1', 'sha256'] as const) {
    test(`openssl ocsp as responder: ${name}, ${certIdHash}`, { timeout: 20_000 }, async () => {
      const { url } = await responder(signer, extra);
      const settings = { certIdHash, nonce: 'require' } as const;
      assert.equal(await judged(url, 'valid', settings), 'ok matched');
      assert.equal(await judged(url, 'revoked', settings), 'certificate_revoked');
      assert.equal(await judged(url, 'held', settings), 'certificate_revoked');
      assert.equal(await judged(url, 'forgotten', settings), 'revocation_unknown');
      assert.equal(await judged(url, 'valid', { certIdHash, nonce: 'off' }), 'ok absent');
    });
  }
}

test('attack 52 openssl ocsp as responder of a stranger is not believed', { timeout: 20_000 }, async () => {
  for (const signer of [responderOf(root), issuing.issue(), responderOf(createAuthority('Test Issuing'))]) {
    const { url } = await responder(signer);
    assert.equal(await judged(url, 'valid', {}), 'revocation_unavailable');
  }
});

function openssl(files: Readonly<Record<string, string | Uint8Array>>, ...parameters: readonly string[]): string {
  return inDirectory((directory) => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
    const { stdout, stderr } = spawnSync('openssl', parameters, { cwd: directory, encoding: 'utf8' });
    return stdout + stderr;
  });
}

test('openssl reads the requests we write', () => {
  const [certificate, issuer] = [parseCertificate(issuing.issue({ serial: 77n }).der), parseCertificate(issuing.der)];
  const nonce = randomBytes(32);
  const text = openssl(
    { 'request.der': encodeOcspRequest(encodeCertId(certificate, issuer, 'sha256'), nonce) },
    ...['ocsp', '-reqin', 'request.der', '-req_text'],
  );
  assert.match(text, /Hash Algorithm: sha256/);
  assert.match(text, /Serial Number: 4D/);
  assert.match(text, new RegExp(nonce.toString('hex').slice(0, 32), 'i'));
  const plain = openssl(
    { 'request.der': encodeOcspRequest(encodeCertId(certificate, issuer, 'sha1'), undefined) },
    ...['ocsp', '-reqin', 'request.der', '-req_text'],
  );
  assert.match(plain, /Hash Algorithm: sha1/);
  assert.doesNotMatch(plain, /Nonce/);
});

test('openssl reads the answers and lists that the tests mint, so that they prove something', () => {
  const leaf = issuing.issue();
  const answer = openssl(
    {
      'answer.der': ocspResponse(issuing, leaf, { status: 'revoked', reason: 1 }),
      'ca.pem': issuing.certificatePem,
      'leaf.pem': leaf.certificatePem,
    },
    ...[
      'ocsp',
      '-respin',
      'answer.der',
      '-issuer',
      'ca.pem',
      '-cert',
      'leaf.pem',
      '-CAfile',
      'ca.pem',
      '-partial_chain',
      '-no_nonce',
    ],
  );
  assert.match(answer, /Response verify OK/);
  assert.match(answer, /^revoked$/m);
  assert.match(answer, /keyCompromise/);
  const list = openssl(
    { 'list.der': crl(issuing, [leaf.serial]), 'ca.pem': issuing.certificatePem },
    ...['crl', '-inform', 'DER', '-in', 'list.der', '-CAfile', 'ca.pem', '-noout', '-text'],
  );
  assert.match(list, /verify OK/);
  assert.match(list, new RegExp(`Serial Number: 0*${leaf.serial.toString(16)}`, 'i'));
});
