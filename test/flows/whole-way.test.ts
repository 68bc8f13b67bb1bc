import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createBrowser, formOf } from '../support/browser.ts';
import { connect, signIn, travel } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

let platform: TestPlatform;
let party: ThirdParty;

before(async () => {
  platform = await startPlatform();
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
});

after(() => platform.close());

const kinds = [
  { bank: 'gobank', format: 'opaque', method: 'private_key_jwt' },
  { bank: 'jwtbank', format: 'jwt', method: 'tls_client_auth' },
] as const;

for (const { bank, format, method } of kinds) {
  describe(`the whole way at ${bank}: ${format} tokens, ${method}`, () => {
    let client: Registered;

    before(async () => {
      client = await party.register(bank, method);
    });

    test('CLD-16 the client is registered with its certificate, bound tokens and inline keys', async () => {
      assert.equal(client.metadata.tls_client_certificate_bound_access_tokens, true);
      assert.equal(client.metadata.token_endpoint_auth_method, method);
      const standing = await platform.rooms.directory.standing(bank, client.id);
      assert.equal(standing?.participant.id, 'tpp-a');
      assert.equal(standing?.certificates.length, 1);
    });

    test('CLD-19 CLD-26 CLD-30 register, push, sign in, consent, exchange, read', async () => {
      const pushed = await party.push(client);
      assert.equal(pushed.answer.status, 201);
      assert.ok(Number(pushed.answer.json().expires_in) <= 90);
      const back = await travel(platform, pushed, { accounts: ['u1-current', 'joint'] });
      assert.equal(back.searchParams.get('state'), pushed.state);
      assert.equal(back.searchParams.get('iss'), party.issuer(bank));
      const answer = await party.exchange(client, back.searchParams.get('code') ?? '', pushed.verifier);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers['cache-control'], 'no-store');
      const tokens = answer.json();
      assert.equal(tokens.token_type, 'Bearer');
      assert.equal(typeof tokens.id_token, 'string');
      const list = await party.api(bank, '/accounts', String(tokens.access_token));
      assert.equal(list.status, 200, list.text);
      assert.deepEqual(list.json(), { accounts: [{ id: 'u1-current' }, { id: 'joint' }], customer: 'user' });
      const transactions = await party.api(bank, '/accounts/u1-current/transactions', String(tokens.access_token));
      assert.equal(transactions.status, 200);
    });

    test('CLD-31 CLD-32 CLD-33 CLD-34 introspection tells what the token is, in either format', async () => {
      const { access, consent } = await connect(platform, party, client);
      assert.equal(access.split('.').length === 3, format === 'jwt');
      const answer = (await party.introspect(client, access)).json();
      assert.equal(answer.active, true, JSON.stringify(answer));
      assert.equal(answer.consent_id, consent);
      assert.equal(answer.scope, 'openid accounts');
      assert.equal(answer.client_id, client.id);
      const { cnf } = answer;
      assert.ok(typeof cnf === 'object' && cnf !== null && 'x5t#S256' in cnf);
      assert.match(String(cnf['x5t#S256']), /^[A-Za-z0-9_-]{43}$/);
    });

    test('CLD-29 WSN-37 the refresh token carries on with the same consent and certificate', async () => {
      const { refresh, consent } = await connect(platform, party, client);
      for (let round = 0; round < 2; round += 1) {
        const answer = await party.refresh(client, refresh);
        assert.equal(answer.status, 200, answer.text);
        const told = (await party.introspect(client, String(answer.json().access_token))).json();
        assert.equal(told.consent_id, consent);
        assert.ok('cnf' in told);
      }
    });

    test('CLD-36 an unticked account is absent from lists and refused by id, like one that does not exist', async () => {
      const { access } = await connect(platform, party, client, { accounts: ['u1-current'] });
      const list = await party.api(bank, '/accounts', access);
      assert.deepEqual(list.json().accounts, [{ id: 'u1-current' }]);
      const before = platform.core.calls.length;
      const bodies = [];
      for (const id of ['u1-savings', 'u2-current', 'no-such-account']) {
        const refused = await party.api(bank, `/accounts/${id}/balances`, access);
        assert.equal(refused.status, 403);
        const { error } = refused.json();
        assert.ok(typeof error === 'object' && error !== null && 'reason' in error && 'message' in error);
        bodies.push([error.reason, error.message]);
      }
      assert.equal(platform.core.calls.length, before);
      assert.equal(new Set(bodies.map((body) => JSON.stringify(body))).size, 1);
      assert.equal(bodies[0]?.[0], 'account_not_in_consent');
    });

    test('CLD-48 a revoked consent is refused on the very next call, dead at introspection and refresh', async () => {
      const one = await connect(platform, party, client);
      const other = await connect(platform, party, client);
      assert.equal((await party.api(bank, '/accounts', one.access)).status, 200);
      await platform.rooms.consents.revoke(bank, one.consent, { kind: 'customer', reference: 'test' });
      const refused = await party.api(bank, '/accounts', one.access);
      assert.ok([401, 403].includes(refused.status), refused.text);
      assert.deepEqual((await party.introspect(client, one.access)).json(), { active: false });
      assert.deepEqual((await party.introspect(client, one.refresh)).json(), { active: false });
      const refresh = await party.refresh(client, one.refresh);
      assert.deepEqual([refresh.status, refresh.json().error], [400, 'invalid_grant']);
      assert.equal((await party.api(bank, '/accounts', other.access)).status, 200);
    });

    test('N-73 revoking a token at the endpoint ends it; unknown and dead ones answer 200 as well', async () => {
      const { access, refresh, consent } = await connect(platform, party, client);
      for (const token of [access, access, 'unknown']) {
        assert.equal((await party.revoke(client, token)).status, 200);
      }
      assert.equal((await party.refresh(client, refresh)).status, 200, 'an access token ends alone');
      assert.equal((await party.revoke(client, refresh)).status, 200);
      assert.equal((await party.api(bank, '/accounts', access)).status, 401);
      assert.equal((await party.refresh(client, refresh)).status, 400);
      assert.equal((await platform.rooms.consents.find(bank, consent))?.state, 'Revoked', 'the customer sees it ended');
    });

    test('CLD-27 the customer declines: access_denied at the third party, consent rejected, no code', async () => {
      const pushed = await party.push(client);
      const { browser, page } = await signIn(platform, pushed);
      const last = await browser.submit(page, formOf(page, '/cancel'), {});
      const back = new URL(last.headers.location ?? '');
      assert.equal(back.searchParams.get('error'), 'access_denied');
      assert.equal(back.searchParams.get('state'), pushed.state);
      assert.equal(back.searchParams.get('iss'), party.issuer(bank));
      assert.equal(back.searchParams.get('code'), null);
      const [consent] = await platform.rooms.consents.list({ bank, client: client.id, limit: 1 });
      assert.equal(consent?.state, 'Rejected');
    });

    test('CLD-23 N-103 the page may be reloaded before completion, and the request is over afterwards', async () => {
      const pushed = await party.push(client);
      const browser = createBrowser(platform.browserAgent);
      assert.equal((await browser.get(pushed.authorizationUrl)).status, 200);
      await travel(platform, pushed);
      const again = await createBrowser(platform.browserAgent).get(pushed.authorizationUrl);
      assert.equal(again.status, 400);
      assert.match(String(again.headers['content-type']), /text\/html/);
    });

    test('engine.md B4 a second request in the same browser asks for sign-in and consent again', async () => {
      const pushed = await party.push(client);
      const { browser } = await signIn(platform, pushed);
      const second = await party.push(client);
      const page = await browser.get(second.authorizationUrl);
      assert.ok(formOf(page, '/sign-in'));
    });

    test('another customer in the same browser: no page in between, and the first one’s tokens live on', async () => {
      const first = await connect(platform, party, client);
      const pushed = await party.push(client);
      const { browser } = await signIn(platform, pushed, { username: 'user' });
      const other = await party.push(client);
      const start = await browser.get(other.authorizationUrl);
      const page = await browser.submit(start, formOf(start, '/sign-in'), { username: 'user2', password: 'p@ssword!' });
      assert.equal(page.status, 200);
      assert.ok(page.text.includes('u2-current'), page.text);
      assert.equal((await party.api(bank, '/accounts', first.access)).status, 200);
    });
  });
}
