import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { readBody, readForm } from './form.ts';
import { Refusal } from './refusal.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

async function served(context: TestContext, read: (request: IncomingMessage) => Promise<unknown>) {
  const outcomes: unknown[] = [];
  const server = createServer((request, response) => {
    read(request).then(
      (value) => {
        outcomes.push(value);
        response.end('read');
      },
      (cause: unknown) => {
        outcomes.push(cause);
        response.writeHead(cause instanceof Refusal ? cause.status : 500);
        response.end(cause instanceof Refusal ? cause.code : 'defect');
      },
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  context.after(() => void server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { outcomes, post: postTo(address), port: address.port };
}

function postTo({ port }: AddressInfo) {
  return (headers: Record<string, string>, ...pieces: readonly (string | Buffer)[]): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const call = send({ port, method: 'POST', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    call.on('error', reject);
    for (const piece of pieces) call.write(piece);
    call.end();
    return promise;
  };
}

test('a body over the limit is refused with 413, announced or not', async (context) => {
  const { post } = await served(context, (request) => readBody(request, 10));
  assert.deepEqual(await post({ 'content-length': '11' }, '12345678901'), { status: 413, body: 'body_too_large' });
  assert.deepEqual(await post({ 'transfer-encoding': 'chunked' }, '123456', '78901'), {
    status: 413,
    body: 'body_too_large',
  });
});

test('a body up to the limit is read whole', async (context) => {
  const { post, outcomes } = await served(context, (request) => readBody(request, 10));
  await post({}, '12345', '67890');
  assert.deepEqual(outcomes, [Buffer.from('1234567890')]);
});

test('a caller who leaves before the end is refused, not waited for', async (context) => {
  const { promise: refused, resolve } = Promise.withResolvers<unknown>();
  const { port } = await served(context, (request) => {
    const reading = readBody(request, 10);
    reading.catch(resolve);
    return reading;
  });
  const call = send({ port, method: 'POST', headers: { 'content-length': '5' } });
  call.on('error', () => undefined);
  call.write('12', () => call.destroy());
  const cause = await refused;
  assert.ok(cause instanceof Refusal);
  assert.equal(cause.code, 'body_incomplete');
});

test('a form of another type, encoding or alphabet is refused', async (context) => {
  const { post } = await served(context, (request) => readForm(request, 100));
  for (const type of [
    'application/json',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded; charset=utf-16',
    'text/plain',
  ])
    assert.deepEqual(
      await post({ 'content-type': type }, 'a=1'),
      { status: 415, body: 'unsupported_media_type' },
      type,
    );
  assert.equal((await post({}, 'a=1')).status, 415);
  assert.equal((await post({ ...FORM, 'content-encoding': 'gzip' }, 'a=1')).status, 415);
  assert.equal((await post(FORM, Buffer.from([0x61, 0x3d, 0xff]))).body, 'body_malformed');
});

test('a field sent twice is refused unless it may repeat', async (context) => {
  const { post, outcomes } = await served(context, (request) => readForm(request, 100, ['tick']));
  assert.deepEqual(await post(FORM, 'a=1&a=1'), { status: 400, body: 'field_repeated' });
  assert.deepEqual(await post(FORM, 'a=1&%61=2'), { status: 400, body: 'field_repeated' });
  outcomes.length = 0;
  await post(FORM, 'tick=1&tick=2&a=%C3%A4+b');
  const [form] = outcomes;
  assert.ok(form instanceof URLSearchParams);
  assert.deepEqual([form.getAll('tick'), form.get('a')], [['1', '2'], 'ä b']);
});
