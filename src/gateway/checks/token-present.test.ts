import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, passes, refusalOf } from '../../../test/support/gateway.ts';
import { tokenPresent } from './token-present.ts';

const withHeaders = (...values: readonly string[]) =>
  callOf({ headers: values.flatMap((value) => ['Authorization', value]) });

test('WSN-39 a request without Authorization header is refused with token_missing', async () => {
  const refusal = await refusalOf(tokenPresent, callOf());
  assert.equal(refusal.code, 'token_missing');
  assert.equal(refusal.status, 401);
});

for (const value of ['Basic dXNlcjpwYXNz', 'DPoP abc', 'Bearerabc', 'Token abc', ''])
  test(`another scheme is no token: "${value}"`, async () => {
    assert.equal((await refusalOf(tokenPresent, withHeaders(value))).code, 'token_missing');
  });

for (const value of [
  'Bearer',
  'Bearer ',
  'Bearer a b',
  'Bearer a,b',
  'Bearer ä',
  'Bearer "a"',
  'Bearer a=b',
  'Bearer\ta',
])
  test(`a malformed token is refused: ${JSON.stringify(value)}`, async () => {
    const refusal = await refusalOf(tokenPresent, withHeaders(value));
    assert.equal(refusal.status, 401);
    assert.ok(refusal.code === 'token_invalid' || refusal.code === 'token_missing');
  });

test('two Authorization headers are refused, whichever came first', async () => {
  const refusal = await refusalOf(tokenPresent, withHeaders('Bearer good', 'Bearer other'));
  assert.equal(refusal.code, 'header_invalid');
  assert.equal(refusal.status, 400);
});

test('a second header in other letters counts as well', async () => {
  const call = callOf({ headers: ['authorization', 'Bearer good', 'AUTHORIZATION', 'Bearer other'] });
  assert.equal((await refusalOf(tokenPresent, call)).code, 'header_invalid');
});

test('a token longer than any of ours is refused before anybody hashes it', async () => {
  assert.equal((await refusalOf(tokenPresent, withHeaders(`Bearer ${'a'.repeat(9000)}`))).code, 'token_invalid');
});

test('the token becomes evidence, whatever the letters of the scheme', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    const call = withHeaders(`${scheme} abc-_.~+/=`);
    await passes(tokenPresent, call);
    assert.equal(call.evidence.bearer, 'abc-_.~+/=');
  }
});
