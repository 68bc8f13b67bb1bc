import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { opensslClient } from '../../test/support/openssl-client.ts';
import { type Door, openDoor } from './door.ts';
import { tlsOptions } from './door-tls.ts';

/** Printed when a handshake of TLS 1.2 is done. */
const DONE_12 = 'Extended master secret';
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r';
const authority = createAuthority('Door Root');
const server = authority.issueServer({ keyType: 'rsa' });
const participant = authority.issue({ commonName: 'participant' });
const tls = {
  key: server.keyPem,
  certificate: server.chainPem,
  clientCertificate: 'request',
  authorities: [authority.certificatePem],
} as const;

let directory: string;
let door: Door;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'portcullis-door-'));
  door = await openDoor({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    authorities: ['localhost'],
    tls,
    handler: (_request, response) => void response.end('served'),
  });
});
after(async () => {
  await door.close();
  rmSync(directory, { recursive: true });
});

/** Options by which openssl shows a certificate. */
function showing({ chainPem, keyPem }: Issued): readonly string[] {
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  return ['-cert', file('client.pem', chainPem), '-key', file('client.key', keyPem)];
}

test('§10.2 a renegotiation is refused: the certificate that was read is the one of the whole connection', async () => {
  const { status, said } = await opensslClient(
    door.port,
    ['-tls1_2', ...showing(participant)],
    [
      [DONE_12, 'R'],
      ['RENEGOTIATING', 'Q'],
    ],
  );
  assert.equal(status, 1);
  assert.match(said, /RENEGOTIATING\n[^\n]*no renegotiation/);
});

test('openssl would renegotiate with a server whose options allow it: the test above can fail', async (context) => {
  const lax = createServer({ ...tlsOptions(tls), secureOptions: 0 }).listen(0, '127.0.0.1');
  await new Promise((resolve) => lax.once('listening', resolve));
  context.after(() => lax.close());
  const address = lax.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cues = [
    [DONE_12, 'R'],
    ['verify return:1', 'Q'],
  ] as const;
  const { status, said } = await opensslClient(port, ['-tls1_2'], cues);
  assert.equal(status, 0);
  assert.match(said, /RENEGOTIATING\n[\s\S]*DONE/);
});

test('§10.2 what is asked of a client’s certificate: whose, and signatures of SHA-256 or better', async () => {
  for (const version of ['-tls1_2', '-tls1_3']) {
    const { said } = await opensslClient(door.port, [version]);
    assert.match(said, /Acceptable client certificate CA names\nCN = Door Root\n/, version);
    const [, algorithms = ''] = /Requested Signature Algorithms: (.*)/.exec(said) ?? [];
    assert.match(algorithms, /ECDSA\+SHA256/, version);
    assert.doesNotMatch(algorithms, /SHA1|SHA224|DSA\+SHA1|MD5/, version);
  }
});

test('attack 1 and 2 a session that openssl kept is not resumed', async () => {
  const shown = showing(participant);
  const file = join(directory, 'session');
  for (const version of ['-tls1_2', '-tls1_3']) {
    const cues = [['Verify return code', REQUEST]] as const;
    const first = await opensslClient(door.port, [version, '-ign_eof', '-sess_out', file, ...shown], cues);
    assert.match(first.said, /served/);
    const again = await opensslClient(door.port, [version, '-ign_eof', '-sess_in', file, ...shown], cues);
    assert.match(again.said, /New, TLSv1[\s\S]*served/, version);
    assert.doesNotMatch(again.said, /Reused/, version);
  }
});

test('§10.3 openssl gets the four suites and no other, and neither TLS 1.0 nor 1.1', async () => {
  const offer = async (...options: readonly string[]) => (await opensslClient(door.port, options)).said;
  const weak = 'ALL:!ECDHE-RSA-AES128-GCM-SHA256:!ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0';
  assert.match(await offer('-tls1_2', '-cipher', weak), /alert handshake failure/);
  assert.match(await offer('-tls1_2'), /Cipher is ECDHE-RSA-AES128-GCM-SHA256/);
  assert.match(await offer('-tls1_3'), /Cipher is TLS_AES_256_GCM_SHA384/);
  assert.match(await offer('-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'), /alert handshake failure/);
  for (const version of ['-tls1', '-tls1_1'])
    assert.match(await offer(version, '-cipher', 'ALL:@SECLEVEL=0'), /alert protocol version/, version);
  assert.match(await offer('-tls1_2', '-sigalgs', 'RSA+SHA1:RSA+SHA224'), /alert handshake failure/);
});

test('§10.2 HTTP/1.1 alone is agreed on', async () => {
  assert.match((await opensslClient(door.port, ['-alpn', 'h2,http/1.1'])).said, /ALPN protocol: http\/1\.1/);
  assert.match((await opensslClient(door.port, ['-alpn', 'h2'])).said, /alert no application protocol/);
});
