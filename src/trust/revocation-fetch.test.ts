import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createAuthority } from '../../test/support/certificates.ts';
import { NOW } from '../../test/support/judging.ts';
import { crl, ocspResponse } from '../../test/support/revocation.ts';
import { createWatch } from './observation.ts';
import { createRevocationFetch } from './revocation-fetch.ts';
import { compileRevocation, type RevocationSettings } from './revocation-settings.ts';
import { Unusable } from './unusable.ts';

const root = createAuthority('Test Root');
const leaf = root.issue();
const GOOD = ocspResponse(root, leaf);
const LIST = crl(root, []);
let now = NOW;
const fetch = createRevocationFetch({ now: () => now }, createWatch(undefined, undefined));
after(() => fetch.close());
const inside = { allowPrivateAddresses: true };

async function serve(listener: RequestListener): Promise<{ readonly url: string; readonly calls: () => number }> {
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server.address())}/`, calls: () => calls };
}

const portOf = (address: unknown): number =>
  typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0;

async function outcome(call: Promise<Uint8Array>): Promise<string> {
  try {
    return `${(await call).length} octets`;
  } catch (error) {
    if (error instanceof Unusable) return error.code;
    throw error;
  }
}
const ask = (url: string, settings: RevocationSettings = inside) =>
  outcome(fetch.ocsp(url, Buffer.from('request'), compileRevocation(settings)));
const load = (url: string, settings: RevocationSettings = inside) =>
  outcome(fetch.crl(url, compileRevocation(settings)));
const answering = (body: Uint8Array, headers: Record<string, string>, status = 200) =>
  serve((_, response) => response.writeHead(status, headers).end(body));
const OCSP_TYPE = { 'content-type': 'application/ocsp-response' };

test('a request is posted with its type, and the answer is read', async () => {
  let seen = '';
  const { url } = await serve(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    seen = `${request.method} ${request.headers['content-type']} ${Buffer.concat(parts).toString()}`;
    response.writeHead(200, { 'content-type': 'application/ocsp-response; charset=binary' }).end(GOOD);
  });
  assert.equal(await ask(url), `${GOOD.length} octets`);
  assert.equal(seen, 'POST application/ocsp-request request');
  const list = await answering(LIST, { 'content-type': 'application/pkix-crl' });
  assert.equal(await load(list.url), `${LIST.length} octets`);
});

test('attack 53 HTML, other types, other statuses, redirects and compressed answers are no answer', async () => {
  const cases = [
    await answering(Buffer.from('<html>'), { 'content-type': 'text/html' }),
    await answering(GOOD, {}),
    await answering(GOOD, { 'content-type': 'application/pkix-crl' }),
    await answering(GOOD, OCSP_TYPE, 500),
    await answering(GOOD, OCSP_TYPE, 404),
    await answering(GOOD, { ...OCSP_TYPE, location: 'http://127.0.0.1/' }, 302),
    await answering(gzipSync(GOOD), { ...OCSP_TYPE, 'content-encoding': 'gzip' }),
  ];
  for (const { url } of cases) assert.equal(await ask(url), 'fetch_answer');
  const html = await answering(LIST, { 'content-type': 'text/html' });
  assert.equal(await load(html.url), 'fetch_answer');
});

test('attack 53 an answer without end is cut off at the limit', async () => {
  const endless = await serve((_, response) => {
    response.writeHead(200, OCSP_TYPE);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  });
  assert.equal(await ask(endless.url), 'fetch_failed');
});

test('attack 53 a responder that drips is given up after three seconds', { timeout: 10_000 }, async () => {
  const dripping = await serve((_, response) => {
    response.writeHead(200, OCSP_TYPE);
    const timer = setInterval(() => response.write('x'), 200);
    response.on('close', () => clearInterval(timer));
  });
  const started = performance.now();
  assert.equal(await ask(dripping.url), 'fetch_failed');
  assert.ok(performance.now() - started < 8_000);
  assert.equal(dripping.calls(), 1);
});

test('attack 43 addresses inside the house, other schemes and hosts that are not allowed are never asked', async () => {
  const { url, calls } = await answering(GOOD, OCSP_TYPE);
  for (const target of [
    url,
    'http://localhost/',
    'http://[::1]/',
    'http://169.254.169.254/latest',
    'http://10.0.0.1/',
    'http://2130706433/',
  ]) {
    assert.equal(await ask(target, {}), 'fetch_forbidden', target);
  }
  for (const target of [
    'file:///etc/passwd',
    'ftp://ocsp.example/',
    'ldap://x/',
    'http://user:secret@127.0.0.1/',
    'nonsense',
    '',
  ]) {
    assert.equal(await ask(target), 'fetch_forbidden', target);
  }
  assert.equal(await ask(url, { ...inside, hosts: ['ocsp.example'] }), 'fetch_forbidden');
  assert.equal(await load(url, { ...inside, hosts: [] }), 'fetch_forbidden');
  assert.equal(calls(), 0);
  assert.equal(await ask(url, { ...inside, hosts: ['127.0.0.1'] }), `${GOOD.length} octets`);
});

test('a connection that breaks is tried once more; a host that fails again and again is left alone for a while', async () => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const url = `http://127.0.0.1:${portOf(server.address())}/`;
  assert.equal(await ask(url), 'fetch_failed');
  assert.equal(connections, 2);
  assert.equal(await ask(url), 'fetch_failed');
  assert.equal(await ask(url), 'fetch_failed');
  assert.equal(await ask(url), 'fetch_paused');
  assert.equal(connections, 6);
  now = new Date(NOW.getTime() + 31_000);
  assert.equal(await ask(url), 'fetch_failed');
});
