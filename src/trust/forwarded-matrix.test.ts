import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type CertificateForm, FORMS } from '../../test/support/certificate-forms.ts';
import { createAuthority } from '../../test/support/certificates.ts';
import { NOW } from '../../test/support/judging.ts';
import { createTrust, type ForwardedSource, isCertificateHeader } from './index.ts';

const SECRET = 's'.repeat(40);
const PROXY = '127.0.0.2';
const root = createAuthority('Matrix Root');
const good = root.issue({ commonName: 'good' });
const spoofed = root.issue({ commonName: 'spoofed' });
const expired = root.issue({ notAfter: new Date('2026-01-01T00:00:00Z') });
const stranger = createAuthority('Stranger').issue();

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
const behind = ({ header, format }: CertificateForm): ForwardedSource => ({
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
