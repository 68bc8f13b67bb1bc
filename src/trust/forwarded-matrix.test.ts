import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { NOW } from '../../test/support/judging.ts';
import type { ForwardedFormat } from './forwarded-formats.ts';
import { createTrust, type ForwardedSource, isCertificateHeader } from './index.ts';

const SECRET = 's'.repeat(40);
const PROXY = '127.0.0.2';
const root = createAuthority('Matrix Root');
const good = root.issue({ commonName: 'good' });
const spoofed = root.issue({ commonName: 'spoofed' });
const expired = root.issue({ notAfter: new Date('2026-01-01T00:00:00Z') });
const stranger = createAuthority('Stranger').issue();

const base64 = ({ der }: Issued): string => der.toString('base64');
const escaped = ({ certificatePem }: Issued): string => encodeURIComponent(certificatePem);
const bare = (text: string): string =>
  text.replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=').replaceAll('%0A', '%0a');
const hash = ({ der }: Issued): string => createHash('sha256').update(der).digest('hex');

interface Form {
  readonly name: string;
  readonly header: string;
  readonly format: ForwardedFormat;
  readonly encode: (issued: Issued) => string;
  /** What a comma between two values comes to: a form whose values hold commas calls it malformed. */
  readonly joined: 'header_duplicate' | 'header_malformed';
}

/** Every form as its sender writes it. */
const FORMS: readonly Form[] = [
  {
    name: 'RFC 9440',
    header: 'Client-Cert',
    format: 'rfc9440',
    encode: (of) => `:${base64(of)}:`,
    joined: 'header_duplicate',
  },
  { name: 'nginx', header: 'X-Client-Cert', format: 'nginx-escaped', encode: escaped, joined: 'header_duplicate' },
  {
    name: 'AWS ALB, verify',
    header: 'X-Amzn-Mtls-Clientcert-Leaf',
    format: 'aws-alb',
    encode: (of) => bare(escaped(of)),
    joined: 'header_duplicate',
  },
  {
    name: 'AWS ALB, passthrough',
    header: 'X-Amzn-Mtls-Clientcert',
    format: 'aws-alb',
    encode: (of) => bare(encodeURIComponent(of.chainPem)),
    joined: 'header_duplicate',
  },
  {
    name: 'Envoy',
    header: 'X-Forwarded-Client-Cert',
    format: 'envoy-xfcc',
    encode: (of) => `By=spiffe://door;Hash=${hash(of)};Subject="CN=\\"x\\"";URI=;Cert="${escaped(of)}"`,
    joined: 'header_malformed',
  },
  {
    name: 'Envoy with chain',
    header: 'X-Forwarded-Client-Cert',
    format: 'envoy-xfcc',
    encode: (of) => `Hash=${hash(of)};Chain="${encodeURIComponent(of.chainPem)}"`,
    joined: 'header_malformed',
  },
  { name: 'HAProxy', header: 'X-SSL-Client-Cert', format: 'base64-der', encode: base64, joined: 'header_duplicate' },
  {
    name: 'HAProxy, quoted',
    header: 'X-SSL-Client-Cert',
    format: 'base64-der',
    encode: (of) => `"${base64(of)}"`,
    joined: 'header_duplicate',
  },
  {
    name: 'Traefik',
    header: 'X-Forwarded-Tls-Client-Cert',
    format: 'traefik',
    encode: base64,
    joined: 'header_malformed',
  },
  {
    name: 'Traefik, escaped',
    header: 'X-Forwarded-Tls-Client-Cert',
    format: 'traefik-escaped',
    encode: (of) => encodeURIComponent(base64(of)),
    joined: 'header_malformed',
  },
  {
    name: 'PEM with spaces',
    header: 'SSL_CLIENT_CERT',
    format: 'pem-loose',
    encode: (of) => of.certificatePem.trim().replaceAll('\n', ' '),
    joined: 'header_duplicate',
  },
  {
    name: 'PEM with newlines lost',
    header: 'SSL_CLIENT_CERT',
    format: 'pem-loose',
    encode: (of) => of.certificatePem.replaceAll('\n', ''),
    joined: 'header_duplicate',
  },
  {
    name: 'PEM with written newlines',
    header: 'SSL_CLIENT_CERT',
    format: 'pem-loose',
    encode: (of) => of.certificatePem.replaceAll('\n', '\\n'),
    joined: 'header_duplicate',
  },
];

const ABSENT = 'certificate_missing/certificate_absent';
const UNTRUSTED = 'certificate_missing/header_untrusted_source';
const MALFORMED = 'certificate_malformed/header_malformed';

/** The door's proxy during a test; undefined: a door that is not behind one. */
let source: ForwardedSource | undefined;
const trust = createTrust({
  clock: { now: () => NOW },
  schemes: new Map([['bank', { anchors: [root.certificatePem], extendedKeyUsages: ['clientAuth'] }]]),
  forwarded: () => source,
});
const server = createServer({ maxHeaderSize: 64 * 1024 }, async (request, response) => {
  const verdict = await trust.clientCertificate(request, 'bank');
  const left = request.rawHeaders.some((name, index) => index % 2 === 0 && isCertificateHeader(name));
  const outcome = verdict.ok ? `ok ${verdict.certificate.commonName}` : `${verdict.reason}/${verdict.detail}`;
  response.end(left ? 'a certificate header got through' : outcome);
});
let port: number;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
after(() => server.close());

/** One request with these header lines, from the proxy's address unless said otherwise. */
async function call(lines: readonly string[], from = PROXY): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.write(['GET / HTTP/1.1', 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n'));
  let text = '';
  for await (const part of socket) text += String(part);
  return (
    text
      .split('\r\n\r\n')[1]
      ?.replace(/^[0-9a-f]+\r\n|\r\n0$/g, '')
      .split('\r\n')[0] ?? ''
  );
}

const proof = `X-Proxy-Secret: ${SECRET}`;
const behind = ({ header, format }: Form): ForwardedSource => ({
  header,
  format,
  proxies: [PROXY],
  secret: { header: 'X-Proxy-Secret', value: SECRET },
});

for (const form of FORMS) {
  const { name, header, encode, joined } = form;
  const line = (value: string) => `${header}: ${value}`;

  describe(`§11.2 §11.3 ${name}`, () => {
    before(() => {
      source = behind(form);
    });

    test('good is judged like a certificate of the handshake', async () => {
      assert.equal(await call([proof, line(encode(good))]), 'ok good');
      assert.equal(await call([proof, line(encode(expired))]), 'certificate_expired/expired');
      assert.equal(await call([proof, line(encode(stranger))]), 'certificate_untrusted/issuer_unknown');
    });

    test('spoofed by somebody at the proxy’s address, or at another', async () => {
      const wrongs = [[], ['X-Proxy-Secret: guess'], [proof, proof], [`X_Proxy_Secret: ${SECRET}`]];
      for (const lines of wrongs) assert.equal(await call([...lines, line(encode(spoofed))]), UNTRUSTED);
      assert.equal(await call([proof, line(encode(spoofed))], '127.0.0.3'), UNTRUSTED);
      assert.equal(await call([proof], '127.0.0.3'), ABSENT);
    });

    test('repeated: two lines in any case, and two values in one', async () => {
      const [one, two] = [encode(good), encode(spoofed)];
      for (const lines of [
        [line(one), line(two)],
        [line(one), line(one)],
        [line(one), `${header.toLowerCase()}: ${two}`],
      ])
        assert.equal(await call([proof, ...lines]), 'certificate_malformed/header_duplicate');
      for (const value of [`${one}, ${two}`, `${one},  ${one}`])
        assert.equal(await call([proof, line(value)]), `certificate_malformed/${joined}`);
    });

    test('malformed: cut, with something before or behind, escaped once more', async () => {
      const value = encode(good);
      const wrongs = [value.slice(0, -5), value.slice(5), `x${value}`, `${value}%00`, `${value}%ZZ`, 'rubbish', '%'];
      for (const wrong of [...wrongs, encodeURIComponent(encodeURIComponent(value))])
        assert.equal(await call([proof, line(wrong)]), MALFORMED, wrong.slice(0, 40));
      assert.equal(await call([proof, line('A'.repeat(25_000))]), 'certificate_malformed/header_too_large');
    });

    test('empty and null-like: no certificate', async () => {
      for (const value of ['', ' ', 'null', '(null)', '-']) assert.equal(await call([proof, line(value)]), ABSENT);
      assert.equal(await call([proof]), ABSENT);
    });

    test('the other forms are refused or say the same: none is taken for another certificate', async () => {
      for (const other of FORMS) {
        const outcome = await call([proof, line(other.encode(good))]);
        assert.match(outcome, /^(ok good|certificate_malformed\/header_(malformed|duplicate))$/, other.name);
      }
    });

    test('on a door that is not behind a proxy, and in another header, it is deleted', async () => {
      source = undefined;
      assert.equal(await call([proof, line(encode(good))]), ABSENT);
      source = { ...behind(form), header: 'X-Other-Name' };
      assert.equal(await call([proof, line(encode(good))]), ABSENT);
    });
  });
}
