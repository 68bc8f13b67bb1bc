import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shown, shownAddress } from './blanking.ts';
import { curlOf } from './curl.ts';
import { tableOf } from './outcome.ts';
import { createSteps, StepFailed } from './steps.ts';
import { describeExchange } from './transcript.ts';
import type { Exchange } from './wire.ts';

const jwt = [{ alg: 'PS256' }, { sub: 'client', access_token: 'inner-secret' }]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .concat('signature-octets')
  .join('.');

function exchangeOf(changes: Partial<Exchange>): Exchange {
  return {
    method: 'POST',
    url: 'https://localhost:8444/gobank/token',
    requestHeaders: {},
    requestBody: undefined,
    status: 200,
    responseHeaders: {},
    cookies: [],
    responseBody: '',
    ...changes,
  };
}

test('N-278 a transcript shows no secret: form, JSON, headers, cookies and addresses', () => {
  const secrets = ['the-code', 'the-verifier', 'the-password', 'the-token', 'the-refresh', 'the-cookie', 'the-handle'];
  const text = describeExchange(
    exchangeOf({
      url: 'https://localhost:8443/authorize?client_id=c&request_uri=urn:x:the-handle',
      requestHeaders: { Authorization: 'Bearer the-token', 'Content-Type': 'application/x-www-form-urlencoded' },
      requestBody: 'code=the-code&code_verifier=the-verifier&password=the-password&client_id=c',
      responseHeaders: { 'content-type': 'application/json' },
      cookies: ['session=the-cookie; Path=/'],
      responseBody: '{"access_token":"the-token","deep":[{"refresh_token":"the-refresh"}],"scope":"accounts"}',
    }),
  );
  for (const secret of secrets) assert.ok(!text.includes(secret), secret);
  for (const told of ['client_id', 'accounts', 'session=‹…›', '‹8 characters›']) assert.ok(text.includes(told), told);
  assert.ok(!shownAddress('https://tpp.example/cb?code=the-code&state=s').includes('the-code'));
});

test('N-278 a JWT is decoded without its signature, and secrets inside it are blanked', () => {
  for (const name of ['id_token', 'client_assertion', 'software_statement', 'access_token']) {
    const text = JSON.stringify(shown(name, jwt));
    assert.ok(text.includes('"sub":"client"') && !text.includes('signature-octets') && !text.includes('inner-secret'));
  }
  assert.equal(shown('id_token', 'no.jwt.at-all'), '‹13 characters›');
});

test('long lists and texts are shortened', () => {
  assert.deepEqual(shown('accounts', [1, 2, 3, 4, 5]), [1, 2, 3, '… and 2 more']);
  assert.match(String(shown('n', 'x'.repeat(300))), /… \(300 characters\)$/);
});

test('a printed curl command holds variables for secrets and survives the shell', () => {
  const options = { authority: 'var/root.pem', secrets: new Map([['s3cret', 'CLIENT_SECRET']]) };
  const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  assert.equal(
    curlOf('https://localhost/token', { ...form, body: 'a=b&client_secret=s3cret' }, options),
    'curl -s --cacert var/root.pem --data-urlencode a=b --data-urlencode "client_secret=$CLIENT_SECRET" https://localhost/token',
  );
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
  assert.match(
    curlOf('https://localhost/p', { ...json, body: '{"token":"s3cret","note":"$HOME"}' }, options),
    /-d "\{\\"token\\":\\"\$CLIENT_SECRET\\",\\"note\\":\\"\\\$HOME\\"\}"/,
  );
  assert.match(curlOf('https://localhost/a?x=1&y=2', {}, options), / 'https:\/\/localhost\/a\?x=1&y=2'$/);
});

test('a step that differs is printed and ends the walk', async () => {
  const lines: string[] = [];
  const steps = createSteps((line) => lines.push(line));
  assert.equal(await steps.take('good', async () => 7), 7);
  await assert.rejects(
    steps.take('bad', async () => {
      throw new Error('expected 401, was answered 200');
    }),
    StepFailed,
  );
  assert.deepEqual([steps.taken, lines.at(-1)], [2, '   ✗ expected 401, was answered 200']);
});

test('the table shows what was expected and, where it differs, what was seen', () => {
  const table = tableOf([
    { id: 'LAB-1', title: 'one', expected: '200', actual: '200' },
    { id: 'LAB-2', title: 'two', expected: '403', actual: '200' },
  ]);
  assert.match(table, /LAB-1 .*200 +✓\n/);
  assert.match(table, /LAB-2 .*403 +✗\n +200/);
});
