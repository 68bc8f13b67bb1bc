import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { createAuthority } from '../../test/support/certificates.ts';
import { createForwarder, type Forwarder, type ForwarderOptions } from './forwarder.ts';
import type { Flow } from './forwarder-connection.ts';

/** A bank that writes octets, not HTTP: what a connection does with them is what is tested. */
const authority = createAuthority('Forwarder Root');
const identity = authority.issueServer();
const ours = authority.issue({ commonName: 'gateway' });
const server = createServer({
  key: identity.keyPem,
  cert: identity.chainPem,
  ca: authority.certificatePem,
  requestCert: true,
  rejectUnauthorized: true,
});
/** What the bank does with the text of a request; the number counts the requests of one connection. */
let respond: (socket: TLSSocket, text: string, count: number) => void;
const connections: TLSSocket[] = [];
let port = 0;

before(async () => {
  server.on('secureConnection', (socket) => {
    connections.push(socket);
    let text = '';
    let count = 0;
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        count += 1;
        respond(socket, text.slice(0, end), count);
        text = text.slice(end + 4);
      }
    });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
after(() => {
  for (const socket of connections) socket.destroy();
  server.close();
});
beforeEach(() => {
  connections.length = 0;
  respond = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
});

const WAITS = { connectMs: 3_000, headersMs: 3_000, bodyMs: 3_000, idleMs: 3_000 };

function open(context: TestContext, changes: Partial<ForwarderOptions> = {}): Forwarder {
  const forwarder = createForwarder({
    url: new URL(`https://localhost:${port}`),
    tls: { ca: authority.certificatePem, cert: ours.chainPem, key: ours.keyPem, rejectUnauthorized: true },
    connections: 4,
    waits: WAITS,
    ...changes,
  });
  context.after(() => forwarder.close());
  return forwarder;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Fails with the error the handler was told, and when it is told anything afterwards. */
function get(forwarder: Forwarder, path = '/', headers: readonly string[] = []): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  let status = 0;
  let fields: IncomingHttpHeaders = {};
  let body = '';
  let over = false;
  const live = (): void => assert.equal(over, false, 'nothing comes after the end');
  forwarder.get(
    { path, headers },
    {
      onRequestStart: live,
      onResponseStart: (_flow, code, given) => {
        live();
        status = code;
        fields = given;
      },
      onResponseData: (_flow, chunk) => {
        live();
        body += chunk.toString('latin1');
      },
      onResponseEnd: () => {
        live();
        over = true;
        resolve({ status, headers: fields, body });
      },
      onResponseError: (_flow, error) => {
        live();
        over = true;
        reject(error);
      },
    },
  );
  return promise;
}

const disturbed: Readonly<Record<string, string>> = {
  'is no HTTP': 'hello\r\n\r\n',
  'switches protocols': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
  'never comes to an answer': 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(11),
  'has a head without end': `HTTP/1.1 200 OK\r\na: ${'b'.repeat(40_000)}`,
  'has a head that is too large': `HTTP/1.1 200 OK\r\na: ${'b'.repeat(40_000)}\r\n\r\n`,
  'has a length beside chunks': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  'has chunks that are none': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nok\r\n',
};

for (const [name, text] of Object.entries(disturbed)) {
  test(`an answer that ${name} is an error, and its connection ends`, async (context) => {
    respond = (socket) => void socket.write(text, 'latin1');
    await assert.rejects(get(open(context)), { code: 'answer_malformed' });
    const [first] = connections;
    assert.ok(first !== undefined);
    if (!first.destroyed) await once(first, 'close');
  });
}

test('what could be read as a second line or request is never written', (context) => {
  const forwarder = open(context);
  for (const path of ['/a b', '/a\r\nx: y', '/a\n', '/\0'])
    assert.throws(() => void get(forwarder, path), /line break/, path);
  for (const value of ['a\r\nx: y', 'a\n', 'a\r', '\0'])
    assert.throws(() => void get(forwarder, '/', ['x-a', value]), /line break/, JSON.stringify(value));
  assert.equal(connections.length, 0);
});

test('octets behind an answer are not the next answer', async (context) => {
  const forged = 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged';
  respond = (socket, _text, count) =>
    void socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok${count === 1 ? forged : ''}`);
  const forwarder = open(context);
  assert.equal((await get(forwarder)).body, 'ok');
  assert.equal((await get(forwarder)).body, 'ok');
  assert.equal(connections.length, 2, 'the connection with surplus octets is not used again');
});

test('an answer behind the answer is not taken for that of the request that waited', async (context) => {
  const forwarder = open(context, { connections: 1 });
  respond = (socket, text, count) => {
    const [path = ''] = text.slice(4).split(' ');
    // A record holds 512 octets: what follows comes in the same segment, yet after the answer was whole.
    socket.setMaxSendFragment(512);
    const answer = (fill: string) =>
      `HTTP/1.1 200 OK\r\nfill: ${fill}\r\ncontent-length: ${path.length}\r\n\r\n${path}`;
    const whole = answer('x'.repeat(512 - answer('').length));
    socket.write(count === 1 ? `${whole}HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstale` : whole);
  };
  for (let round = 0; round < 20; round += 1) {
    const answers = await Promise.all(['/a', '/b', '/c'].map((path) => get(forwarder, path).catch(String)));
    for (const [index, answer] of answers.entries())
      assert.equal(typeof answer === 'string' ? '' : answer.body, ['/a', '/b', '/c'][index]);
  }
});

test('octets that come while nobody asks end the connection', async (context) => {
  const forwarder = open(context);
  await get(forwarder);
  const [first] = connections;
  assert.ok(first !== undefined);
  first.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged');
  await once(first, 'close');
  assert.equal((await get(forwarder)).body, 'ok');
});

test('an answer whose end does not come is an error, not a shorter answer', async (context) => {
  for (const head of ['content-length: 10', 'transfer-encoding: chunked']) {
    respond = (socket) => void socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n2\r\nab\r\n`);
    await assert.rejects(get(open(context)), { code: 'connection_ended' }, head);
  }
});

test('each wait has its limit', async (context) => {
  respond = () => undefined;
  const short = { ...WAITS, headersMs: 20 };
  await assert.rejects(get(open(context, { waits: short })), { code: 'headers_timeout' });
  respond = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
  await assert.rejects(get(open(context, { waits: { ...WAITS, bodyMs: 20 } })), { code: 'body_timeout' });
  const silent = createServer({}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  context.after(() => silent.close());
  silent.removeAllListeners('connection');
  silent.on('connection', (socket) => context.after(() => socket.destroy()));
  const address = silent.address();
  const url = new URL(`https://localhost:${typeof address === 'object' && address !== null ? address.port : 0}`);
  const mute = open(context, { url, waits: { ...WAITS, connectMs: 20 } });
  await assert.rejects(get(mute), { code: 'connect_timeout' });
});

test('a bank with another certificate, and one that is not there, is an error', async (context) => {
  const stranger = createAuthority('Stranger');
  const tls = { ca: stranger.certificatePem, cert: ours.chainPem, key: ours.keyPem, rejectUnauthorized: true };
  await assert.rejects(get(open(context, { tls })), /self-signed|unable to verify|certificate/i);
  const elsewhere = createAuthority('Forwarder Root Two').issueServer({ dnsNames: ['bank.example'] });
  assert.ok(elsewhere.chainPem.length > 0);
  await assert.rejects(get(open(context, { url: new URL('https://localhost:1') })), { code: 'ECONNREFUSED' });
});

test('requests beyond the connections wait, in order, and no longer than an answer may take', async (context) => {
  const held: TLSSocket[] = [];
  respond = (socket) => void held.push(socket);
  const forwarder = open(context, { connections: 1, waits: { ...WAITS, headersMs: 1_500 } });
  const first = get(forwarder, '/1');
  const second = get(forwarder, '/2');
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  respond = (socket, text) => void socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n${text.slice(4, 6)}`);
  held[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n/1');
  assert.deepEqual([(await first).body, (await second).body, connections.length], ['/1', '/2', 1]);
  respond = () => undefined;
  const answers = await Promise.allSettled([get(forwarder, '/3'), get(forwarder, '/4')]);
  assert.deepEqual(
    answers.map((answer) => (answer.status === 'rejected' ? answer.reason.code : answer.value)),
    ['headers_timeout', 'headers_timeout'],
  );
});

test('RFC 9110 §9.2.2 a request over a kept connection that has ended is sent again, once and over a new one', async (context) => {
  const forwarder = open(context);
  await get(forwarder);
  // The bank ends every kept connection as it reads the next request.
  respond = (socket, _text, count) =>
    count > 1 ? void socket.destroy() : void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnew');
  assert.equal((await get(forwarder)).body, 'new');
  assert.equal(connections.length, 2);
  // A new connection that ends is an answer.
  respond = (socket) => void socket.destroy();
  await assert.rejects(get(forwarder), (error: NodeJS.ErrnoException) =>
    ['connection_ended', 'ECONNRESET', 'EPIPE'].includes(error.code ?? ''),
  );
  assert.equal(connections.length, 3, 'the kept one and one more');
});

test('a request of which an answer has begun is not sent again', async (context) => {
  const forwarder = open(context);
  await get(forwarder);
  let asked = 0;
  respond = (socket) => {
    asked += 1;
    socket.write('HTTP/1.1 200', () => socket.destroy());
  };
  await assert.rejects(get(forwarder));
  assert.equal(asked, 1);
});

test('the receiver stops and resumes the flow, and may end it', async (context) => {
  const forwarder = open(context, { waits: { ...WAITS, bodyMs: 400 } });
  respond = (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf');
    setTimeout(() => socket.write('rest'), 30);
  };
  const seen: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const flows: Flow[] = [];
  const request = { path: '/', headers: [] };
  forwarder.get(request, {
    onRequestStart: () => undefined,
    onResponseStart: () => undefined,
    onResponseData: (flow, chunk) => {
      seen.push(chunk.toString());
      if (seen.length > 1) return;
      flow.pause();
      flows.push(flow);
      // Longer than the bank may take for a piece: who waits for the receiver is not late.
      setTimeout(() => flow.resume(), 900);
    },
    onResponseEnd: () => resolve(),
    onResponseError: (_flow, error) => reject(error),
  });
  await promise;
  assert.deepEqual(seen, ['half', 'rest']);
  // What is over can no longer be ended, and the connection goes on.
  flows[0]?.abort(new Error('too late'));
  respond = (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  assert.equal((await get(forwarder)).body, 'ok');
  assert.equal(connections.length, 1);
  const reason = new Error('enough');
  const told = new Promise((tell) => {
    forwarder.get(request, {
      onRequestStart: (flow) => flow.abort(reason),
      onResponseStart: () => assert.fail('the request was ended'),
      onResponseData: () => assert.fail('the request was ended'),
      onResponseEnd: () => assert.fail('the request was ended'),
      onResponseError: (_flow, error) => tell(error),
    });
  });
  assert.equal(await told, reason);
});

test('what the receiver throws at the head ends the exchange with it', async (context) => {
  const refused = new Error('refused');
  const told = new Promise((tell) => {
    open(context).get(
      { path: '/', headers: [] },
      {
        onRequestStart: () => undefined,
        onResponseStart: () => {
          throw refused;
        },
        onResponseData: () => assert.fail('nothing follows'),
        onResponseEnd: () => assert.fail('nothing follows'),
        onResponseError: (_flow, error) => tell(error),
      },
    );
  });
  assert.equal(await told, refused);
});

test('one connection serves one after the other; the request is written as given', async (context) => {
  const texts: string[] = [];
  respond = (socket, text) => {
    texts.push(text);
    // In as many pieces as there are octets: an answer may be cut anywhere.
    const answer =
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
    void (async () => {
      for (const octet of answer) await new Promise((done) => socket.write(octet, done));
    })();
  };
  const forwarder = open(context);
  const { status, body } = await get(forwarder, '/a?b=c', ['accept', 'x', 'X-Two', '1', 'X-Two', '2']);
  assert.deepEqual([status, body], [200, 'ok']);
  respond = (socket, text) => {
    texts.push(text);
    socket.write('HTTP/1.1 204 No Content\r\n\r\n');
  };
  assert.equal((await get(forwarder)).status, 204);
  assert.equal(connections.length, 1);
  assert.equal(connections[0]?.getPeerCertificate().subject.CN, 'gateway');
  assert.deepEqual(texts[0]?.split('\r\n'), [
    'GET /a?b=c HTTP/1.1',
    `host: localhost:${port}`,
    'connection: keep-alive',
    'accept: x',
    'X-Two: 1',
    'X-Two: 2',
  ]);
});

test('an answer that ends with its connection is whole, and one more request opens another', async (context) => {
  respond = (socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nall of it');
  const forwarder = open(context);
  assert.equal((await get(forwarder)).body, 'all of it');
  assert.equal((await get(forwarder)).body, 'all of it');
  assert.equal(connections.length, 2);
});

test('a kept connection that rests too long is given up', async (context) => {
  const forwarder = open(context, { waits: { ...WAITS, idleMs: 20 } });
  await get(forwarder);
  const [first] = connections;
  assert.ok(first !== undefined);
  if (!first.destroyed) await once(first, 'close');
});

test('closing ends what is under way and what waits', async (context) => {
  const forwarder = open(context, { connections: 1 });
  await get(forwarder);
  respond = () => undefined;
  const both = Promise.allSettled([get(forwarder), get(forwarder)]);
  forwarder.close();
  assert.deepEqual(
    (await both).map((one) => one.status === 'rejected' && one.reason.code),
    ['connection_ended', 'connection_ended'],
  );
  assert.equal(connections.length, 1, 'nothing is sent again');
});
