import assert from 'node:assert/strict';
import { constants, createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { after, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { NOW } from '../../test/support/judging.ts';
import {
  checkForwardedSource,
  createTrust,
  type ForwardedSource,
  isCertificateHeader,
  type TrustScheme,
} from './index.ts';

const SECRET = 's'.repeat(40);
const root = createAuthority('Client Root');
const issuing = root.createIntermediate('Issuing');
const tpp = issuing.issue({ commonName: 'tpp' });
const direct = root.issue({ commonName: 'direct' });
const proxyRoot = createAuthority('Proxy Root');
const proxy = proxyRoot.issue({ commonName: 'proxy' });
const serverRoot = createAuthority('Server Root');
const server = serverRoot.issueServer();
const forwardedValue = `:${tpp.der.toString('base64')}:`;
const chainValue = `:${issuing.der.toString('base64')}:`;

const bySecret: ForwardedSource = {
  header: 'Client-Cert',
  format: 'rfc9440',
  chainHeader: 'Client-Cert-Chain',
  proxies: ['127.0.0.1'],
  secret: { header: 'X-Proxy-Secret', value: SECRET },
};
const byIdentity: ForwardedSource = {
  header: 'Client-Cert',
  format: 'rfc9440',
  chainHeader: 'Client-Cert-Chain',
  proxies: ['127.0.0.0/8', '::1'],
  identity: { anchors: [proxyRoot.certificatePem], subject: 'CN=proxy' },
};

interface Door {
  readonly port: number;
  readonly warnings: readonly unknown[];
  /** Names of the headers that handlers saw last. */
  readonly seen: () => readonly string[];
}

async function open(
  source: ForwardedSource | undefined,
  kind: 'http' | 'https' = 'https',
  more: Partial<TrustScheme> = {},
): Promise<Door> {
  const warnings: unknown[] = [];
  let seen: readonly string[] = [];
  const trust = createTrust({
    clock: { now: () => NOW },
    schemes: new Map([['bank', { anchors: [root.certificatePem], extendedKeyUsages: ['clientAuth'], ...more }]]),
    forwarded: () => source,
    log: { warn: (fields) => warnings.push(fields) },
  });
  const handle: RequestListener = async (request, response) => {
    const verdict = await trust.clientCertificate(request, 'bank');
    seen = [
      ...request.rawHeaders.filter((_, index) => index % 2 === 0),
      ...Object.keys(request.headers),
      ...Object.keys(request.headersDistinct),
    ];
    const by = verdict.ok && verdict.revocation !== undefined ? ` by ${verdict.revocation.method}` : '';
    response.end(verdict.ok ? `ok ${verdict.certificate.commonName}${by}` : `${verdict.reason}/${verdict.detail}`);
  };
  const tls = { cert: server.chainPem, key: server.keyPem, requestCert: true, rejectUnauthorized: false };
  const options = { ...tls, secureOptions: constants.SSL_OP_NO_TICKET, maxHeaderSize: 48 * 1024 };
  const listener =
    kind === 'http' ? createHttpServer({ maxHeaderSize: 48 * 1024 }, handle) : createServer(options, handle);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  after(() => listener.close());
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, warnings, seen: () => seen };
}

/** Sends header lines as given and reads the answer. */
async function call(door: Door, lines: readonly string[], client?: Issued | 'plain'): Promise<string> {
  const identity = client === undefined || client === 'plain' ? {} : { cert: client.chainPem, key: client.keyPem };
  const socket =
    client === 'plain'
      ? connectTcp(door.port, '127.0.0.1')
      : connectTls({ host: '127.0.0.1', port: door.port, ca: serverRoot.certificatePem, ...identity });
  socket.write(['GET / HTTP/1.1', 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n'));
  let text = '';
  for await (const part of socket) text += String(part);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  if (!head.startsWith('HTTP/1.1 200')) return head.split('\r\n')[0] ?? '';
  return body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, '').split('\r\n')[0] ?? '';
}

const withSecret = `X-Proxy-Secret: ${SECRET}`;
const certificate = `Client-Cert: ${forwardedValue}`;
const issuers = `Client-Cert-Chain: ${chainValue}`;
const ABSENT = 'certificate_missing/certificate_absent';
const noCertificateHeaders = (door: Door) => {
  assert.deepEqual(
    door.seen().filter((name) => isCertificateHeader(name) || name.toLowerCase() === 'x-proxy-secret'),
    [],
  );
};

test('WSN-05 behind a proxy with a secret the forwarded certificate is judged like any other', async () => {
  const door = await open(bySecret);
  assert.equal(await call(door, [withSecret, certificate, issuers]), 'ok tpp');
  noCertificateHeaders(door);
  assert.equal(await call(door, [withSecret, certificate]), 'certificate_untrusted/issuer_unknown');
  const stranger = createAuthority('Stranger').issue();
  assert.equal(
    await call(door, [withSecret, `Client-Cert: :${stranger.der.toString('base64')}:`]),
    'certificate_untrusted/issuer_unknown',
  );
  assert.equal(await call(door, [withSecret, 'Client-Cert: :AAAA:']), 'certificate_malformed/der_trailing');
  assert.deepEqual(door.warnings, []);
});

test('WSN-05 a proxy may prove itself by its own certificate', async () => {
  const door = await open(byIdentity);
  assert.equal(await call(door, [certificate, issuers], proxy), 'ok tpp');
  noCertificateHeaders(door);
});

test('behind a proxy without TLS the secret decides', async () => {
  const door = await open(bySecret, 'http');
  assert.equal(await call(door, [withSecret, certificate, issuers], 'plain'), 'ok tpp');
  assert.equal(await call(door, [certificate, issuers], 'plain'), 'certificate_missing/header_untrusted_source');
});

test('attack 4 on a direct door the header is deleted and the handshake decides', async () => {
  const door = await open(undefined);
  for (const header of [certificate, 'Client-Cert: rubbish']) {
    assert.equal(await call(door, [header], direct), 'ok direct');
    noCertificateHeaders(door);
    assert.equal(await call(door, [header]), ABSENT);
    const stranger = createAuthority('Stranger').issue();
    assert.equal(await call(door, [header], stranger), 'certificate_untrusted/issuer_unknown');
  }
});

test('attack 10 behind the proxy absent and null-like headers mean no certificate', async () => {
  const door = await open(bySecret);
  assert.equal(await call(door, [withSecret]), ABSENT);
  for (const value of ['', 'null', '(null)', '-', '   ']) {
    assert.equal(await call(door, [withSecret, `Client-Cert: ${value}`]), ABSENT);
  }
});

test('attack 6 two lines are refused; copies with underscores are deleted and ignored', async () => {
  const door = await open(bySecret);
  assert.equal(
    await call(door, [withSecret, certificate, certificate, issuers]),
    'certificate_malformed/header_duplicate',
  );
  assert.equal(
    await call(door, [withSecret, certificate, `CLIENT-CERT: ${forwardedValue}`, issuers]),
    'certificate_malformed/header_duplicate',
  );
  assert.equal(await call(door, [withSecret, certificate, issuers, issuers]), 'certificate_malformed/header_duplicate');
  assert.equal(
    await call(door, [withSecret, certificate, issuers, 'Client_Cert: rubbish', 'client_cert_chain: rubbish']),
    'ok tpp',
  );
  noCertificateHeaders(door);
  assert.equal(await call(door, [withSecret, `Client_Cert: ${forwardedValue}`]), ABSENT);
});

test('attack 6 a certificate in the trailers counts for nothing, and spoils none in the header', async () => {
  const door = await open(bySecret);
  const trailers = ['Transfer-Encoding: chunked', 'Trailer: Client-Cert', '', '0', certificate];
  assert.equal(await call(door, [withSecret, ...trailers]), ABSENT);
  assert.equal(await call(door, [withSecret, certificate, issuers, ...trailers]), 'ok tpp');
});

test('attack 8 and 11 a malformed header is refused, and the HTTP layer refuses what is no header', async () => {
  const door = await open(bySecret);
  const malformed = 'certificate_malformed/header_malformed';
  assert.equal(await call(door, [withSecret, 'Client-Cert: rubbish']), malformed);
  assert.equal(await call(door, [withSecret, issuers]), malformed);
  assert.equal(await call(door, [withSecret, certificate, 'Client-Cert-Chain: rubbish']), malformed);
  assert.equal(
    await call(door, [withSecret, `Client-Cert: ${forwardedValue}, ${forwardedValue}`]),
    'certificate_malformed/header_duplicate',
  );
  for (const line of [`Client-Cert: a\r\n\tb`, 'Client-Cert: a\0b', 'Client-Cert : a', 'Client-Cert: a\nb']) {
    assert.match(await call(door, [withSecret, line]), /^HTTP\/1\.1 400/);
  }
});

test('attack 13 a header beyond the limits is refused here or by the HTTP layer', async () => {
  const door = await open(bySecret);
  assert.equal(
    await call(door, [withSecret, `Client-Cert: :${'A'.repeat(25_000)}:`]),
    'certificate_malformed/header_too_large',
  );
  assert.match(await call(door, [withSecret, `Client-Cert: :${'A'.repeat(60_000)}:`]), /^HTTP\/1\.1 431/);
});

test('attack 5 a header from somebody who is not the proxy is deleted and told to the log', async () => {
  const UNTRUSTED = 'header_untrusted_source';
  const elsewhere = await open({ ...bySecret, proxies: ['10.0.0.1', '2001:db8::/32'] });
  assert.equal(await call(elsewhere, [withSecret, certificate, issuers]), `certificate_missing/${UNTRUSTED}`);
  noCertificateHeaders(elsewhere);
  assert.equal(elsewhere.warnings.length, 1);
  assert.equal(await call(elsewhere, []), ABSENT);
  const door = await open(bySecret);
  const wrongs = [[], ['X-Proxy-Secret: wrong'], [withSecret, withSecret], [`X-Proxy-Secret: ${SECRET}x`]];
  for (const lines of wrongs) {
    assert.equal(await call(door, [...lines, certificate, issuers]), `certificate_missing/${UNTRUSTED}`);
    noCertificateHeaders(door);
  }
  assert.equal(door.warnings.length, wrongs.length);
});

test('attack 16 a certificate in the handshake that is not the proxy’s is refused, or used alone where direct access is allowed', async () => {
  const refusedCode = 'certificate_missing/header_untrusted_source';
  const door = await open(byIdentity);
  assert.equal(await call(door, [certificate, issuers], direct), refusedCode);
  noCertificateHeaders(door);
  assert.equal(await call(door, [certificate, issuers]), refusedCode);
  const impostor = proxyRoot.issue({ commonName: 'somebody else' });
  assert.equal(await call(door, [certificate, issuers], impostor), refusedCode);
  const expired = proxyRoot.issue({ commonName: 'proxy', notAfter: new Date('2026-01-01T00:00:00Z') });
  assert.equal(await call(door, [certificate, issuers], expired), refusedCode);
  const far = await open({ ...byIdentity, proxies: ['10.0.0.1'], directAllowed: true });
  assert.equal(await call(far, [certificate, issuers], direct), 'ok direct');
  assert.equal(await call(far, [certificate, issuers]), refusedCode);
  const strict = await open({ ...byIdentity, proxies: ['10.0.0.1'] });
  assert.equal(await call(strict, [certificate, issuers], direct), refusedCode);
});

test('with identity and secret both are required', async () => {
  const door = await open({ ...byIdentity, secret: { header: 'X-Proxy-Secret', value: SECRET } });
  assert.equal(await call(door, [certificate, issuers, withSecret], proxy), 'ok tpp');
  assert.match(await call(door, [certificate, issuers], proxy), /header_untrusted_source$/);
  assert.match(await call(door, [certificate, issuers, withSecret]), /header_untrusted_source$/);
});

test('attack 15 a proxy’s opinion in a header never counts and never gets through', async () => {
  const door = await open(undefined);
  const lines = [
    'ssl-client-verify: SUCCESS',
    'X-SSL-Client-S-DN: CN=x',
    'X-Amzn-Mtls-Clientcert-Serial-Number: 1',
    'X-Forwarded-Client-Cert: x',
  ];
  assert.equal(await call(door, lines), ABSENT);
  noCertificateHeaders(door);
});

test('names that could pass for forwarded certificates are known in every spelling', () => {
  for (const name of [
    'client-cert',
    'Client_Cert',
    'SSL_CLIENT_CERT',
    'x-ssl-client-cert',
    'X-Forwarded-Tls-Client-Cert-Info',
    'ssl.client.auth.cert.X509',
  ]) {
    assert.equal(isCertificateHeader(name), true, name);
  }
  for (const name of ['host', 'x-fapi-interaction-id', 'authorization', 'x-forwarded-for', 'client-id']) {
    assert.equal(isCertificateHeader(name), false, name);
  }
});

test('a source that would believe anybody is refused by name', () => {
  const cases: readonly (readonly [Partial<ForwardedSource>, RegExp])[] = [
    [{ proxies: [] }, /proxies/],
    [{ proxies: ['proxy.example'] }, /"proxy.example" is no address/],
    [{ proxies: ['10.0.0.0/33'] }, /no address or network/],
    [{ proxies: ['0.0.0.0/0'] }, /no address or network/],
    [{ secret: undefined }, /must prove itself/],
    [{ secret: { header: 'x', value: 'short' } }, /32 characters/],
    [{ header: 'a b' }, /no header name/],
    [{ format: 'nginx-escaped' }, /chainHeader/],
    [{ hops: 0 }, /hops/],
    [{ identity: { anchors: ['x'] } }, /anchor 1/],
    [{ chainHeader: 'client_cert' }, /same header/],
  ];
  for (const [wrong, message] of cases) assert.throws(() => checkForwardedSource({ ...bySecret, ...wrong }), message);
  checkForwardedSource(bySecret);
});

test('the same request asked twice gives the same answer, though its header is gone', async () => {
  const trust = createTrust({
    clock: { now: () => NOW },
    schemes: new Map([['bank', { anchors: [root.certificatePem], extendedKeyUsages: ['clientAuth'] }]]),
    forwarded: () => bySecret,
  });
  const answers: string[] = [];
  const listener = createHttpServer(async (request: IncomingMessage, response) => {
    for (let round = 0; round < 2; round += 1) {
      const verdict = await trust.clientCertificate(request, 'bank');
      answers.push(verdict.ok ? 'ok' : verdict.detail);
    }
    response.end();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  after(() => listener.close());
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await call({ port, warnings: [], seen: () => [] }, [withSecret, certificate, issuers], 'plain');
  assert.deepEqual(answers, ['ok', 'ok']);
});

test('any number of header names may be seen', () => {
  for (let index = 0; index <= 1_000; index += 1) assert.equal(isCertificateHeader(`x-other-${index}`), false);
  assert.equal(isCertificateHeader('client-cert'), true);
});

test('a door without TLS that has no proxy knows no certificate', async () => {
  const door = await open(undefined, 'http');
  assert.equal(await call(door, [certificate], 'plain'), ABSENT);
  noCertificateHeaders(door);
});

test('attack 14 the form of nginx is read where it is configured, and no other', async () => {
  const { chainHeader: _, ...settings } = bySecret;
  const door = await open({ ...settings, header: 'ssl-client-cert', format: 'nginx-escaped' });
  const one = root.issue({ commonName: 'one' });
  assert.equal(await call(door, [withSecret, `ssl-client-cert: ${encodeURIComponent(one.certificatePem)}`]), 'ok one');
  assert.match(await call(door, [withSecret, `ssl-client-cert: ${forwardedValue}`]), /header_malformed$/);
  assert.equal(await call(door, [withSecret, certificate]), ABSENT);
});

test('a bank’s own decoder is used at the door, and its failures are told to the log alone', async () => {
  const { chainHeader: _, ...settings } = bySecret;
  const parse = (value: string): unknown => {
    if (value === 'promise') return Promise.resolve([]);
    if (!/^([0-9a-f]{2})+$/.test(value)) throw new Error('not hexadecimal');
    return [Buffer.from(value, 'hex')];
  };
  const door = await open({ ...settings, format: parse });
  const one = root.issue({ commonName: 'one' });
  const hex = one.der.toString('hex');
  assert.equal(await call(door, [withSecret, `Client-Cert: ${hex}`]), 'ok one');
  assert.equal(await call(door, [withSecret, 'Client-Cert: 3000']), 'certificate_malformed/der_length');
  assert.equal(await call(door, [withSecret, 'Client-Cert: null']), ABSENT);
  assert.deepEqual(door.warnings, []);
  for (const wrong of ['zz', 'promise', `${hex}, ${hex}`])
    assert.equal(await call(door, [withSecret, `Client-Cert: ${wrong}`]), 'certificate_malformed/header_malformed');
  const fault = (what: string) => ({ event: 'trust.forwarded_parser_failed', peer: '127.0.0.1', what });
  const threw = fault('it threw Error: not hexadecimal');
  assert.deepEqual(door.warnings, [threw, fault('it returned a promise instead of an array'), threw]);
});

describe('WSN-05 a proxy that has asked about revocation itself', () => {
  const revocationVouched = { header: 'X-Client-Verify', value: 'SUCCESS' };
  const vouching: ForwardedSource = { ...bySecret, revocationVouched };
  const says = (value: string) => `X-Client-Verify: ${value}`;
  /** Its certificates name no source of revocation: whoever asks refuses. */
  const ASKED = 'revocation_info_missing/revocation_info_missing';
  const denied = issuing.issue({ commonName: 'denied' });
  const spkiSha256 = createHash('sha256').update(denied.publicKeyInfo).digest('base64url');
  const scheme = { revocation: {}, denied: [{ spkiSha256 }] };

  test('is believed where its header says so, and nowhere else', async () => {
    const door = await open(vouching, 'https', scheme);
    assert.equal(await call(door, [withSecret, certificate, issuers, says('SUCCESS')]), 'ok tpp by proxy');
    noCertificateHeaders(door);
    assert.ok(!door.seen().some((name) => name.toLowerCase() === 'x-client-verify'));
    for (const value of ['FAILED:expired', 'success', 'SUCCESS, SUCCESS', 'NONE', ''])
      assert.equal(await call(door, [withSecret, certificate, issuers, says(value)]), ASKED);
    assert.equal(await call(door, [withSecret, certificate, issuers]), ASKED);
    assert.equal(await call(door, [withSecret, certificate, issuers, says('SUCCESS'), says('SUCCESS')]), ASKED);
    assert.equal(await call(door, [withSecret, certificate, issuers, 'X_Client_Verify: SUCCESS']), ASKED);
  });

  test('N-07 path, time, purpose and deny list stay ours', async () => {
    const door = await open(vouching, 'https', scheme);
    const shown = (issued: Issued) =>
      call(door, [withSecret, `Client-Cert: :${issued.der.toString('base64')}:`, issuers, says('SUCCESS')]);
    assert.equal(await shown(createAuthority('Stranger').issue()), 'certificate_untrusted/issuer_unknown');
    const late = issuing.issue({ notAfter: new Date('2026-01-01T00:00:00Z') });
    assert.equal(await shown(late), 'certificate_expired/expired');
    assert.equal(await shown(issuing.issue({ extendedKeyUsages: ['serverAuth'] })), 'certificate_wrong_purpose/eku');
    assert.equal(await shown(denied), 'certificate_revoked/denied');
  });

  test('is not believed without the setting, nor when it is somebody else', async () => {
    const door = await open(bySecret, 'https', scheme);
    assert.equal(await call(door, [withSecret, certificate, issuers, says('SUCCESS')]), ASKED);
    const open2 = await open({ ...vouching, proxies: ['10.0.0.1'], directAllowed: true }, 'https', scheme);
    assert.equal(await call(open2, [withSecret, says('SUCCESS')], tpp), ASKED);
    const plain = await open(undefined, 'https', scheme);
    assert.equal(await call(plain, [says('SUCCESS')], tpp), ASKED);
  });
});
