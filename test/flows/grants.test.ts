import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { takeUnredeemed } from '../../src/authorization/index.ts';
import { revokeTokens } from '../../src/web/index.ts';
import { call } from '../support/http.ts';
import { agree, connect, signIn, travel } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { reasonOf, refused } from '../support/refusals.ts';
import { REDIRECT_URI, type Registered, type ThirdParty } from '../support/third-party.ts';

const STAFF = { kind: 'staff', reference: 'test', reason: 'test' } as const;

let platform: TestPlatform;
let a: ThirdParty;
let b: ThirdParty;
let clientA: Registered;
let clientB: Registered;

before(async () => {
  platform = await startPlatform();
  a = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  b = await platform.thirdParty('tpp-b', ['AISP', 'PISP']);
  [clientA, clientB] = [await a.register('gobank'), await b.register('gobank')];
});

after(() => platform.close());

describe('pushed requests', () => {
  test('N-84 a push answers 201 with a request_uri of 60 to 90 seconds, not to be stored', async () => {
    const { answer } = await a.push(clientA);
    assert.equal(answer.status, 201);
    const { expires_in: seconds, request_uri: uri } = answer.json();
    assert.ok(Number(seconds) >= 60 && Number(seconds) <= 90);
    assert.match(String(uri), /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{20,}$/);
    assert.match(String(answer.headers['cache-control']), /no-store/);
  });

  test('N-86 F2-5.3.2.2-4 a push without authentication is refused', async () => {
    const bare = { client_id: clientA.id, response_type: 'code', redirect_uri: REDIRECT_URI, scope: 'openid' };
    refused(await a.post('gobank', '/par', bare), 401, 'invalid_client');
    refused(await a.post('gobank', '/par', { ...bare, client_id: 'nobody' }), 401, 'invalid_client');
  });

  test('N-88 a client_id that differs from the authenticated client', async () => {
    refused((await a.push(clientA, { client_id: clientB.id })).answer, 400, 'invalid_request');
  });

  test('N-107 request and request_uri together; a request object where the profile has none', async () => {
    const both = { request: 'x.y.z', request_uri: 'urn:ietf:params:oauth:request_uri:x' };
    for (const change of [both, { request: 'x.y.z' }]) {
      const { answer } = await a.push(clientA, change);
      assert.equal(answer.status, 400, answer.text);
    }
  });

  test('N-64 a secret beside an assertion is refused however its name is spelled; a name like it is no secret', async () => {
    const send = async (rest: string, first = '') => {
      const fields = { ...(await a.credentials(clientA)), grant_type: 'client_credentials', scope: 'payments.create' };
      return call(`${a.mtls('gobank')}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `${first}${new URLSearchParams(fields)}${rest}`,
        agent: a.agent,
      });
    };
    for (const name of ['client_secret=x', 'client_secret', 'client%5Fsecret=x', '%63lient_secret=x'])
      refused(await send(`&${name}`), 400, 'invalid_request');
    refused(await send('&client_secre%74'), 400, 'invalid_request');
    refused(await send('', '\uFEFFclient_secret=x&'), 400, 'invalid_request');
    assert.equal((await send('&note=client_secret&my_client_secret=x')).status, 200);
  });

  test('N-175 one participant is suspended while the other is in the middle of a flow, which completes', async () => {
    const pushed = await b.push(clientB);
    const { browser, page } = await signIn(platform, pushed);
    await platform.rooms.directory.changeStatus('tpp-a', 'suspended', STAFF);
    const end = await agree(browser, page);
    const code = new URL(end.headers.location ?? '').searchParams.get('code') ?? '';
    assert.equal((await b.exchange(clientB, code, pushed.verifier)).status, 200);
    await platform.rooms.directory.changeStatus('tpp-a', 'approved', STAFF);
  });

  test('N-208 N-225 the second of two answers, given when the first was taken up already, ends nothing', async (context) => {
    const pushed = await b.push(clientB);
    const { browser, page } = await signIn(platform, pushed);
    const { database, consents } = platform.rooms;
    const { query } = database;
    // The other tab is faster, and so is the third party.
    const mock = context.mock.method(database, 'query', async (...given: Parameters<typeof query>) => {
      if (given[0].includes('INTO oauth.unredeemed')) {
        mock.mock.restore();
        const code = new URL((await agree(browser, page)).headers.location ?? '').searchParams.get('code') ?? '';
        assert.equal((await b.exchange(clientB, code, pushed.verifier)).status, 200);
      }
      return query(...given);
    });
    await agree(browser, page);
    assert.equal(mock.mock.callCount() > 0, true);
    const [consent] = await consents.list({ bank: 'gobank', client: clientB.id, limit: 1 });
    assert.equal(consent?.state, 'Authorised');
    const due = await takeUnredeemed(database, ['gobank'], new Date(Date.now() + 86_400_000));
    assert.deepEqual(
      due.filter((one) => one.consent === consent.id),
      [],
    );
  });

  test('WSO-72 a participant suspended on the consent page: no code, nothing authorised', async () => {
    const pushed = await b.push(clientB);
    const { browser, page } = await signIn(platform, pushed);
    await platform.rooms.directory.changeStatus('tpp-b', 'suspended', STAFF);
    const end = await agree(browser, page);
    assert.equal(end.headers.location, undefined);
    assert.ok(end.status >= 400, end.text);
    await platform.rooms.directory.changeStatus('tpp-b', 'approved', STAFF);
    const [consent] = await platform.rooms.consents.list({ bank: 'gobank', client: clientB.id, limit: 1 });
    assert.equal(consent?.state, 'Awaiting');
  });
});

describe('tokens', () => {
  test('CLD-22 CLD-28 the token answer: scopes as granted, PS256 ID token with its claims, refresh token, no-store', async () => {
    const { answer, access } = await connect(platform, a, clientA);
    assert.equal(answer.scope, 'openid accounts');
    assert.equal((await a.introspect(clientA, access)).json().scope, answer.scope);
    const [header = '', payload = ''] = String(answer.id_token).split('.');
    assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'PS256');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    for (const name of ['iss', 'aud', 'nonce', 'exp', 'acr']) assert.ok(claims[name] !== undefined, name);
    assert.ok(typeof answer.refresh_token === 'string');
  });

  test('CLD-22 offline_access is listed when it was asked for, with consent, and never without a customer', async () => {
    const scope = 'openid offline_access accounts';
    const sorted = (answer: unknown) => String(answer).split(' ').toSorted();
    for (const [prompt, listed] of [
      ['consent', ['accounts', 'offline_access', 'openid']],
      [undefined, ['accounts', 'openid']],
    ] as const) {
      const pushed = await a.push(clientA, { scope, ...(prompt === undefined ? {} : { prompt }) });
      const back = await travel(platform, pushed);
      const answer = (await a.exchange(clientA, back.searchParams.get('code') ?? '', pushed.verifier)).json();
      assert.deepEqual(sorted(answer.scope), listed);
      const told = (await a.introspect(clientA, String(answer.access_token))).json();
      assert.deepEqual(sorted(told.scope), listed);
      const renewed = (await a.refresh(clientA, String(answer.refresh_token))).json();
      assert.deepEqual(sorted(renewed.scope), listed);
    }
    assert.equal((await a.clientToken(clientA)).json().scope, 'payments.create');
    assert.doesNotMatch(String((await a.clientToken(clientA, scope)).json().scope), /openid|offline/);
  });

  test('N-81 a second token for the same client leaves the first one valid', async () => {
    const first = String((await a.clientToken(clientA)).json().access_token);
    const second = String((await a.clientToken(clientA)).json().access_token);
    for (const token of [first, second]) assert.equal((await a.introspect(clientA, token)).json().active, true);
  });

  test('N-71 a refresh token that is missing, invalid, revoked, or of another client', async () => {
    const { refresh } = await connect(platform, a, clientA);
    refused(await a.refresh(clientA, ''), 400, 'invalid_request');
    refused(await a.refresh(clientA, 'nonsense'), 400, 'invalid_grant');
    refused(await b.refresh(clientB, refresh), 400, 'invalid_grant');
    await a.revoke(clientA, refresh);
    refused(await a.refresh(clientA, refresh), 400, 'invalid_grant');
  });

  for (const bank of ['gobank', 'jwtbank']) {
    test(`CLD-55 ${bank}: a token that is being made while staff end its grant is not handed out and opens nothing`, async (context) => {
      const client = bank === 'gobank' ? clientA : await a.register(bank);
      const { refresh, consent } = await connect(platform, a, client);
      const { rooms } = platform;
      const { save } = rooms.tokens;
      // The engine has found the grant by now.
      context.mock.method(rooms.tokens, 'save', async (...given: Parameters<typeof save>) => {
        await revokeTokens(rooms, bank, { kind: 'consent', id: consent }, STAFF);
        await save(...given);
      });
      refused(await a.refresh(client, refresh), 400, 'invalid_grant');
      assert.deepEqual(await rooms.tokens.list({ bank, consent }), []);
    });
  }

  test('N-164 another participant’s assertion names its client: it is no proof here', async () => {
    const stolen = await a.assertion(clientA.id, 'gobank');
    const fields = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: stolen,
    };
    refused(await b.post('gobank', '/token', { grant_type: 'client_credentials', ...fields }), 401, 'invalid_client');
    refused(
      await b.post('gobank', '/token', { grant_type: 'client_credentials', client_id: clientB.id, ...fields }),
      400,
      'invalid_request',
    );
  });

  test('N-69 a code that is missing or invalid', async () => {
    refused(await a.exchange(clientA, 'nonsense', 'x'.repeat(43)), 400, 'invalid_grant');
    refused(await a.exchange(clientA, '', 'x'.repeat(43)), 400, 'invalid_request');
  });

  test('CA-11 the client is taken from the token and compared with the certificate', async () => {
    const { access } = await connect(platform, a, clientA);
    assert.equal((await a.api('gobank', '/accounts', access)).status, 200);
    refused(await b.api('gobank', '/accounts', access), 401, 'certificate_not_bound');
  });

  test('CA-16 enrolled but suspended is 403 participant_suspended: after the certificate, before scope and consent', async () => {
    const own = String((await a.clientToken(clientA)).json().access_token);
    await platform.rooms.directory.changeStatus('tpp-a', 'suspended', STAFF);
    refused(await a.api('gobank', '/accounts', own), 403, 'participant_suspended');
    refused(await a.api('gobank', '/accounts', own, { agent: b.agent }), 401, 'certificate_not_bound');
    await platform.rooms.directory.changeStatus('tpp-a', 'approved', STAFF);
  });

  test('CA-15 CA-19 the relation is removed: the certificate is refused on the next call, at the gateway and at the token endpoint', async () => {
    const own = await platform.thirdParty('tpp-c', ['AISP', 'PISP']);
    const client = await own.register('gobank');
    const { access } = await connect(platform, own, client);
    const [bound] = (await platform.rooms.directory.standing('gobank', client.id))?.certificates ?? [];
    await platform.rooms.directory.unbindCertificate('gobank', client.id, bound?.thumbprint ?? '', STAFF);
    refused(await own.api('gobank', '/accounts', access), 401, 'certificate_not_enrolled');
    refused(await own.clientToken(client), 401, 'invalid_client');
  });

  test('WSN-21 a role that the directory takes away ends what it allowed', async () => {
    const own = await platform.thirdParty('tpp-d', ['AISP']);
    const client = await own.register('gobank');
    assert.equal((await own.clientToken(client)).json().error, 'invalid_scope');
    const { access } = await connect(platform, own, client);
    assert.equal((await own.api('gobank', '/accounts', access)).status, 200);
    const pay = await own.api('gobank', '/payments', access, { method: 'POST', body: '{}' });
    refused(pay, 403, 'role_missing');
  });

  test('N-139 LAB-17 registrations count against the participant’s limit', async () => {
    const own = await platform.thirdParty('tpp-e', ['AISP']);
    await platform.rooms.directory.changeRateLimit('tpp-e', 1, STAFF);
    const body = await own.registration('private_key_jwt', { client_name: '<b>' });
    await own.sendRegistration('gobank', body);
    const limited = await own.sendRegistration('gobank', body);
    assert.equal(limited.status, 429, limited.text);
    assert.match(String(limited.headers['retry-after']), /^\d+$/);
    assert.equal((await platform.rooms.directory.listClients('gobank', 'tpp-e')).length, 0);
  });
});

describe('a bank without bound tokens', () => {
  test('N-03 CLD-36 a token without cnf does not pass where tokens must be bound', async () => {
    const { access } = await connect(platform, a, clientA);
    await platform.rooms.database.query('UPDATE tokens.access_tokens SET thumbprint = NULL');
    await platform.restart();
    refused(await a.api('gobank', '/accounts', access), 401, 'certificate_not_bound');
  });
});

describe('N-283 generated requests', () => {
  const paths = [
    '/token',
    '/par',
    '/register',
    '/introspect',
    '/revoke',
    '/accounts',
    '/payments',
    '/tokenize',
    '/nowhere',
    '/register/x',
  ];
  const bodies = [
    '',
    '{',
    '[]',
    'null',
    '{"a":{"__proto__":{}}}',
    '%%%',
    'a=b&a=b',
    'token=',
    '\u0000\u0001',
    'x'.repeat(60_000),
  ];
  const types = [
    'application/json',
    'application/x-www-form-urlencoded',
    'application/jwt',
    'text/plain',
    'nonsense',
    '',
  ];

  test('never 5xx; every error has a code and a trace id', async () => {
    for (const path of paths) {
      for (const [index, body] of bodies.entries()) {
        const type = types[(index + path.length) % types.length] ?? '';
        const method = ['POST', 'PUT', 'DELETE', 'PATCH'][index % 4] ?? 'POST';
        const answer = await a.api('gobank', path, index % 3 === 0 ? 'x' : undefined, {
          method,
          body,
          headers: { 'content-type': type },
        });
        assert.ok(
          answer.status >= 400 && answer.status < 500,
          `${method} ${path} ${type} ${body.slice(0, 20)}: ${answer.status} ${answer.text}`,
        );
        assert.ok(reasonOf(answer).length > 2, answer.text);
        assert.match(String(answer.headers['x-fapi-interaction-id']), /^[0-9a-f-]{36}$/);
      }
    }
  });
});

test('N-70 CLD-20 the code is bound to its redirect URI, verifier and client, whatever the order of the attempts', async () => {
  const pushed = await a.push(clientA);
  const code = (await travel(platform, pushed)).searchParams.get('code') ?? '';
  refused(await b.exchange(clientB, code, pushed.verifier), 400, 'invalid_grant');
});
