import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { type DoorHandler, type DoorTls, openDoor } from './door.ts';
import { createFetcher, createUpstream, type Fetcher, type FetcherOptions } from './fetch.ts';
import { readBody } from './form.ts';
import { Refusal } from './refusal.ts';

const authority = createAuthority('Fetch Root');
const server = authority.issueServer({ keyType: 'rsa' });
const client = authority.issue({ commonName: 'bank' });
const trusting = { authorities: [authority.certificatePem] };

async function open(
  context: TestContext,
  handler: DoorHandler,
  clientCertificate: DoorTls['clientCertificate'] = 'none',
) {
  const tls = { key: server.keyPem, certificate: server.chainPem, clientCertificate };
  const authorities = ['localhost:0', '127.0.0.1:0', 'bank.example:0'];
  const door = await openDoor({ name: 'test', host: '127.0.0.1', port: 0, authorities, tls, handler });
  context.after(() => door.close());
  return door;
}

function create(context: TestContext, options: Partial<FetcherOptions> = {}): Fetcher {
  const fetcher = createFetcher({ allowPrivateAddresses: true, ...trusting, ...options });
  context.after(() => fetcher.close());
  return fetcher;
}

function get(fetcher: Fetcher, url: string) {
  return fetcher.request({ method: 'GET', url });
}

function refusal(code: string, detail?: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.code, code);
    assert.equal(error.status, code === 'address_refused' ? 400 : 502);
    if (detail !== undefined) assert.equal(error.detail, detail);
    return true;
  };
}

test('private, loopback and special addresses are refused however they are written', async (context) => {
  const fetcher = create(context, { allowPrivateAddresses: false });
  const hosts = [
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '0',
    '10.0.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a00:1]',
    '[fe80::1]',
    '[fd00::1]',
    '[64:ff9b::7f00:1]',
  ];
  for (const host of hosts)
    await assert.rejects(get(fetcher, `https://${host}/`), refusal('address_refused', 'private'), host);
  for (const name of ['localhost', 'LOCALHOST'])
    await assert.rejects(get(fetcher, `https://${name}/`), refusal('address_refused', 'private'), name);
});

test('a name is judged by the addresses the socket would take; one bad address condemns it', async (context) => {
  const handler: DoorHandler = () => assert.fail('reached');
  const { port } = await open(context, handler);
  for (const addresses of [['127.0.0.1'], ['1.1.1.1', '127.0.0.1'], ['::ffff:127.0.0.1'], ['10.0.0.1']]) {
    const resolve: FetcherOptions['resolve'] = (_name, answer) => answer(null, addresses);
    const fetcher = create(context, { allowPrivateAddresses: false, resolve });
    await assert.rejects(
      get(fetcher, `https://bank.example:${port}/`),
      refusal('address_refused', 'private'),
      `${addresses}`,
    );
  }
});

test('a name is looked up once for a connection: the judged answer is the one that is used (DNS rebinding)', async (context) => {
  let asked = 0;
  const resolve: FetcherOptions['resolve'] = (_name, answer) => {
    asked += 1;
    answer(null, asked === 1 ? ['127.0.0.1'] : ['127.0.0.2']);
  };
  const { port } = await open(context, (request, response) => void response.end(request.socket.localAddress));
  const { body } = await get(create(context, { resolve }), `https://localhost:${port}/`);
  assert.deepEqual([new TextDecoder().decode(body), asked], ['127.0.0.1', 1]);
});

test('other schemes, user names and nonsense are refused', async (context) => {
  const fetcher = create(context);
  const cases = {
    'http://localhost/': 'scheme',
    'file:///etc/passwd': 'scheme',
    'data:,x': 'scheme',
    'https://a:b@localhost/': 'userinfo',
    'no url': 'malformed',
    '': 'malformed',
  };
  for (const [url, detail] of Object.entries(cases))
    await assert.rejects(get(fetcher, url), refusal('address_refused', detail), url);
});

test('a name without address, and a port nobody listens on, are unavailable', async (context) => {
  const resolve: FetcherOptions['resolve'] = (_name, answer) => answer(null, []);
  await assert.rejects(get(create(context, { resolve }), 'https://bank.example/'), refusal('upstream_unavailable'));
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const address = gone.address();
  assert.ok(address !== null && typeof address === 'object');
  gone.close();
  await once(gone, 'close');
  await assert.rejects(
    get(create(context), `https://127.0.0.1:${address.port}/`),
    refusal('upstream_unavailable', 'ECONNREFUSED'),
  );
});

test('a server of another authority, or of another name, is not spoken to', async (context) => {
  let reached = 0;
  const { port } = await open(context, (_request, response) => {
    reached += 1;
    response.end();
  });
  const stranger = { authorities: [createAuthority('Stranger').certificatePem] };
  await assert.rejects(get(create(context, stranger), `https://localhost:${port}/`), refusal('upstream_unavailable'));
  const resolve: FetcherOptions['resolve'] = (_name, answer) => answer(null, ['127.0.0.1']);
  const misnamed = get(create(context, { resolve }), `https://bank.example:${port}/`);
  await assert.rejects(misnamed, refusal('upstream_unavailable', 'ERR_TLS_CERT_ALTNAME_INVALID'));
  assert.equal(reached, 0);
});

test('no answer, half an answer and too long an answer are unavailable', async (context) => {
  const { port } = await open(context, (request, response) => {
    if (request.url === '/half') response.writeHead(200, { 'content-length': '10' }).write('half');
    if (request.url === '/cut')
      response.writeHead(200, { 'content-length': '10' }).write('half', () => response.destroy());
    if (request.url === '/long') response.end('x'.repeat(101));
    if (request.url === '/chunked') for (let i = 0; i < 101; i += 1) response.write('x');
  });
  const fetcher = create(context, { timeoutMs: 150, maximumBytes: 100 });
  for (const path of ['/never', '/half', '/cut', '/long', '/chunked'])
    await assert.rejects(get(fetcher, `https://localhost:${port}${path}`), refusal('upstream_unavailable'), path);
});

test('the caller may give up sooner', async (context) => {
  const { port } = await open(context, () => undefined);
  const signal = AbortSignal.timeout(20);
  const call = create(context).request({ method: 'GET', url: `https://localhost:${port}/`, signal });
  await assert.rejects(call, refusal('upstream_unavailable'));
});

test('a redirect is an answer and is not followed', async (context) => {
  const paths: (string | undefined)[] = [];
  const { port } = await open(context, (request, response) => {
    paths.push(request.url);
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  const fetcher = create(context);
  const url = `https://localhost:${port}/a?b=c`;
  const { status, headers } = await get(fetcher, url);
  assert.deepEqual([status, headers.location], [302, '/elsewhere']);
  const webFetch = fetcher.asWebFetch();
  await assert.rejects(webFetch(url), refusal('address_refused', 'redirect'));
  assert.equal((await webFetch(url, { redirect: 'manual' })).status, 302);
  assert.deepEqual(paths, ['/a?b=c', '/a?b=c', '/a?b=c']);
});

test('the client certificate of a fetcher is shown, and only there', async (context) => {
  const handler: DoorHandler = (request, response) => void response.end(subjectOf(request));
  const { port } = await open(context, handler, 'handshake');
  const bank = create(context, { certificate: client.chainPem, key: client.keyPem });
  const { body } = await get(bank, `https://localhost:${port}/`);
  assert.equal(new TextDecoder().decode(body), 'CN=bank');
  await assert.rejects(get(create(context), `https://localhost:${port}/`), refusal('upstream_unavailable'));
  assert.throws(() => create(context, { certificate: client.chainPem }), /belong together/);
});

function subjectOf(request: IncomingMessage): string {
  const { socket } = request;
  if (!('getPeerX509Certificate' in socket) || typeof socket.getPeerX509Certificate !== 'function') return '';
  return String(socket.getPeerX509Certificate()?.subject);
}

test('a request arrives as it was given and its answer comes back whole', async (context) => {
  const { port } = await open(context, async (request, response) => {
    const body = new TextDecoder().decode(await readBody(request, 100));
    response.setHeader('x-many', ['a', 'b']);
    response.writeHead(201).end(JSON.stringify([request.method, request.url, request.headers['content-type'], body]));
  });
  const call = {
    method: 'POST',
    url: `https://localhost:${port}/p?q=1`,
    headers: { 'content-type': 'text/x' },
    body: 'hällo',
  };
  const fetcher = create(context);
  const { status, headers, body } = await fetcher.request(call);
  assert.deepEqual([status, headers['x-many']], [201, 'a, b']);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(body)), ['POST', '/p?q=1', 'text/x', 'hällo']);
  const answer = await fetcher.asWebFetch()(call.url, { method: 'POST', headers: call.headers, body: call.body });
  assert.deepEqual([answer.status, await answer.json()], [201, ['POST', '/p?q=1', 'text/x', 'hällo']]);
});

test('an upstream is https and an origin alone', () => {
  for (const origin of [
    'http://localhost:1',
    'https://localhost:1/',
    'https://localhost:1/path',
    'https://a:b@localhost:1',
  ])
    assert.throws(() => createUpstream({ origin }), /https:\/\/host:port/, origin);
});

test('an upstream reaches the private address its operator named, as itself, within its limits', async (context) => {
  const { port } = await open(
    context,
    (request, response) => {
      if (request.url === '/') response.end(subjectOf(request));
    },
    'handshake',
  );
  const origin = `https://localhost:${port}`;
  const identity = { certificate: client.chainPem, key: client.keyPem, ...trusting };
  const upstream = createUpstream({ origin, ...identity });
  context.after(() => upstream.close());
  const { body } = await upstream.dispatcher.request({ path: '/', method: 'GET', origin });
  assert.equal(await body.text(), 'CN=bank');
  const impatient = createUpstream({ origin, ...identity, headersTimeoutMs: 50 });
  context.after(() => impatient.close());
  await assert.rejects(impatient.dispatcher.request({ path: '/never', method: 'GET', origin }), {
    code: 'UND_ERR_HEADERS_TIMEOUT',
  });
});
