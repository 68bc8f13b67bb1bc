import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { createFetcher, type Fetcher } from '../platform/fetch.ts';
import { Refusal } from '../platform/refusal.ts';
import { type BankConnector, createBankConnector } from './index.ts';

/** One test waits for it; every other answer must come before it, also on a machine that has much else to do. */
const TIMEOUT_MS = 1_500;
const MAXIMUM_BYTES = 20_000;
const checking = {
  id: '22289',
  name: 'Everyday',
  type: 'Current account',
  currency: 'EUR',
  maskedNumber: '****1234',
};

let server: Server;
let fetcher: Fetcher;
let bank: BankConnector;
let origin: string;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
let asked: { method: string; url: string; body: string; headers: IncomingMessage['headers'] }[] = [];

before(async () => {
  const authority = createAuthority('Bank Test CA');
  const identity = authority.issueServer();
  server = createServer({ cert: identity.certificatePem, key: identity.keyPem }, async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push({ method: request.method ?? '', url: request.url ?? '', body, headers: request.headers });
    answer(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `https://localhost:${portOf(server)}`;
  fetcher = createFetcher({
    allowPrivateAddresses: true,
    authorities: [authority.certificatePem],
    timeoutMs: TIMEOUT_MS,
    maximumBytes: MAXIMUM_BYTES,
  });
  bank = createBankConnector({ fetcher, origin });
});
after(async () => {
  await fetcher.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function portOf(listening: Server): number {
  const address: AddressInfo | string | null = listening.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}

function says(value: unknown, status = 200, type = 'application/json') {
  answer = (_, response) => {
    response.writeHead(status, { 'content-type': type });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
}

const unavailable = (error: unknown) =>
  error instanceof Refusal && error.code === 'upstream_unavailable' && error.status === 502;

test('bank: an answer that is not the agreed one is no answer', async (t) => {
  const many = Array.from({ length: 1_001 }, (_, index) => ({ ...checking, id: String(index) }));
  const wrongs: readonly [string, unknown][] = [
    ['not JSON', '<html>'],
    ['empty', ''],
    ['null', 'null'],
    ['a bare list', [checking]],
    ['no list', { accounts: {} }],
    ['an account that is none', { accounts: [checking, null] }],
    ['no id', { accounts: [{ ...checking, id: undefined }] }],
    ['an empty id', { accounts: [{ ...checking, id: '' }] }],
    ['a climbing id', { accounts: [{ ...checking, id: '..' }] }],
    ['a number as id', { accounts: [{ ...checking, id: 22289 }] }],
    ['an overlong id', { accounts: [{ ...checking, id: 'x'.repeat(129) }] }],
    ['an id with a control character', { accounts: [{ ...checking, id: 'a\nb' }] }],
    ['the same id twice', { accounts: [checking, checking] }],
    ['a blank name', { accounts: [{ ...checking, name: '  ' }] }],
    ['an overlong name', { accounts: [{ ...checking, name: 'x'.repeat(201) }] }],
    ['no type', { accounts: [{ ...checking, type: undefined }] }],
    ['a currency that is none', { accounts: [{ ...checking, currency: 'euro' }] }],
    ['an account number in the clear', { accounts: [{ ...checking, maskedNumber: 'DE02120300000000202051' }] }],
    ['a mask that shows too much', { accounts: [{ ...checking, maskedNumber: '****12345' }] }],
    ['more accounts than anybody has', { accounts: many }],
  ];
  for (const [name, value] of wrongs) {
    await t.test(name, async () => {
      says(value);
      await assert.rejects(bank.accounts('c1'), unavailable);
    });
  }
});

test('bank: every other status is no answer, also a redirect', async () => {
  for (const status of [201, 204, 301, 302, 307, 400, 401, 403, 404, 429, 500, 503]) {
    says({ accounts: [] }, status);
    await assert.rejects(bank.accounts('c1'), unavailable, String(status));
  }
  for (const status of [201, 302, 400, 403, 404, 500]) {
    says({ id: 'c1', name: 'User' }, status);
    await assert.rejects(bank.signIn('user', 'right'), unavailable, String(status));
  }
});

test('bank: the wrong content type is no answer', async () => {
  says({ accounts: [] }, 200, 'text/html');
  await assert.rejects(bank.accounts('c1'), unavailable);
  says({ accounts: [] }, 200, 'application/json; charset=utf-8');
  assert.deepEqual(await bank.accounts('c1'), []);
});

test('bank: octets that are not UTF-8 are no answer', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]));
  };
  await assert.rejects(bank.accounts('c1'), unavailable);
});

test('bank: a silent, slow, breaking or endless bank is no answer within the limits', async () => {
  answer = () => undefined;
  await assert.rejects(bank.accounts('c1'), unavailable);
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{');
    response.socket?.destroy();
  };
  await assert.rejects(bank.accounts('c1'), unavailable);
  says({ accounts: [], padding: 'x'.repeat(MAXIMUM_BYTES) });
  await assert.rejects(bank.accounts('c1'), unavailable);
});

test('bank: an unknown authority is no bank', async () => {
  const strict = createFetcher({
    allowPrivateAddresses: true,
    authorities: [createAuthority('Another CA').certificatePem],
  });
  const stranger = createBankConnector({ fetcher: strict, origin });
  await assert.rejects(stranger.signIn('user', 'p'), unavailable);
  await strict.close();
});

test('bank: an origin that is more than an origin is refused at start', () => {
  for (const wrong of ['http://localhost:1', 'https://localhost/path', 'https://user@localhost', 'localhost'])
    assert.throws(() => createBankConnector({ fetcher, origin: wrong }), wrong);
});

test('bank: a refusal tells neither what was sent nor what was answered', async () => {
  says('{"name":"Erika Mustermann"');
  const error = await bank.signIn('erika', 'geheim').catch((cause: unknown) => cause);
  assert.ok(error instanceof Refusal);
  const told = `${error.message} ${error.detail} ${error.cause}`;
  for (const secret of ['erika', 'geheim', 'Mustermann']) assert.ok(!told.toLowerCase().includes(secret.toLowerCase()));
});

test('CLD-24 a wrong user name and a wrong password are the same no', async () => {
  says({ error: 'no such user' }, 401);
  assert.equal(await bank.signIn('nobody', 'x'), undefined);
});

test('CLD-24 sign-in sends both factors in the body and gives the customer', async () => {
  asked = [];
  says({ id: 'c1', name: 'User One', birthday: '1990-01-01' });
  assert.deepEqual(await bank.signIn('user', 'p@ssword!"\\'), { id: 'c1', name: 'User One' });
  assert.equal(asked[0]?.method, 'POST');
  assert.equal(asked[0]?.url, '/sign-in');
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), { username: 'user', password: 'p@ssword!"\\' });
});

test('bank: accounts come as they are shown, without members we do not know', async () => {
  says({ accounts: [{ ...checking, balance: 12 }], next: null });
  assert.deepEqual(await bank.accounts('c1'), [checking]);
});

test('bank: ids are one segment of the path, whatever is in them', async () => {
  asked = [];
  says({ number: 'DE02120300000000202051' });
  assert.equal(await bank.accountNumber('a/../b?c#d', 'x y%2f'), 'DE02120300000000202051');
  assert.equal(asked[0]?.url, '/customers/a%2F..%2Fb%3Fc%23d/accounts/x%20y%252f/number');
  for (const id of ['', '.', '..']) await assert.rejects(bank.accountNumber('c1', id), Refusal);
  assert.equal(asked.length, 1);
});

test('bank: an account of somebody else has no number, a malformed number is no answer', async () => {
  says({}, 404);
  assert.equal(await bank.accountNumber('c1', 'a1'), undefined);
  for (const number of [undefined, 12345678, '', '1', '12;34', 'x'.repeat(60)]) {
    says({ number });
    await assert.rejects(bank.accountNumber('c1', 'a1'), unavailable, String(number));
  }
});

test('bank: the bank can tell that it is us, call by call', async () => {
  asked = [];
  says({ accounts: [] });
  const headers = async (call: { method: string; path: string }) => ({ 'x-proof': `${call.method} ${call.path}` });
  await createBankConnector({ fetcher, origin, headers }).accounts('c/1');
  assert.equal(asked[0]?.headers['x-proof'], 'GET /customers/c%2F1/accounts');
});
