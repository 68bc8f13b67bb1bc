import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { participantToken, resetWorld, tokenOf } from '../../test/support/gateway.ts';
import { openStage, reasonOf, type Stage } from '../../test/support/gateway-server.ts';
import type { TokenFacts } from '../tokens/index.ts';

const baseline = { requireBoundTokens: false, routesByScopeAlone: true, requireClientCertificate: false };
const unbound = { thumbprint: undefined };
let plain: Stage;
let mtls: Stage;

before(async () => {
  plain = await openStage({ bank: baseline, door: 'plain' });
  mtls = await openStage({ bank: baseline, door: 'mtls' });
});
after(() => Promise.all([plain.close(), mtls.close()]));
beforeEach(() => {
  for (const { world } of [plain, mtls]) {
    resetWorld(world);
    world.vaultTokens.set('vt-1', { number: 'DE021234', customer: 'psu-1', account: 'acc-1', consent: 'consent-1' });
  }
  plain.answer = (_request, response) => void response.end('{"status":"APPROVED"}');
});

function send(stage: Stage, method: string, path: string, facts: TokenFacts) {
  stage.world.tokens.set('t', { state: 'active', facts });
  const headers = { authorization: 'Bearer t', 'content-type': 'application/json' };
  const body = method === 'POST' ? { body: '{"token":"vt-1","amount":200}' } : {};
  return stage.send({ method, path: `/gobank${path}`, headers, ...body });
}

test('LAB-37 matrix 1: a customer token on /payments is forbidden by its scope', async () => {
  const got = await send(plain, 'POST', '/payments', tokenOf(unbound));
  assert.equal(got.status, 403);
  assert.equal(reasonOf(got), 'insufficient_scope');
});

test('LAB-38 matrix 2: a customer token on /accounts is allowed', async () => {
  assert.equal((await send(plain, 'GET', '/accounts', tokenOf(unbound))).status, 200);
});

test('LAB-39 matrix 3: a participant token on /payments is allowed', async () => {
  const got = await send(plain, 'POST', '/payments', participantToken(unbound));
  assert.equal(got.status, 200);
});

test('LAB-40 matrix 4: a participant token on /accounts is forbidden by its scope', async () => {
  const got = await send(plain, 'GET', '/accounts', participantToken(unbound));
  assert.equal(got.status, 403);
  assert.equal(reasonOf(got), 'insufficient_scope');
});

test('LAB-02 routes by scope alone take either kind, and a customer route still needs its consent', async () => {
  const customer = tokenOf({ ...unbound, scopes: ['payments.create'] });
  assert.equal((await send(plain, 'POST', '/payments', customer)).status, 200);
  const got = await send(plain, 'GET', '/accounts', participantToken({ ...unbound, scopes: ['accounts'] }));
  assert.equal(reasonOf(got), 'consent_missing');
});

test('LAB-31 LAB-35 the same bank at both doors: without certificate one answers and the other refuses', async () => {
  mtls.world.verdict = () => ({
    ok: false,
    reason: 'certificate_missing',
    detail: 'none',
    message: 'No.',
    certificate: undefined,
  });
  assert.equal((await send(plain, 'GET', '/accounts', tokenOf(unbound))).status, 200);
  const refused = await send(mtls, 'GET', '/accounts', tokenOf(unbound));
  assert.equal(refused.status, 401);
  assert.equal(reasonOf(refused), 'certificate_missing');
});

test('a token bound to a certificate is refused at the door without certificates', async () => {
  const got = await send(plain, 'GET', '/accounts', tokenOf());
  assert.equal(got.status, 401);
  assert.equal(reasonOf(got), 'certificate_not_bound');
});

test('a certificate in a header is no certificate at the door without certificates', async () => {
  const headers = { authorization: 'Bearer t', 'client-cert': 'forged', 'x-client-cert': 'forged' };
  plain.world.tokens.set('t', { state: 'active', facts: tokenOf() });
  assert.equal(reasonOf(await plain.send({ headers })), 'certificate_not_bound');
});
