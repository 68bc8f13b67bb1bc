import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { consentOf, resetWorld } from '../../test/support/gateway.ts';
import { type Got, openStage, reasonOf, type Stage } from '../../test/support/gateway-server.ts';
import { Refusal } from '../platform/refusal.ts';

const number = 'DE02120300000000201234';
let stage: Stage;
/** What the bank says of the account at hand. */
let accountNumber: () => Promise<string | undefined>;

before(async () => {
  stage = await openStage({ bank: { accountNumber: () => accountNumber() } });
});
after(() => stage.close());
beforeEach(() => {
  resetWorld(stage.world);
  stage.arrived = 0;
  stage.received.length = 0;
  accountNumber = async () => number;
  stage.world.vaultTokens.set('vt-1', { number, customer: 'psu-1', account: 'acc-1', consent: 'consent-1' });
  stage.answer = (_request, response) => void response.end('{"status":"APPROVED"}');
});

const json = { 'content-type': 'application/json' };

function pay(order: unknown = { token: 'vt-1', amount: 200 }, headers = {}): Promise<Got> {
  const sent = { ...json, authorization: 'Bearer participant', ...headers };
  return stage.send({ method: 'POST', path: '/gobank/payments', headers: sent, body: JSON.stringify(order) });
}

function tokenize(account: unknown): Promise<Got> {
  return stage.send({ method: 'POST', path: '/gobank/tokenize', headers: json, body: JSON.stringify({ account }) });
}

test('LAB-03 another account than the ticked ones gets no vault token', async () => {
  const got = await tokenize('acc-of-psu-2');
  assert.equal(got.status, 403);
  assert.equal(reasonOf(got), 'account_not_in_consent');
  assert.equal(stage.world.vaultTokens.size, 1);
});

test("WSO-35 an account the bank itself does not find at this customer's gets the same answer", async () => {
  accountNumber = async () => undefined;
  const got = await tokenize('acc-1');
  assert.equal(got.status, 403);
  assert.equal(reasonOf(got), 'account_not_in_consent');
});

test('a bank that does not answer makes no vault token', async () => {
  accountNumber = async () => {
    throw new Refusal('upstream_unavailable', 502, 'The bank does not answer.');
  };
  assert.equal((await tokenize('acc-1')).status, 502);
  assert.equal(stage.world.vaultTokens.size, 1);
});

test('LAB-03 LAB-29 a ticked account gets a vault token, limited to this participant and tied to this consent', async () => {
  const got = await tokenize('acc-1');
  assert.equal(got.status, 201);
  assert.deepEqual(JSON.parse(got.body), { token: 'vt-2', account: '****1234' });
  assert.equal(got.headers['cache-control'], 'no-store');
  const asked = `tokenize psu-1 acc-1 tpp-a ${got.headers['x-fapi-interaction-id']}`;
  assert.ok(stage.world.asked.includes(asked));
  assert.equal(stage.world.vaultTokens.get('vt-2')?.consent, 'consent-1');
  assert.equal(stage.arrived, 0, 'the bank API is not called');
});

test('LAB-04 LAB-28 an invented vault token is 404 and no payment', async () => {
  const got = await pay({ token: 'vt-9', amount: 200 });
  assert.equal(got.status, 404);
  assert.equal(reasonOf(got), 'not_found');
  assert.equal(stage.arrived, 0);
});

const broken = {
  'was withdrawn': consentOf({ state: 'Revoked' }),
  'has expired by its state': consentOf({ state: 'Expired' }),
  'expires at this moment': consentOf({ expiresAt: new Date('2026-11-21T10:00:00Z') }),
  'no longer covers the account': consentOf({ accounts: ['acc-2'] }),
  'is of another customer': consentOf({ customer: 'psu-2' }),
  'is of another participant': consentOf({ participant: 'tpp-b' }),
};
for (const [what, consent] of Object.entries(broken))
  test(`LAB-04 a vault token whose consent ${what} is 404 and no payment, not told apart from an invented one`, async () => {
    const invented = await pay({ token: 'vt-9', amount: 200 });
    stage.world.consents.set('consent-1', consent);
    const got = await pay();
    assert.equal(got.status, 404);
    const shown = ({ body, headers }: Got) => body.replace(String(headers['x-fapi-interaction-id']), '');
    assert.equal(shown(got), shown(invented));
    assert.equal(stage.arrived, 0);
  });

test('LAB-04 a vault token without a consent, or whose consent is gone, is 404 and no payment', async () => {
  stage.world.vaultTokens.set('vt-2', { number, customer: 'psu-1', account: 'acc-1', consent: undefined });
  assert.equal((await pay({ token: 'vt-2', amount: 200 })).status, 404);
  stage.world.consents.clear();
  assert.equal((await pay()).status, 404);
  assert.equal(stage.arrived, 0);
});

test('LAB-30 a vault that refuses is the answer, and no payment', async () => {
  const answers: [number, string][] = [
    [403, 'participant_not_allowed'],
    [503, 'kms_unavailable'],
  ];
  for (const [status, reason] of answers) {
    stage.world.vaultTokens.get = () => {
      throw new Refusal(reason, status, 'The vault says no.');
    };
    const got = await pay();
    assert.equal(got.status, status);
    assert.equal(reasonOf(got), reason);
  }
  assert.equal(stage.arrived, 0);
});

test('LAB-42 when records cannot be written no key is used and no payment is made', async () => {
  stage.world.trailWorks = false;
  assert.equal((await pay()).status, 503);
  assert.equal(stage.arrived, 0);
  assert.ok(!stage.world.events.some(({ family }) => family === 'key'));
});

for (const answer of [
  '',
  'no',
  '[]',
  '{}',
  '{"status":"MAYBE"}',
  '{"status":7}',
  `{"status":"APPROVED","x":"${'x'.repeat(20_000)}"}`,
])
  test(`a bank that answers ${answer.slice(0, 20) || 'nothing'} to a payment is 502, never an approval`, async () => {
    stage.answer = (_request, response) => void response.end(answer);
    const got = await pay();
    assert.equal(got.status, 502);
    assert.equal(reasonOf(got), 'upstream_unavailable');
  });

for (const status of [302, 400, 401, 500])
  test(`a bank that answers ${status} to a payment is 502, whatever the body claims`, async () => {
    stage.answer = (_request, response) => void response.writeHead(status).end('{"status":"APPROVED"}');
    assert.equal((await pay()).status, 502);
  });

test('LAB-27 a payment answers token, masked account, amount and status', async () => {
  const got = await pay();
  assert.equal(got.status, 200);
  assert.deepEqual(JSON.parse(got.body), { token: 'vt-1', account: '****1234', amount: 200, status: 'APPROVED' });
  const [request] = stage.received;
  assert.deepEqual([request?.method, request?.url], ['POST', '/payments']);
  assert.deepEqual(JSON.parse(request?.body ?? ''), { account: number, amount: 200 });
  assert.equal(request?.headers['x-fapi-interaction-id'], got.headers['x-fapi-interaction-id']);
  assert.equal(request?.headers.authorization, undefined);
  const { client, customer, consent, accounts, scopes } = stage.world.signed.at(-1) ?? {};
  assert.deepEqual(
    [client, customer, consent, accounts, scopes],
    ['app-a', 'psu-1', 'consent-1', ['acc-1'], ['payments.create']],
  );
  assert.deepEqual(stage.world.touched, ['consent-1']);
});

test('LAB-28 a declined payment is 200 with DECLINED and the reason', async () => {
  stage.answer = (_request, response) => void response.end('{"status":"DECLINED","reason":"insufficient funds"}');
  const got = await pay();
  assert.equal(got.status, 200);
  const expected = {
    token: 'vt-1',
    account: '****1234',
    amount: 200,
    status: 'DECLINED',
    reason: 'insufficient funds',
  };
  assert.deepEqual(JSON.parse(got.body), expected);
});

test('LAB-29 the account number is in no answer and no record, also when the bank repeats it', async () => {
  stage.answer = (_request, response) =>
    void response.end(`{"status":"DECLINED","reason":"account DE02 1203 0000 0000 2012-34 is blocked"}`);
  const got = await pay();
  assert.equal(got.status, 200);
  assert.ok(!got.body.includes('2012'));
  assert.ok(!JSON.stringify(stage.world.events).includes(number));
  assert.ok(!JSON.stringify(stage.world.events).includes('vt-1'));
});

test('LAB-06 LAB-43 one payment leaves its six steps in order under one interaction id', async () => {
  const got = await pay();
  const steps = stage.world.events.map(({ family, action }) => `${family} ${action}`);
  assert.deepEqual(steps, [
    'gateway request.received',
    'authentication token.checked',
    'handler handler.started',
    'handler vault.lookup',
    'key key.used',
    'gateway request.forwarded',
  ]);
  for (const event of stage.world.events) {
    assert.equal(event.interaction, got.headers['x-fapi-interaction-id']);
    assert.equal(event.participant, 'tpp-a');
  }
  assert.ok(stage.world.asked.includes('audit.flush'), 'the steps are committed before a key is used');
});
