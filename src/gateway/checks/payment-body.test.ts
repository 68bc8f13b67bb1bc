import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, passes, refusalOf } from '../../../test/support/gateway.ts';
import { ClientGone } from '../body.ts';
import { paymentBody } from './payment-body.ts';

const posting = (body: string) =>
  callOf({ method: 'POST', path: '/payments', headers: ['Content-Type', 'application/json'], body });

for (const [body, code] of [
  ['{"amount":200}', 'field_missing'],
  ['{"token":"vt-1"}', 'field_missing'],
  ['{"token":"vt-1","amount":0}', 'field_invalid'],
  ['{"token":"vt-1","amount":-0}', 'field_invalid'],
  ['{"token":"vt-1","amount":-200}', 'field_invalid'],
  ['{"token":"vt-1","amount":"200"}', 'field_invalid'],
  ['{"token":"vt-1","amount":null}', 'field_invalid'],
  ['{"token":"vt-1","amount":true}', 'field_invalid'],
  ['{"token":"vt-1","amount":[200]}', 'field_invalid'],
  ['{"token":"vt-1","amount":0.001}', 'field_invalid'],
  ['{"token":"vt-1","amount":1e-7}', 'field_invalid'],
  ['{"token":"vt-1","amount":1e13}', 'field_invalid'],
  ['{"token":"vt-1","amount":1e999}', 'field_invalid'],
  ['{"token":7,"amount":200}', 'field_invalid'],
  ['{"token":"","amount":200}', 'field_invalid'],
  ['{"token":"vt-1","amount":200,"account":"DE02"}', 'field_invalid'],
  ['{"token":"vt-1","amount":200', 'body_malformed'],
] as const)
  test(`LAB-28 a payment with the body ${body} is refused with ${code}`, async () => {
    const refusal = await refusalOf(paymentBody, posting(body));
    assert.equal(refusal.code, code);
    assert.equal(refusal.status, 400);
  });

test('LAB-28 the refusal names the field', async () => {
  assert.match((await refusalOf(paymentBody, posting('{"token":"vt-1","amount":0}'))).message, /"amount"/);
});

for (const amount of [200, 0.01, 19.99, 1e12])
  test(`LAB-27 the order becomes evidence with the amount ${amount}`, async () => {
    const call = posting(JSON.stringify({ token: 'vt-1', amount }));
    await passes(paymentBody, call);
    assert.deepEqual(call.evidence.payment, { token: 'vt-1', amount });
  });

const unfinished = () =>
  callOf({
    method: 'POST',
    path: '/payments',
    headers: ['Content-Type', 'application/json'],
    body: '{',
    unfinished: true,
  });

test('a body that does not arrive in time is refused with 408', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const refused = refusalOf(paymentBody, unfinished());
  context.mock.timers.tick(10_000);
  const refusal = await refused;
  assert.equal(refusal.code, 'body_too_slow');
  assert.equal(refusal.status, 408);
});

test('a body that grows over the limit is refused with 413', async () => {
  const call = unfinished();
  const refused = refusalOf(paymentBody, call);
  for (let chunk = 0; chunk < 17; chunk += 1) call.request.push('x'.repeat(65_536));
  assert.equal((await refused).code, 'body_too_large');
});

test('a client that leaves in the middle, or before, is nobody to refuse', async () => {
  const middle = unfinished();
  const refused = assert.rejects(async () => passes(paymentBody, middle), ClientGone);
  middle.request.destroy();
  await refused;
  const before = unfinished();
  before.request.destroy();
  await assert.rejects(async () => passes(paymentBody, before), ClientGone);
});
