import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, passes, refusalOf } from '../../../test/support/gateway.ts';
import { tokenizeBody } from './tokenize-body.ts';

const json = ['Content-Type', 'application/json'];
const posting = (body: string | Uint8Array, headers: readonly string[] = json) =>
  callOf({ method: 'POST', path: '/tokenize', headers, body });

for (const [body, code] of [
  ['', 'body_malformed'],
  ['{', 'body_malformed'],
  ['null', 'body_malformed'],
  ['[]', 'body_malformed'],
  ['"acc-1"', 'body_malformed'],
  ['{}', 'field_missing'],
  ['{"account":""}', 'field_invalid'],
  ['{"account":7}', 'field_invalid'],
  ['{"account":null}', 'field_invalid'],
  ['{"account":["acc-1"]}', 'field_invalid'],
  [`{"account":"${'a'.repeat(129)}"}`, 'field_invalid'],
  ['{"account":"acc-1","customer":"psu-2"}', 'field_invalid'],
] as const)
  test(`LAB-29 a tokenisation with the body ${body.slice(0, 40)} is refused with ${code}`, async () => {
    const refusal = await refusalOf(tokenizeBody, posting(body));
    assert.equal(refusal.code, code);
    assert.equal(refusal.status, 400);
  });

test('a body that is not UTF-8 is refused', async () => {
  const body = Uint8Array.from([...Buffer.from('{"account":"'), 0xff, ...Buffer.from('"}')]);
  assert.equal((await refusalOf(tokenizeBody, posting(body))).code, 'body_malformed');
});

for (const headers of [
  [],
  ['Content-Type', 'text/plain'],
  ['Content-Type', 'application/x-www-form-urlencoded'],
  ['Content-Type', 'application/json; charset=iso-8859-1'],
  ['Content-Type', 'application/json', 'Content-Encoding', 'gzip'],
])
  test(`another kind of body is refused with 415: ${headers.join(' ')}`, async () => {
    const refusal = await refusalOf(tokenizeBody, posting('{"account":"acc-1"}', headers));
    assert.equal(refusal.code, 'unsupported_media_type');
    assert.equal(refusal.status, 415);
  });

test('LAB-03 the account of the body becomes evidence', async () => {
  for (const type of ['application/json', 'Application/JSON; charset=UTF-8']) {
    const call = posting('{"account":"acc-1"}', ['Content-Type', type]);
    await passes(tokenizeBody, call);
    assert.equal(call.evidence.account, 'acc-1');
  }
});
