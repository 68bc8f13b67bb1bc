import assert from 'node:assert/strict';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../src/platform/clock.ts';
import { type Door, openDoor } from '../src/platform/door.ts';
import { createTrust, type ForwardedSource } from '../src/trust/index.ts';
import { type CertificateForm, FORMS } from './support/certificate-forms.ts';
import { createAuthority } from './support/certificates.ts';
import { PROXY_ADDRESS, PROXY_SECRET, type ProxyKind, type RunningProxy, startProxy } from './support/proxies.ts';
import { temporaryDirectory } from './support/temporary.ts';

const authority = createAuthority('Relay Root');
const good = authority.issue({ commonName: 'good' });
const other = authority.issue({ commonName: 'other' });
const expired = authority.issue({
  notBefore: new Date('2020-01-01T00:00:00Z'),
  notAfter: new Date('2021-01-01T00:00:00Z'),
});
const server = authority.issueServer({ keyType: 'rsa' });
const directory = await temporaryDirectory();

/** The documented configurations, changed into relays: the header was made by a load balancer farther out, and only passes. */
const RELAYS: readonly (readonly [ProxyKind, (text: string) => string])[] = [
  [
    'nginx.conf',
    (text) =>
      text
        .replace('X-Client-Cert $ssl_client_escaped_cert', `X-Proxy-Secret "${PROXY_SECRET}"`)
        .replace('server_name', 'underscores_in_headers on; large_client_header_buffers 4 32k; server_name'),
  ],
  [
    'haproxy.cfg',
    (text) =>
      text
        .replaceAll(/.*Client-Cert.*\n/g, (line) => (line.startsWith('#') ? line : ''))
        .replace('global', 'global\n    tune.bufsize 65536'),
  ],
];

const ABSENT = 'certificate_missing/certificate_absent';
const UNTRUSTED = 'certificate_missing/header_untrusted_source';
/** The form that the door is configured for. */
let source: ForwardedSource | undefined;
let door: Door;
const agent = new Agent({ ca: authority.certificatePem, keepAlive: true });
before(async () => {
  const trust = createTrust({
    clock: systemClock,
    schemes: new Map([['bank', { anchors: [authority.certificatePem], extendedKeyUsages: ['clientAuth'] }]]),
    forwarded: () => source,
  });
  door = await openDoor({
    name: 'relay',
    host: '127.0.0.1',
    port: 0,
    authorities: ['localhost'],
    tls: { key: server.keyPem, certificate: server.chainPem, clientCertificate: 'request' },
    handler: async (request, response) => {
      const verdict = await trust.clientCertificate(request, 'bank');
      response.end(verdict.ok ? `ok ${verdict.certificate.commonName}` : `${verdict.reason}/${verdict.detail}`);
    },
  });
});
after(async () => {
  agent.destroy();
  await door.close();
});

/** What the door says of a request with these values of the header; refusals of HTTP itself by their status. */
function ask(port: number, name: string, values: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = { host: 'localhost', [name]: [...values] };
  const request = httpsRequest({ host: '127.0.0.1', port, agent, servername: 'localhost', headers }, (response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => (text += String(chunk)));
    response.on('end', () => resolve(response.statusCode === 200 ? text : `HTTP ${response.statusCode}`));
  });
  request.on('error', reject);
  request.end();
  return promise;
}

function behind({ header, format }: CertificateForm): ForwardedSource {
  const secret = { header: 'X-Proxy-Secret', value: PROXY_SECRET };
  return { header, format, proxies: [PROXY_ADDRESS], secret };
}

for (const [kind, change] of RELAYS) {
  describe(`§11.2 every form through a real ${kind.replace(/\..*/, '')} that relays it`, () => {
    let relay: RunningProxy;
    before(async () => {
      const identity = createAuthority('Proxies').issue({ commonName: 'proxy' });
      const own = join(directory, kind);
      relay = await startProxy(kind, { directory: own, authority, identity, doorPort: door.port, change });
    });
    after(() => relay.close());

    for (const form of FORMS) {
      const { name, header, encode, joined } = form;
      test(`${name}: good, spoofed, repeated, malformed, from another address`, async () => {
        source = behind(form);
        const say = (...values: readonly string[]) => ask(relay.port, header, values);
        const value = encode(good);
        assert.equal(await say(value), 'ok good');
        assert.equal(await say(encode(expired)), 'certificate_expired/expired');
        assert.equal(await say(value, encode(other)), 'certificate_malformed/header_duplicate');
        assert.equal(await say(`${value}, ${encode(other)}`), `certificate_malformed/${joined}`);
        for (const wrong of ['rubbish', value.slice(0, -5), `x${value}`, `${value}%00`])
          assert.equal(await say(wrong), 'certificate_malformed/header_malformed');
        for (const nothing of ['', 'null', '-']) assert.equal(await say(nothing), ABSENT);
        assert.equal(await ask(door.port, header, [value]), UNTRUSTED);
        source = undefined;
        assert.match(await say(value), /^certificate_(missing|untrusted)\//);
      });
    }
  });
}
