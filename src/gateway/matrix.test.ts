import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { participantToken, resetWorld, tokenOf } from '../../test/support/gateway.ts';
import { type Got, openStage, reasonOf, type Sending, type Stage } from '../../test/support/gateway-server.ts';
import { type Wrong, wrongs } from '../../test/support/gateway-wrongs.ts';
import type { TokenFacts } from '../tokens/index.ts';

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

/** A route of the generic market with a request that passes. */
interface Case extends Sending {
  readonly name: string;
  readonly token: TokenFacts;
  readonly consent: boolean;
  readonly account: boolean;
}

const headers = { 'content-type': 'application/json' };
const customer = { token: tokenOf(), consent: true };
const cases: readonly Case[] = [
  { ...customer, account: false, name: 'GET /accounts', path: '/gobank/accounts' },
  { ...customer, account: false, name: 'GET /balances', path: '/gobank/balances' },
  { ...customer, account: true, name: 'GET /accounts/{account}', path: '/gobank/accounts/acc-1' },
  { ...customer, account: true, name: 'GET /accounts/{account}/balances', path: '/gobank/accounts/acc-1/balances' },
  {
    ...customer,
    account: true,
    name: 'GET /accounts/{account}/transactions',
    path: '/gobank/accounts/acc-1/transactions',
  },
  {
    ...customer,
    account: true,
    name: 'POST /tokenize',
    method: 'POST',
    path: '/gobank/tokenize',
    headers,
    body: '{"account":"acc-1"}',
  },
  {
    token: participantToken(),
    consent: false,
    account: false,
    name: 'POST /payments',
    method: 'POST',
    path: '/gobank/payments',
    headers,
    body: '{"token":"vt-1","amount":200}',
  },
];

function applies({ at }: Wrong, route: Case): boolean {
  return at === 'every' || (at === 'consent' ? route.consent : route.account);
}

/** Makes everything wrong that is given, the first last so that it is wrong for sure, and sends the request. */
async function sendWrong(route: Case, several: readonly Wrong[]): Promise<Got> {
  const { world } = stage;
  let token = route.token;
  world.tokens.set('t', { state: 'active', facts: token });
  for (const { spoil } of several.toReversed()) {
    token = { ...token, ...spoil(world, token) };
    const held = world.tokens.get('t');
    if (held !== undefined && held.state !== 'invalid') world.tokens.set('t', { ...held, facts: token });
  }
  return stage.send({ ...route, headers: { ...route.headers, authorization: 'Bearer t' } });
}

for (const route of cases)
  test(`WSN-44 LAB-36 LAB-42 each validation failed alone at ${route.name}: its own answer, no call of the bank, one record`, async () => {
    for (const wrong of wrongs.filter((one) => applies(one, route))) {
      resetWorld(stage.world);
      const got = await sendWrong(route, [wrong]);
      assert.equal(reasonOf(got), wrong.reason);
      assert.equal(got.status, wrong.status, wrong.reason);
      assert.equal(stage.arrived, 0, `${wrong.reason}: the bank was called`);
      assert.match(String(got.headers['x-fapi-interaction-id']), uuid);
      assert.equal(got.headers['cache-control'], 'no-store');
      const records = stage.world.events.filter(({ family }) => family === 'gateway');
      assert.equal(records.length, 1, `${wrong.reason}: exactly one record`);
      assert.equal(records[0]?.action, 'request.refused');
      assert.equal(records[0]?.reason, wrong.reason);
      assert.equal(records[0]?.interaction, got.headers['x-fapi-interaction-id']);
    }
  });

for (const route of cases)
  test(`acceptance.md §1.3 at ${route.name} the first of two failures decides`, async () => {
    const relevant = wrongs.filter((wrong) => applies(wrong, route));
    for (const first of relevant) {
      for (const second of relevant.filter(({ step }) => step > first.step)) {
        resetWorld(stage.world);
        const got = await sendWrong(route, [first, second]);
        assert.equal(reasonOf(got), first.reason, `${first.reason} stands before ${second.reason}`);
      }
    }
    assert.equal(stage.arrived, 0);
  });

test('N-37 after a refusal no further room is asked', async () => {
  const asked = async (reason: string) => {
    const wrong = wrongs.find((one) => one.reason === reason);
    assert.ok(wrong);
    resetWorld(stage.world);
    await sendWrong(cases[0] ?? assert.fail(), [wrong]);
    return stage.world.asked.join(' ');
  };
  assert.equal(await asked('certificate_missing'), 'trust');
  assert.equal(await asked('token_invalid'), 'trust tokens');
  assert.equal(await asked('certificate_not_bound'), 'trust tokens');
  assert.equal(await asked('participant_suspended'), 'trust tokens directory');
  assert.equal(await asked('rate_limited'), 'trust tokens directory limit');
  assert.equal(await asked('consent_expired'), 'trust tokens directory limit consents');
});

for (const route of cases.filter(({ method }) => method === undefined))
  test(`WSN-44 LAB-38 all validations passed at ${route.name}: the bank answers, and the record says so`, async () => {
    const got = await sendWrong(route, []);
    assert.equal(got.status, 200);
    assert.equal(got.body, '{"data":[]}');
    assert.equal(stage.arrived, 1);
    assert.deepEqual(stage.world.touched, ['consent-1']);
    assert.equal(stage.world.events.length, 1);
    const { facts, ...record } = stage.world.events[0] ?? assert.fail();
    assert.deepEqual(record, {
      bank: 'gobank',
      participant: 'tpp-a',
      client: 'app-a',
      consent: 'consent-1',
      interaction: got.headers['x-fapi-interaction-id'],
      subject: undefined,
      family: 'gateway',
      action: 'request.forwarded',
      outcome: 'allowed',
      reason: undefined,
      detail: undefined,
    });
    const { milliseconds, ...rest } = facts ?? {};
    assert.ok(Number(milliseconds) > 0);
    assert.deepEqual(rest, {
      route: route.name,
      method: 'GET',
      status: 200,
      thumbprint: 'cert-a',
      revocation: 'off',
      role: 'AISP',
      check: null,
      door: 'mtls',
    });
  });
