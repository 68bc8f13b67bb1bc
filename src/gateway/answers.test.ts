import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { resetWorld, tokenOf } from '../../test/support/gateway.ts';
import { openStage, reasonOf, type Stage } from '../../test/support/gateway-server.ts';

let stage: Stage;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

before(async () => {
  stage = await openStage();
});
after(() => stage.close());
beforeEach(() => {
  resetWorld(stage.world);
  stage.arrived = 0;
});

for (const path of [
  '/',
  '/nothing',
  '/accounts/',
  '//accounts',
  '/accounts//balances',
  '/accounts/acc-1/',
  '/Accounts',
  '/accounts/acc-1/balances/x',
  '/accounts/..',
  '/accounts/../accounts',
  '/accounts/./balances',
  '/accounts/%2e%2e',
  '/accounts/%2E%2E/balances',
  '/accounts/acc-1%2Fbalances',
  '/accounts/acc-1%5Cbalances',
  '/accounts/acc-1%00',
  '/accounts/acc-1%0d%0aX:y',
  '/accounts/%252e%252e',
  '/accounts/%ff',
  '/accounts/%',
  '/accounts/acc-1;x=y',
  '/%61ccounts',
  `/accounts/${'a'.repeat(129)}`,
])
  test(`N-42 the path ${path.slice(0, 40)} is 404 and reaches no bank`, async () => {
    const got = await stage.send({ path: `/gobank${path}` });
    assert.equal(got.status, 404);
    assert.equal(reasonOf(got), 'not_found');
    assert.match(String(got.headers['x-fapi-interaction-id']), uuid);
    assert.equal(stage.arrived, 0);
  });

test('an unknown bank is 404 with an interaction id, and is recorded', async () => {
  const got = await stage.send({ path: '/nobank/accounts' });
  assert.equal(got.status, 404);
  assert.match(String(got.headers['x-fapi-interaction-id']), uuid);
  assert.equal(stage.world.events.length, 1);
});

for (const [method, path, allow] of [
  ['POST', '/accounts', 'GET'],
  ['DELETE', '/accounts/acc-1', 'GET'],
  ['GET', '/payments', 'POST'],
  ['OPTIONS', '/accounts', 'GET'],
  ['PATCH', '/tokenize', 'POST'],
  ['TRACE', '/accounts', 'GET'],
] as const)
  test(`N-42 ${method} ${path} is 405 with Allow: ${allow}`, async () => {
    const got = await stage.send({ method, path: `/gobank${path}` });
    assert.equal(got.status, 405);
    assert.equal(reasonOf(got), 'method_not_allowed');
    assert.equal(got.headers.allow, allow);
    assert.equal(stage.arrived, 0);
  });

test('HEAD is 405 without a body', async () => {
  const got = await stage.send({ method: 'HEAD' });
  assert.equal(got.status, 405);
  assert.equal(got.body, '');
});

for (const query of [
  'access_token=customer',
  'a=b&access_token=x',
  'access%5Ftoken=x',
  '%61ccess_token',
  'access_token',
])
  test(`N-82 RS-2 a token in the query (${query}) is 401 token_missing, beside a good header too, and in no record`, async () => {
    const got = await stage.send({ path: `/gobank/accounts?${query}` });
    assert.equal(got.status, 401);
    assert.equal(reasonOf(got), 'token_missing');
    assert.equal(stage.arrived, 0);
    assert.ok(!JSON.stringify(stage.world.events).includes('access'));
  });

test('a query over the limit or with raw octets is 400', async () => {
  assert.equal((await stage.send({ path: `/gobank/accounts?q=${'x'.repeat(5000)}` })).status, 400);
  assert.equal((await stage.send({ path: '/gobank/accounts?q=\u00e4' })).status, 400);
});

test('acceptance.md §1.3 a refusal is JSON with reason, message and trace id', async () => {
  const got = await stage.send({ headers: { authorization: 'Basic eA==' } });
  assert.equal(got.headers['content-type'], 'application/json; charset=utf-8');
  assert.deepEqual(JSON.parse(got.body), {
    error: {
      reason: 'token_missing',
      message: 'Send the access token as "Authorization: Bearer".',
      traceId: got.headers['x-fapi-interaction-id'],
    },
  });
  assert.ok(got.headers.date);
});

test('RFC 6750 §3 a missing token is challenged without an error code', async () => {
  const got = await stage.send({ headers: { authorization: 'Basic eA==' } });
  assert.equal(got.headers['www-authenticate'], 'Bearer realm="gobank"');
});

test('RFC 6750 §3 a bad token is challenged with invalid_token and a description in plain ASCII', async () => {
  const got = await stage.send({ headers: { authorization: 'Bearer unknown' } });
  assert.equal(
    got.headers['www-authenticate'],
    'Bearer error="invalid_token", error_description="The access token is not valid here."',
  );
});

test('LAB-21 a missing scope is challenged with the scope that is needed', async () => {
  stage.world.tokens.set('t', { state: 'active', facts: tokenOf({ scopes: [] }) });
  const headers = { authorization: 'Bearer t', 'content-type': 'application/json' };
  const got = await stage.send({ method: 'POST', path: '/gobank/payments', headers, body: '{}' });
  assert.equal(got.status, 403);
  assert.equal(got.headers['www-authenticate'], 'Bearer error="insufficient_scope", scope="payments.create"');
});

test('LAB-17 the 429 says when to come again', async () => {
  stage.world.limits.set('tpp-a', 17);
  const got = await stage.send();
  assert.equal(got.headers['retry-after'], '17');
  assert.equal(got.headers['www-authenticate'], undefined);
});

for (const sent of [
  'not-a-uuid',
  '',
  'b7b3ab48-5d1c-4dc9-9f0c-0d3f3c0d4d8a, b7b3ab48-5d1c-4dc9-9f0c-0d3f3c0d4d8b',
  '{b7b3ab48-5d1c-4dc9-9f0c-0d3f3c0d4d8a}',
])
  test(`WSO-36 the interaction id "${sent}" is replaced by one of ours`, async () => {
    const got = await stage.send({ headers: { 'x-fapi-interaction-id': sent } });
    assert.match(String(got.headers['x-fapi-interaction-id']), uuid);
    assert.notEqual(got.headers['x-fapi-interaction-id'], sent);
  });

test('WSO-36 RS-11 a UUID is echoed on success, refusal and 404, and the record has it', async () => {
  const id = 'B7B3AB48-5D1C-4DC9-9F0C-0D3F3C0D4D8A';
  for (const path of ['/gobank/accounts', '/gobank/accounts/acc-9', '/gobank/nothing']) {
    const got = await stage.send({ path, headers: { 'x-fapi-interaction-id': id } });
    assert.equal(got.headers['x-fapi-interaction-id'], id);
    assert.equal(stage.world.events.at(-1)?.interaction, id);
  }
});

test('a defect is 500 internal_error without its detail, and the log has it', async () => {
  stage.world.verdict = () => {
    throw new Error('secret detail');
  };
  const got = await stage.send();
  assert.equal(got.status, 500);
  assert.equal(reasonOf(got), 'internal_error');
  assert.ok(!got.body.includes('secret'));
  assert.ok(stage.logged.some((line) => line.includes('secret detail')));
  assert.equal(stage.world.events[0]?.outcome, 'failed');
  assert.equal(stage.arrived, 0);
});

test('LAB-36 a missing certificate is an event of its own with the peer address', async () => {
  stage.world.verdict = () => ({
    ok: false,
    reason: 'certificate_missing',
    detail: 'none',
    message: 'No.',
    certificate: undefined,
  });
  await stage.send();
  const [event, record] = stage.world.events;
  assert.equal(event?.action, 'tls.client_certificate_missing');
  assert.match(String(event?.facts?.peer), /127\.0\.0\.1|::1/);
  assert.equal(record?.action, 'request.refused');
});

test('a refused request with a small body keeps the connection, and with a large one ends it', async () => {
  const headers = { authorization: 'Bearer unknown', 'content-type': 'application/json' };
  const small = await stage.send({ method: 'POST', path: '/gobank/payments', headers, body: '{}' });
  assert.notEqual(small.headers.connection, 'close');
  const socket = await stage.open();
  socket.write('POST /gobank/payments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n');
  const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
  assert.match(answer, /^HTTP\/1\.1 401 [\s\S]*connection: close/i);
});
