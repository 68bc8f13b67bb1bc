import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { call } from '../support/http.ts';
import { connect } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { refused } from '../support/refusals.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

let platform: TestPlatform;
let a: ThirdParty;
let b: ThirdParty;
let clientA: Registered;
let tlsClientA: Registered;
let clientB: Registered;

before(async () => {
  platform = await startPlatform();
  a = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  b = await platform.thirdParty('tpp-b', ['AISP', 'PISP']);
  clientA = await a.register('gobank');
  tlsClientA = await a.register('jwtbank', 'tls_client_auth');
  clientB = await b.register('gobank');
});

after(() => platform.close());

describe('the gateway', () => {
  let access: string;
  before(async () => {
    ({ access } = await connect(platform, a, clientA));
  });

  test('N-01 N-02 no certificate; another participant’s certificate with a stolen token', async () => {
    const before = platform.core.calls.length;
    refused(await a.api('gobank', '/accounts', access, { agent: a.agentOf() }), 401, 'certificate_missing');
    refused(await a.api('gobank', '/accounts', access, { agent: b.agent }), 401, 'certificate_not_bound');
    refused(await a.api('gobank', '/accounts', access, { agent: a.agentOf(a.issue()) }), 401, 'certificate_not_bound');
    assert.equal(platform.core.calls.length, before);
  });

  test('N-05 expired and not yet valid are told apart', async () => {
    const day = 86_400_000;
    const at = (from: number, to: number) =>
      a.issue({ notBefore: new Date(Date.now() + from * day), notAfter: new Date(Date.now() + to * day) });
    refused(await a.api('gobank', '/accounts', access, { agent: a.agentOf(at(-2, -1)) }), 401, 'certificate_expired');
    refused(
      await a.api('gobank', '/accounts', access, { agent: a.agentOf(at(1, 2)) }),
      401,
      'certificate_not_yet_valid',
    );
  });

  test('N-82 RS-2 WSN-39 no token, a token in the query, nonsense', async () => {
    refused(await a.api('gobank', '/accounts', undefined), 401, 'token_missing');
    refused(await a.api('gobank', `/accounts?access_token=${access}`, undefined), 401, 'token_missing');
    refused(await a.api('gobank', '/accounts', 'nonsense'), 401, 'token_invalid');
  });

  test('CLD-14 a token of one bank at another', async () => {
    refused(await a.api('jwtbank', '/accounts', access), 401, 'token_invalid');
  });

  test('WSN-40 LAB-02 token kinds: an application token on customer routes and the reverse', async () => {
    const own = String((await a.clientToken(clientA)).json().access_token);
    const wrong = await a.api('gobank', '/accounts', own);
    assert.ok([401, 403].includes(wrong.status));
    const pay = await a.api('gobank', '/payments', access, { method: 'POST', body: '{}' });
    assert.ok([401, 403].includes(pay.status), pay.text);
  });

  test('N-42 unknown path 404, wrong method 405', async () => {
    refused(await a.api('gobank', '/v9/accounts', access), 404, 'not_found');
    refused(await a.api('gobank', '/accounts', access, { method: 'DELETE' }), 405, 'method_not_allowed');
  });

  test('LAB-15 CLD suspended: token 400, call 403, push 400, introspection inactive; back at once when approved', async () => {
    const { access: live, refresh } = await connect(platform, b, clientB);
    const staff = { kind: 'staff', reference: 'test', reason: 'inquiry' } as const;
    await platform.rooms.directory.changeStatus('tpp-b', 'suspended', staff);
    refused(await b.api('gobank', '/accounts', live), 403, 'participant_suspended');
    refused(await b.clientToken(clientB), 400, 'unauthorized_client');
    refused(await b.refresh(clientB, refresh), 400, 'unauthorized_client');
    refused((await b.push(clientB)).answer, 400, 'unauthorized_client');
    assert.deepEqual((await b.introspect(clientB, live)).json(), { active: false });
    const again = await b.sendRegistration('jwtbank', await b.registration('private_key_jwt'));
    refused(again, 400, 'unapproved_software_statement');
    assert.equal((await a.api('gobank', '/accounts', access)).status, 200);
    await platform.rooms.directory.changeStatus('tpp-b', 'approved', staff);
    assert.equal((await b.api('gobank', '/accounts', live)).status, 200);
  });

  test('LAB-17 N-172 the sixth call in a minute is 429 with Retry-After; the other participant is untouched', async () => {
    const { access: live } = await connect(platform, b, clientB);
    const staff = { kind: 'staff', reference: 'test' } as const;
    await platform.rooms.directory.changeRateLimit('tpp-b', 1, staff);
    const answers = [];
    for (let index = 0; index < 3; index += 1) answers.push(await b.api('gobank', '/accounts', live));
    const limited = answers.at(-1);
    assert.ok(limited);
    refused(limited, 429, 'rate_limited');
    assert.match(String(limited.headers['retry-after']), /^\d+$/);
    assert.equal((await a.api('gobank', '/accounts', access)).status, 200);
    await platform.rooms.directory.changeRateLimit('tpp-b', undefined, staff);
    assert.equal((await b.api('gobank', '/accounts', live)).status, 200);
  });

  test('WSO-36 RS-11 the interaction id is echoed, made when absent, and found in the trail', async () => {
    const id = randomUUID();
    const answer = await a.api('gobank', '/accounts', access, { headers: { 'x-fapi-interaction-id': id } });
    assert.equal(answer.headers['x-fapi-interaction-id'], id);
    await platform.rooms.audit.flush();
    const records = await platform.rooms.audit.search({ interaction: id });
    assert.deepEqual(
      records.map((record) => [record.family, record.participant, record.outcome]),
      [['gateway', 'tpp-a', 'allowed']],
    );
  });

  test('N-32 client-sent internal headers and certificate headers never reach the bank', async () => {
    const headers = {
      'portcullis-facts': 'forged',
      'client-cert': ':AAAA:',
      'x-forwarded-for': '10.0.0.1',
      'ssl-client-cert': 'x',
    };
    assert.equal((await a.api('gobank', '/accounts', access, { headers })).status, 200);
    const seen = platform.core.calls.at(-1)?.headers ?? {};
    for (const name of ['client-cert', 'x-forwarded-for', 'ssl-client-cert', 'authorization'])
      assert.equal(seen[name], undefined, name);
    assert.notEqual(seen['portcullis-facts'], 'forged');
  });
});

describe('the card-based instrument issuer’s role', () => {
  const FUNDS = '/accounts/u1-current/funds-confirmations';
  const scope = 'openid fundsconfirmations';
  const ask = (amount: number) => ({ method: 'POST', body: JSON.stringify({ amount, currency: 'EUR' }) });
  const denied = async (party: ThirdParty, body: Promise<unknown>, agent?: ThirdParty['agent']) =>
    refused(await party.sendRegistration('gobank', await body, agent), 400, 'invalid_client_metadata');

  async function recordsOf(participant: string) {
    await platform.rooms.audit.flush();
    return platform.rooms.audit.search({ participant, limit: 20 });
  }

  test('WSN-19 it opens confirmation of funds for the agreed accounts, and no other scope or API', async () => {
    const issuer = await platform.thirdParty('issuer', ['CBPII']);
    for (const more of ['accounts', 'payments.create'])
      await denied(issuer, issuer.registration('private_key_jwt', { scope: `${scope} ${more}` }));
    const card = await issuer.register('gobank');
    assert.equal(card.metadata.scope, 'openid offline_access fundsconfirmations');
    refused((await issuer.push(card, { scope: 'openid accounts' })).answer, 400, 'invalid_scope');
    const { access } = await connect(platform, issuer, card, { scope, accounts: ['u1-current'] });
    const funds = async (amount: number) => (await issuer.api('gobank', FUNDS, access, ask(amount))).json();
    assert.deepEqual(await funds(1_000), { fundsAvailable: true });
    assert.deepEqual(await funds(1_000.01), { fundsAvailable: false });
    assert.deepEqual(platform.core.calls.at(-1)?.facts.accounts, ['u1-current']);
    const answered = (await recordsOf('issuer')).find(({ family }) => family === 'gateway');
    assert.match(JSON.stringify(answered?.facts), /"role":"CBPII"/);

    const reached = platform.core.calls.length;
    const foreign = await issuer.api('gobank', '/accounts/u1-savings/funds-confirmations', access, ask(1));
    refused(foreign, 403, 'account_not_in_consent');
    for (const path of ['/accounts', '/accounts/u1-current/balances', '/balances'])
      refused(await issuer.api('gobank', path, access), 403, 'role_missing');
    for (const path of ['/payments', '/tokenize'])
      refused(await issuer.api('gobank', path, access, ask(1)), 403, 'role_missing');
    const own = String((await issuer.clientToken(card, 'fundsconfirmations')).json().access_token);
    refused(await issuer.api('gobank', FUNDS, own, ask(1)), 401, 'wrong_token_type');
    assert.equal(platform.core.calls.length, reached);
  });

  test('WSN-17 WSN-18 WSN-20 roles for accounts and payments open none of it, nor does a statement or a certificate alone', async () => {
    await denied(b, b.registration('private_key_jwt', { scope }));
    refused(await a.api('gobank', FUNDS, 'any', ask(1)), 403, 'role_missing');
    const roles = ['AISP', 'CBPII'];
    const wide = await platform.thirdParty('wide', ['AISP'], { certificate: { roles } });
    const software_statement = await wide.statement({ software_roles: roles });
    await denied(wide, wide.registration('private_key_jwt', { scope, software_statement }));
    const { access } = await connect(platform, wide, await wide.register('gobank'));
    refused(await wide.api('gobank', FUNDS, access, ask(1)), 403, 'role_missing');
    assert.ok((await recordsOf('wide')).some(({ detail }) => detail === 'directory_role'));
  });

  test('WSN-21 a certificate renewed without the role ends it, and leaves accounts', async () => {
    const party = await platform.thirdParty('both', ['AISP', 'CBPII']);
    const narrow = party.issue({ roles: ['AISP'] });
    const agent = party.agentOf(narrow);
    await denied(party, party.registration('private_key_jwt', { scope }), agent);
    const client = await party.register('gobank');
    const { access, refresh } = await connect(platform, party, client, { scope: `${scope} accounts` });
    assert.equal((await party.api('gobank', FUNDS, access, ask(1))).status, 200);
    assert.equal((await party.api('gobank', '/accounts', access)).status, 200);

    const verdict = await platform.rooms.trust.judge([narrow.der], 'gobank');
    assert.ok(verdict.ok);
    const staff = { kind: 'staff', reference: 'test', reason: 'renewal' } as const;
    await platform.rooms.directory.rebindCertificate('gobank', client.id, verdict.certificate, 0, staff);
    const refreshed = (await party.refresh(client, refresh, agent)).json();
    assert.equal(refreshed.scope, 'openid accounts');
    const next = String(refreshed.access_token);
    refused(await party.api('gobank', FUNDS, next, { ...ask(1), agent }), 403, 'role_missing');
    assert.equal((await party.api('gobank', '/accounts', next, { agent })).status, 200);
  });
});

describe('keys', () => {
  test('LAB-22 N-78 a rotated key signs, the old one stays published, tokens of before still work', async () => {
    const { access } = await connect(platform, a, tlsClientA);
    await platform.rooms.vault.rotate('jwtbank', { kind: 'staff', reference: 'test' });
    assert.equal((await a.api('jwtbank', '/accounts', access)).status, 200);
    const { access: fresh } = await connect(platform, a, tlsClientA);
    const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
    assert.notEqual(kidOf(fresh), kidOf(access));
    const published = await call(`${a.issuer('jwtbank')}/jwks`, { agent: platform.browserAgent });
    for (const token of [access, fresh]) assert.ok(published.text.includes(kidOf(token)));
    assert.equal((await a.api('jwtbank', '/accounts', fresh)).status, 200);
  });
});
