import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, createWorld, roomsOf, tokenOf } from '../../test/support/gateway.ts';
import { openStage, reasonOf } from '../../test/support/gateway-server.ts';
import type { AuditEvent } from '../audit/index.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Exchange } from './exchange.ts';
import { createRecorder } from './recorder.ts';

function exchangeOf(call = callOf({ evidence: { token: tokenOf() } })): Exchange {
  const { request, response, bank, door, interaction } = call;
  return { request, response, bank, door, interaction, startedAt: 0, call, check: undefined, recorded: false };
}

test('LAB-42 an exchange is recorded once: a second record is a defect', () => {
  const world = createWorld();
  const recorder = createRecorder({ audit: roomsOf(world).audit });
  const exchange = exchangeOf();
  recorder.record(exchange, { kind: 'forwarded', status: 200 });
  assert.throws(() => recorder.record(exchange, { kind: 'forwarded', status: 200 }), /twice/);
  assert.equal(world.events.length, 1);
});

test('the record names the customer by a reference, never by the id of the bank', () => {
  const world = createWorld();
  const reference = (bank: string, customer: string) => `hash of ${customer.length} characters at ${bank}`;
  createRecorder({ audit: roomsOf(world).audit, reference }).record(exchangeOf(), { kind: 'forwarded', status: 200 });
  assert.equal(world.events[0]?.subject, 'hash of 5 characters at gobank');
  assert.ok(!JSON.stringify(world.events).includes('psu-1'));
});

test('metrics count by bank, route, status and reason, and by nothing that callers choose', () => {
  const seen: unknown[] = [];
  const metrics = { duration: () => (_milliseconds: number, labels: unknown) => void seen.push(labels) };
  const recorder = createRecorder({ audit: roomsOf(createWorld()).audit, metrics });
  recorder.record(exchangeOf(), { kind: 'forwarded', status: 200 });
  const refused = { kind: 'refused', status: 403, reason: 'consent_missing', detail: 'x' } as const;
  recorder.record({ ...exchangeOf(), bank: undefined, call: undefined }, refused);
  assert.deepEqual(seen, [
    { bank: 'gobank', route: 'GET /accounts/{account}', status: '200', reason: '' },
    { bank: '', route: '', status: '403', reason: 'consent_missing' },
  ]);
});

test('LAB-42 when the trail refuses the record of an answer, the caller gets 503 instead of the data', async (context) => {
  const events: AuditEvent[] = [];
  const audit = {
    checkWritable: () => undefined,
    flush: async () => undefined,
    enqueue(event: AuditEvent) {
      events.push(event);
      throw new Refusal('audit_unavailable', 503, 'The trail takes no records.');
    },
  };
  const stage = await openStage({ options: { audit } });
  context.after(() => stage.close());
  const got = await stage.send();
  assert.equal(got.status, 503);
  assert.equal(reasonOf(got), 'audit_unavailable');
  assert.ok(!got.body.includes('data'));
  assert.equal(events.length, 1);
});

test('LAB-30 LAB-42 when the steps of a payment cannot be committed, no key is used and no payment made', async (context) => {
  const asked: string[] = [];
  const audit = {
    checkWritable: () => undefined,
    enqueue: () => undefined,
    flush: async () => {
      asked.push('flush');
      throw new Refusal('audit_unavailable', 503, 'The trail takes no records.');
    },
  };
  const stage = await openStage({ options: { audit } });
  context.after(() => stage.close());
  const headers = { authorization: 'Bearer participant', 'content-type': 'application/json' };
  const body = '{"token":"vt-1","amount":200}';
  const got = await stage.send({ method: 'POST', path: '/gobank/payments', headers, body });
  assert.equal(reasonOf(got), 'audit_unavailable');
  assert.deepEqual(asked, ['flush']);
  assert.deepEqual(stage.world.events, [], 'the vault was not asked');
  assert.equal(stage.arrived, 0);
});

test('LAB-42 the text of a token is in no record and no log line', async (context) => {
  const stage = await openStage();
  context.after(() => stage.close());
  const text = 'a-token-that-must-not-be-kept';
  await stage.send({ headers: { authorization: `Bearer ${text}` } });
  await stage.send({ path: `/gobank/accounts?access_token=${text}` });
  await stage.send({ path: `/gobank/${text}` });
  stage.world.tokens.set(text, { state: 'active', facts: tokenOf() });
  assert.equal((await stage.send({ headers: { authorization: `Bearer ${text}` } })).status, 200);
  await stage.stopBank();
  assert.equal((await stage.send({ headers: { authorization: `Bearer ${text}` } })).status, 502);
  assert.equal(stage.world.events.length, 5);
  assert.ok(!JSON.stringify([stage.world.events, stage.logged, stage.received]).includes(text));
});
