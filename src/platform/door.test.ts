import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, stat, writeFile } from 'node:fs/promises';
import { Agent, request as send } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { type DoorHandler, type DoorOptions, openDoor, openLocalDoor } from './door.ts';
import { callLocal } from './fetch.ts';
import { readBody } from './form.ts';
import { Refusal } from './refusal.ts';

const HEAD = 'Host: localhost\r\nConnection: close\r\n';

async function open(context: TestContext, more: Partial<DoorOptions> = {}) {
  const seen: string[] = [];
  const handler: DoorHandler = (request, response) => {
    seen.push(request.url ?? '');
    response.end('served');
  };
  const authorities = ['localhost', 'bank.example:0'];
  const door = await openDoor({ name: 'test', host: '127.0.0.1', port: 0, authorities, handler, ...more });
  context.after(() => door.close());
  return { door, seen };
}

async function collect(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

/** What comes back for these octets, until the door ends the connection. */
function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  return collect(socket);
}

function refused(answer: string): { status: number; reason: unknown } {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  assert.match(head, /content-type: application\/json/i);
  assert.match(head, /x-fapi-interaction-id: [0-9a-f-]{36}/i);
  assert.doesNotMatch(body, /node:|\.ts|stack/);
  const parsed: unknown = JSON.parse(body);
  assert.ok(typeof parsed === 'object' && parsed !== null && 'error' in parsed);
  const { error } = parsed;
  assert.ok(typeof error === 'object' && error !== null && 'reason' in error && 'message' in error);
  return { status: Number(head.split(' ')[1]), reason: error.reason };
}

test('a Host that is not on the list gets 421, whatever else it says', async (context) => {
  const { door, seen } = await open(context);
  const hosts = [
    'evil.example',
    `localhost:${door.port}`,
    'localhost.',
    'bank.example',
    'localhost@evil.example',
    'evil.example localhost',
    '',
  ];
  for (const host of hosts) {
    const answer = await raw(
      door.port,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n`,
    );
    assert.deepEqual(refused(answer), { status: 421, reason: 'misdirected_request' }, host);
  }
  assert.deepEqual(seen, []);
});

test('no Host, or two of them, gets 400', async (context) => {
  const { door, seen } = await open(context);
  for (const hosts of ['', 'Host: localhost\r\nHost: localhost\r\n', 'Host: localhost\r\nhost: evil.example\r\n']) {
    const answer = await raw(door.port, `GET / HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`);
    assert.deepEqual(refused(answer), { status: 400, reason: 'header_invalid' }, hosts);
  }
  assert.deepEqual(refused(await raw(door.port, 'GET / HTTP/1.0\r\n\r\n')), { status: 400, reason: 'header_invalid' });
  assert.deepEqual(seen, []);
});

test('a Host on the list is served in any case, and with the port that was taken', async (context) => {
  const { door, seen } = await open(context);
  for (const host of ['localhost', 'LOCALHOST', `Bank.Example:${door.port}`])
    assert.match(await raw(door.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`), /served/);
  assert.equal(seen.length, 3);
  assert.equal(door.origin, 'http://localhost');
});

test('targets that are no plain path get 400', async (context) => {
  const { door, seen } = await open(context);
  const targets = [
    'http://localhost/',
    'https://evil.example/',
    '*',
    '//evil.example/',
    '/a\\b',
    '/a#b',
    '/%',
    '/%zz',
    '/%00',
    '/%ff',
    '/a/../b',
    '/a/%2e%2e/b',
    '/a/%2E./b',
    '/./',
    '/..',
    '/a%2f..%2fb',
    `/${'a'.repeat(8192)}`,
    '/ä',
  ];
  for (const target of targets) {
    const answer = await raw(door.port, `OPTIONS ${target} HTTP/1.1\r\n${HEAD}\r\n`);
    assert.equal(refused(answer).status, 400, target);
  }
  assert.deepEqual(seen, []);
});

test('plain paths reach the handler as they were sent', async (context) => {
  const { door, seen } = await open(context);
  const targets = ['/', '/a/b', '/a%20b?c=%zz&d=../', '/%C3%A4', '/a..b/...', '/.well-known/x', '/a//b'];
  for (const target of targets) await raw(door.port, `GET ${target} HTTP/1.1\r\n${HEAD}\r\n`);
  assert.deepEqual(seen, targets);
});

test('what is no HTTP gets 400 in JSON', async (context) => {
  const { door, seen } = await open(context);
  const requests = [
    'nonsense\r\n\r\n',
    `GET / HTTP/9.9\r\n${HEAD}\r\n`,
    `GET / HTTP/1.1\r\n${HEAD}Bad Header: x\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HEAD}X: a\r\n\tfolded\r\n\r\n`,
    `GET / HTTP/1.1\r\n${HEAD}X: a\0b\r\n\r\n`,
    `POST / HTTP/1.1\r\n${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST / HTTP/1.1\r\n${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
  ];
  for (const request of requests)
    assert.deepEqual(refused(await raw(door.port, request)), { status: 400, reason: 'request_malformed' }, request);
  assert.deepEqual(seen, []);
});

test('attack 13: headers of 17 KiB are read, beyond 32 KiB or 100 lines 431', async (context) => {
  const { door, seen } = await open(context);
  assert.match(await raw(door.port, `GET / HTTP/1.1\r\n${HEAD}X: ${'a'.repeat(17 * 1024)}\r\n\r\n`), /served/);
  const large = await raw(door.port, `GET / HTTP/1.1\r\n${HEAD}X: ${'a'.repeat(33 * 1024)}\r\n\r\n`);
  assert.deepEqual(refused(large), { status: 431, reason: 'header_invalid' });
  const many = await raw(door.port, `GET / HTTP/1.1\r\n${'X: a\r\n'.repeat(100)}${HEAD}\r\n`);
  assert.deepEqual(refused(many), { status: 431, reason: 'header_invalid' });
  assert.equal(seen.length, 1);
});

test('slow headers and a slow body are ended', async (context) => {
  const limits = { headersTimeoutMs: 60, requestTimeoutMs: 120, checkEveryMs: 20 };
  const handler: DoorHandler = async (request, response) => {
    await readBody(request, 1_000);
    response.end('served');
  };
  const { door } = await open(context, { limits, handler });
  assert.equal(refused(await raw(door.port, 'GET / HTTP/1.1\r\nHost: local')).status, 408);
  assert.doesNotMatch(await raw(door.port, `POST / HTTP/1.1\r\n${HEAD}Content-Length: 5\r\n\r\nab`), /served/);
});

test('an idle connection is ended', async (context) => {
  const { door } = await open(context, { limits: { keepAliveTimeoutMs: 60, checkEveryMs: 20 } });
  assert.match(await raw(door.port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), /200 OK[\s\S]*served$/);
});

test('a slow caller who keeps sending single octets is ended all the same', async (context) => {
  const { door } = await open(context, { limits: { headersTimeoutMs: 80, requestTimeoutMs: 80, checkEveryMs: 20 } });
  const socket = connect(door.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX: ');
  const drip = setInterval(() => socket.write('a'), 10);
  context.after(() => clearInterval(drip));
  assert.equal(refused(await collect(socket)).status, 408);
});

test('connections over the limit are not served', async (context) => {
  const { door } = await open(context, { limits: { maximumConnections: 1 } });
  const first = connect(door.port, '127.0.0.1');
  await once(first, 'connect');
  first.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(first, 'data');
  assert.equal(await raw(door.port, `GET / HTTP/1.1\r\n${HEAD}\r\n`), '');
  first.destroy();
});

test('what a handler throws is answered: a refusal as it says, anything else with 500 and no detail', async (context) => {
  const defects: unknown[] = [];
  const defect = new Error('password of the database');
  const handler: DoorHandler = async (request) => {
    if (request.url === '/defect') throw defect;
    throw new Refusal('rate_limited', 429, 'Slow down.', { headers: { 'Retry-After': '7' } });
  };
  const { door } = await open(context, { handler, onDefect: (cause) => defects.push(cause) });
  const answer = await raw(door.port, `GET / HTTP/1.1\r\n${HEAD}\r\n`);
  assert.deepEqual(refused(answer), { status: 429, reason: 'rate_limited' });
  assert.match(answer, /retry-after: 7/i);
  const broken = await raw(door.port, `GET /defect HTTP/1.1\r\n${HEAD}\r\n`);
  assert.deepEqual(refused(broken), { status: 500, reason: 'internal_error' });
  assert.doesNotMatch(broken, /password/);
  assert.deepEqual(defects, [defect]);
});

test('a body is not asked for before the request was checked', async (context) => {
  const { door } = await open(context);
  const expect = 'Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n';
  assert.equal(refused(await raw(door.port, `POST / HTTP/1.1\r\nHost: evil.example\r\n${expect}`)).status, 421);
  assert.match(
    await raw(door.port, `POST / HTTP/1.1\r\nHost: localhost\r\n${expect}hello`),
    /^HTTP\/1\.1 100 [\s\S]*served/,
  );
});

test('CONNECT and upgrades lead nowhere', async (context) => {
  const { door, seen } = await open(context);
  assert.equal(await raw(door.port, `CONNECT evil.example:443 HTTP/1.1\r\n${HEAD}\r\n`), '');
  assert.deepEqual(seen, []);
  const upgrade = 'Host: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n';
  assert.match(await raw(door.port, `GET / HTTP/1.1\r\n${upgrade}`), /^HTTP\/1\.1 200/);
});

test('a closing door finishes what is under way, cuts what rests and takes nothing new', async (context) => {
  const [started, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const handler: DoorHandler = async (request, response) => {
    if (request.url === '/slow') {
      started.resolve();
      await finish.promise;
    }
    response.end('served');
  };
  const { door } = await open(context, { handler });
  const agent = new Agent({ keepAlive: true });
  context.after(() => agent.destroy());
  const resting = connect(door.port, '127.0.0.1');
  resting.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(resting, 'data');
  const silent = connect(door.port, '127.0.0.1');
  await once(silent, 'connect');
  const slow = send({ port: door.port, path: '/slow', agent, headers: { host: 'localhost' } }).end();
  await started.promise;
  const closed = door.close();
  await Promise.all([collect(resting), collect(silent)]);
  await assert.rejects(once(connect(door.port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  finish.resolve();
  const [response] = await once(slow, 'response');
  assert.equal(response.statusCode, 200);
  response.resume();
  await closed;
});

test('a request that does not finish is cut at the limit', async (context) => {
  const started = Promise.withResolvers<void>();
  const { door } = await open(context, { handler: () => started.resolve(), limits: { closeTimeoutMs: 30 } });
  const answer = raw(door.port, `GET / HTTP/1.1\r\n${HEAD}\r\n`);
  await started.promise;
  await door.close();
  assert.equal(await answer, '');
  await door.close();
});

test('a port that is taken ends in a sentence that names the door', async (context) => {
  const { door } = await open(context);
  await assert.rejects(open(context, { name: 'mtls', port: door.port }), /^Error: door mtls cannot open: .*EADDRINUSE/);
});

test('a local door is for this user alone, gives answers and leaves no file', async (context) => {
  const path = join(await temporaryDirectory(context), 'control.sock');
  const before = process.umask();
  const door = await openLocalDoor(path, async (request, response) => {
    response.end(`got ${await readBody(request, 100)}`);
  });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(process.umask(), before);
  assert.match((await callLocal(path, 'hello')) ?? '', /^got /);
  await assert.rejects(
    openLocalDoor(path, () => undefined),
    /a running process listens there/,
  );
  await door.close();
  assert.equal(await callLocal(path, 'hello'), undefined);
});

test('a socket file left by a killed process is replaced, another file never', async (context) => {
  const directory = await temporaryDirectory(context);
  const [stale, file] = [join(directory, 'stale.sock'), join(directory, 'file')];
  const dead = createServer().listen(stale);
  await once(dead, 'listening');
  const moved = join(directory, 'moved.sock');
  await rename(stale, moved);
  dead.close();
  await once(dead, 'close');
  assert.equal(await callLocal(moved, ''), undefined);
  const door = await openLocalDoor(moved, (_request, response) => void response.end('alive'));
  assert.equal(await callLocal(moved, ''), 'alive');
  await door.close();
  await writeFile(file, 'mine');
  await assert.rejects(
    openLocalDoor(file, () => undefined),
    /something else is there/,
  );
});
