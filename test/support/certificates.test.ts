import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority } from './certificates.ts';

test('minted certificates satisfy openssl with strict checks', () => {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-mint-'));
  try {
    const root = createAuthority('Test Root');
    const issuing = root.createIntermediate('Test Issuing', { pathLength: 0, country: 'GB' });
    for (const keyType of ['ec', 'rsa'] as const) {
      const leaf = issuing.issue({ keyType, organization: 'T & Co', roles: ['AISP', 'PISP'], dnsNames: ['a.example'] });
      writeFileSync(join(directory, 'root.pem'), root.certificatePem);
      writeFileSync(join(directory, 'issuing.pem'), issuing.certificatePem);
      writeFileSync(join(directory, 'leaf.pem'), leaf.certificatePem);
      const trust = ['-CAfile', 'root.pem', '-untrusted', 'issuing.pem'];
      const strict = ['-x509_strict', '-purpose', 'sslclient', '-auth_level', '2'];
      const output = execFileSync('openssl', ['verify', ...strict, ...trust, 'leaf.pem'], { cwd: directory });
      assert.match(output.toString(), /leaf\.pem: OK/);
      assert.equal(new X509Certificate(leaf.der).checkPrivateKey(leaf.key), true);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('server certificates carry localhost and both loopback addresses', () => {
  const server = createAuthority('Test Root').issueServer();
  const certificate = new X509Certificate(server.der);
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
});
