import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bankOf, resetWorld, tokenOf } from '../../test/support/gateway.ts';
import { openStage, reasonOf, type Stage } from '../../test/support/gateway-server.ts';

let stage: Stage;
/** The generic market has no route with a body that is passed on; this one is for the tests of bodies. */
const upload = {
  method: 'PUT',
  path: '/files',
  scope: 'accounts',
  token: 'any',
  consent: false,
  action: 'forward',
} as const;

before(async () => {
  const { regime } = bankOf();
  stage = await openStage({
    bank: { regime: { ...regime, routes: [...regime.routes, upload] } },
    headersTimeoutMs: 1500,
  });
});
after(() => stage.close());
beforeEach(() => {
  resetWorld(stage.world);
  stage.received.length = 0;
  stage.logged.length = 0;
  stage.listener = undefined;
  stage.answer = (_request, response) => void response.end('{}');
});

/** Waits for something that another process of events brings about; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const hidden = [
  'Portcullis-Facts',
  'portcullis-anything',
  'portcullis_facts',
  'X-Forwarded-For',
  'X-Forwarded-Client-Cert',
  'x_forwarded_for',
  'Forwarded',
  'Via',
  'X-Real-IP',
  'Client-Cert',
  'client_cert',
  'Client-Cert-Chain',
  'SSL-Client-Cert',
  'ssl_client_s_dn',
  'ssl.client.cert',
  'X-Client-Cert',
  'X-SSL-Client-Cert',
  'x-ssl.client.verify',
  'X-HTTP-Method-Override',
  'Cookie',
  'Keep-Alive',
  'TE',
  'Proxy-Authorization',
  'Proxy-Connection',
];

test('N-32 headers that state what only the platform may state never reach the bank', async () => {
  const forged = Object.fromEntries(hidden.map((name) => [name, 'forged']));
  const got = await stage.send({
    headers: { ...forged, 'x-fapi-customer-ip-address': '2001:db8::1', accept: 'application/json' },
  });
  assert.equal(got.status, 200);
  const [request] = stage.received;
  assert.ok(request);
  assert.ok(!JSON.stringify(request.rawHeaders).includes('forged'));
  assert.equal(request.headers['x-fapi-customer-ip-address'], '2001:db8::1');
  assert.equal(request.headers.accept, 'application/json');
});

test('the access token stays at the gateway, the bank is called by its own name', async () => {
  await stage.send({ headers: { host: 'evil.example' } });
  const [request] = stage.received;
  assert.equal(request?.headers.authorization, undefined);
  assert.equal(request?.headers.host, `localhost:${stage.bankPort}`);
});

test('headers named in Connection are of this hop alone, and cannot take ours away', async () => {
  const connection = 'keep-alive, X-Secret, portcullis-facts, x-fapi-interaction-id';
  await stage.send({ headers: { connection, 'x-secret': 'hop', 'x-kept': 'end' } });
  const [request] = stage.received;
  assert.equal(request?.headers['x-secret'], undefined);
  assert.equal(request?.headers['x-kept'], 'end');
  assert.match(String(request?.headers['portcullis-facts']), /^signed\./);
  assert.ok(request?.headers['x-fapi-interaction-id']);
});

test('the bank receives the verified facts, signed', async () => {
  await stage.send({ path: '/gobank/accounts/acc-1' });
  const { iat, exp, ...facts } = stage.world.signed[0] ?? assert.fail();
  assert.deepEqual(facts, {
    type: 'portcullis-facts+jwt',
    iss: 'https://localhost:8443/gobank',
    aud: 'gobank',
    client: 'app-a',
    participant: 'tpp-a',
    customer: 'psu-1',
    consent: 'consent-1',
    accounts: ['acc-1', 'acc-2'],
    scopes: ['accounts'],
    thumbprint: 'cert-a',
  });
  assert.equal(Number(exp) - Number(iat), 60);
});

test('path and query go on, the path in its one canonical spelling', async () => {
  await stage.send({ path: '/gobank/accounts/%61cc-1/transactions?from=2026-01-01&q=a%2Fb' });
  assert.equal(stage.received[0]?.url, '/accounts/acc-1/transactions?from=2026-01-01&q=a%2Fb');
});

test('RS-11 WSO-36 the interaction id reaches the bank and comes back, whatever the bank says', async () => {
  stage.answer = (_request, response) => void response.setHeader('x-fapi-interaction-id', 'other').end('{}');
  const id = '3f2b1c9e-8a77-4f6e-9d1b-0c9c4a1e5a10';
  const got = await stage.send({ headers: { 'x-fapi-interaction-id': id } });
  assert.equal(got.headers['x-fapi-interaction-id'], id);
  assert.equal(stage.received[0]?.headers['x-fapi-interaction-id'], id);
});

test("the bank's headers pass, without those of the hop and of its own servers", async () => {
  stage.answer = (_request, response) => {
    response.writeHead(200, [
      'Connection',
      'keep-alive, X-Hop',
      'X-Hop',
      '1',
      'Set-Cookie',
      'a=b',
      'Server',
      'core',
      'X-Powered-By',
      'php',
      'Location',
      'https://core.internal/1',
      'Cache-Control',
      'public, max-age=3600',
      'Alt-Svc',
      'h3',
      'ETag',
      '"1"',
      'Link',
      '<a>',
      'Link',
      '<b>',
    ]);
    response.end('{}');
  };
  const { headers } = await stage.send();
  for (const name of ['x-hop', 'set-cookie', 'server', 'x-powered-by', 'alt-svc', 'location'])
    assert.equal(headers[name], undefined, name);
  assert.equal(headers.etag, '"1"');
  assert.equal(headers.link, '<a>, <b>');
  assert.equal(headers['cache-control'], 'no-store');
  assert.ok(headers.date);
});

for (const [status, length] of [
  [204, undefined],
  [304, undefined],
  [404, '2'],
] as const)
  test(`an answer ${status} passes as it is`, async () => {
    stage.answer = (_request, response) => void response.writeHead(status).end(length === undefined ? undefined : '{}');
    const got = await stage.send();
    assert.equal(got.status, status);
    assert.equal(got.body, length === undefined ? '' : '{}');
    assert.equal((await stage.send()).status, status, 'the connection is still in step');
  });

for (const status of [301, 302, 401, 407, 500, 503])
  test(`an answer ${status} of the bank is 502 upstream_unavailable without its detail`, async () => {
    stage.answer = (_request, response) =>
      void response.writeHead(status, { location: 'https://core.internal/' }).end('stack trace of the core');
    const got = await stage.send();
    assert.equal(got.status, 502);
    assert.equal(reasonOf(got), 'upstream_unavailable');
    assert.ok(!JSON.stringify(got).includes('core'));
    const [record] = stage.world.events;
    assert.deepEqual(
      [record?.action, record?.outcome, record?.reason, record?.detail],
      ['request.forwarded', 'failed', 'upstream_unavailable', `status_${status}`],
    );
    assert.deepEqual(stage.world.touched, []);
  });

test('a bank that closes the connection without an answer is 502', async () => {
  stage.listener = (request) => request.socket.destroy();
  const got = await stage.send();
  assert.equal(got.status, 502);
  assert.equal(stage.world.events.length, 1);
});

test('a bank that does not answer in time is 502', async () => {
  stage.listener = () => undefined;
  const got = await stage.send();
  assert.equal(got.status, 502);
  assert.equal(stage.world.events[0]?.detail, 'headers_timeout');
});

test('an answer that breaks off midway breaks off at the caller', async () => {
  stage.listener = (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half of it', () => response.destroy());
  };
  await assert.rejects(stage.send(), { code: 'ECONNRESET' });
});

test('a caller that leaves takes the request to the bank with it', async () => {
  let closed = false;
  let arrived = false;
  stage.listener = (request) => {
    arrived = true;
    request.socket.once('close', () => {
      closed = true;
    });
  };
  const socket = await stage.open();
  socket.write('GET /gobank/accounts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer customer\r\n\r\n');
  await until(() => arrived);
  socket.destroy();
  await until(() => closed && stage.world.events.length > 0);
  assert.deepEqual([stage.world.events[0]?.reason, stage.world.events[0]?.outcome], ['client_gone', 'failed']);
  assert.equal(stage.world.events.length, 1);
});

test('a large answer streams with backpressure: a caller that does not read stops the bank', async () => {
  const chunk = Buffer.alloc(65_536, 'x');
  let written = 0;
  let finished = false;
  stage.listener = (_request, response) => {
    const pump = () => {
      while (written < 800) {
        written += 1;
        if (!response.write(chunk)) return void response.once('drain', pump);
      }
      finished = true;
      response.end();
    };
    pump();
  };
  const socket = await stage.open();
  socket.pause();
  socket.write(
    'GET /gobank/accounts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer customer\r\n\r\n',
  );
  await until(() => written > 10);
  for (let seen = 0; seen !== written; await delay(100)) seen = written;
  assert.ok(!finished && written < 800, 'the bank waits for the caller');
  let bytes = 0;
  socket.on('data', (data: Buffer) => {
    bytes += data.length;
  });
  socket.resume();
  await once(socket, 'close');
  assert.ok(finished);
  assert.ok(bytes > 800 * 65_536);
});

test('an answer of any octets comes as the bank sent it, of any length', async () => {
  for (const length of [1, 16_383, 16_384, 16_385, 60_000]) {
    const sent = '€ä\u0000😀'.repeat(length).slice(0, length).toWellFormed();
    const octets = Buffer.from(sent);
    stage.answer = (_request, response) => void response.setHeader('content-length', octets.length).end(octets);
    const { body, headers } = await stage.send();
    assert.ok(body === sent, `${length} characters`);
    assert.equal(headers['content-length'], String(octets.length));
  }
});

test('a body streams to the bank, with its length or in chunks', async () => {
  const path = '/gobank/files';
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
    assert.equal((await stage.send({ method: 'PUT', path, headers, body: 'x'.repeat(200_000) })).status, 200);
    assert.equal(stage.received.at(-1)?.body.length, 200_000);
  }
  assert.equal(stage.received[0]?.headers['content-length'], '200000');
  assert.equal(stage.received[1]?.headers['transfer-encoding'], 'chunked');
});

test('a body over the limit is refused with 413, announced or not', async () => {
  const socket = await stage.open();
  socket.write(
    'PUT /gobank/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer customer\r\nContent-Length: 2000000\r\n\r\n',
  );
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 413 /);
  assert.equal(stage.received.length, 0);
  const chunked = await stage.open();
  chunked.on('error', () => undefined);
  chunked.write(
    'PUT /gobank/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer customer\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  chunked.write(`200000\r\n${'x'.repeat(0x200000)}\r\n`);
  assert.match(String(await once(chunked, 'data')), /^HTTP\/1\.1 413 /);
  assert.equal(stage.received.length, 0);
});

test('RFC 9112 §6.1 a request with two lengths, or length and chunks, is refused by the parser and never forwarded', async () => {
  for (const framing of [
    'Content-Length: 5\r\nTransfer-Encoding: chunked',
    'Content-Length: 5\r\nContent-Length: 6',
    'Transfer-Encoding: xchunked',
  ]) {
    const socket = await stage.open();
    socket.write(
      `PUT /gobank/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer customer\r\n${framing}\r\n\r\n0\r\n\r\nGET /gobank/accounts HTTP/1.1\r\n\r\n`,
    );
    assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 400 /, framing);
    socket.destroy();
  }
  assert.equal(stage.received.length, 0);
});

test('Expect: 100-continue is answered here and does not reach the bank', async () => {
  const socket = await stage.open();
  socket.write(
    'PUT /gobank/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer customer\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n',
  );
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 100 /);
  socket.write('{}');
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 200 /);
  assert.equal(stage.received[0]?.headers.expect, undefined);
  assert.equal(stage.received[0]?.body, '{}');
});

test('one statement is signed for many calls, and a new one after 30 s, a changed consent, another certificate or a rotation', async () => {
  const facts = tokenOf();
  stage.world.tokens.set('t', { state: 'active', facts });
  const send = async () => {
    await stage.send({ headers: { authorization: 'Bearer t' } });
    return stage.world.signed.length;
  };
  assert.equal(await send(), 1);
  assert.equal(await send(), 1);
  stage.world.now = new Date(stage.world.now.getTime() + 30_000);
  assert.equal(await send(), 2);
  const consent = stage.world.consents.get('consent-1') ?? assert.fail();
  stage.world.consents.set('consent-1', { ...consent, accounts: ['acc-2'], changedAt: stage.world.now });
  assert.equal(await send(), 3);
  assert.deepEqual(stage.world.signed.at(-1)?.accounts, ['acc-2']);
  stage.world.consents.set('consent-1', { ...consent, accounts: ['acc-3'], changedAt: stage.world.now });
  assert.equal(await send(), 4, 'changed again at the same moment');
  stage.world.rotated();
  assert.equal(await send(), 5);
  assert.equal(await send(), 5);
});

test('a bank that is down is 502, and the trail has it', async () => {
  await stage.stopBank();
  const got = await stage.send();
  assert.equal(got.status, 502);
  assert.equal(reasonOf(got), 'upstream_unavailable');
  assert.ok(!got.body.includes('ECONNREFUSED'));
  assert.equal(stage.world.events[0]?.outcome, 'failed');
});
