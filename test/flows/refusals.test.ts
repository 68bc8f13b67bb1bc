import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createBrowser } from '../support/browser.ts';
import { createAuthority } from '../support/certificates.ts';
import { call, form } from '../support/http.ts';
import { connect, travel } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { reasonOf, refused } from '../support/refusals.ts';
import { REDIRECT_URI, type Registered, type ThirdParty } from '../support/third-party.ts';

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

describe('certificates at the token endpoint and PAR', () => {
  test('N-46 N-53 without a certificate: tls_client_auth is invalid_client, private_key_jwt is invalid_request', async () => {
    const bare = a.agentOf();
    refused(await a.clientToken(tlsClientA, 'payments.create', bare), 401, 'invalid_client');
    refused(await a.clientToken(clientA, 'payments.create', bare), 400, 'invalid_request');
    refused((await a.push(clientA, {}, bare)).answer, 400, 'invalid_request');
    refused((await a.push(tlsClientA, {}, bare)).answer, 401, 'invalid_client');
  });

  test('N-58 CA-03 CA-12 another participant’s certificate: the one neutral invalid_client', async () => {
    const wrong = [
      await a.clientToken(clientA, 'payments.create', b.agent),
      await a.clientToken(tlsClientA, 'payments.create', b.agent),
      (await a.push(clientA, {}, b.agent)).answer,
    ];
    for (const answer of wrong) refused(answer, 401, 'invalid_client');
    assert.equal(new Set(wrong.map((answer) => answer.json().error_description)).size, 1);
  });

  test('N-58 WSN-35 another certificate of the same participant with the same names is not the enrolled one', async () => {
    const twin = a.agentOf(a.issue());
    refused(await a.clientToken(tlsClientA, 'payments.create', twin), 401, 'invalid_client');
    refused(await a.clientToken(clientA, 'payments.create', twin), 401, 'invalid_client');
  });

  test('N-05 N-06 N-47 N-48 expired, not yet valid, look-alike authority, self-made: refused', async () => {
    const past = new Date(Date.now() - 86_400_000);
    const future = new Date(Date.now() + 86_400_000);
    const identities = [
      a.issue({ notBefore: new Date(past.getTime() - 86_400_000), notAfter: past }),
      a.issue({ notBefore: future, notAfter: new Date(future.getTime() + 86_400_000) }),
      createAuthority('Test Root').issue({ commonName: 'tpp-a', dnsNames: ['tpp-a.example'] }),
    ];
    for (const identity of identities) {
      const agent = a.agentOf(identity);
      refused(await a.clientToken(tlsClientA, 'payments.create', agent), 401, 'invalid_client');
      refused(await a.clientToken(clientA, 'payments.create', agent), 400, 'invalid_request');
    }
  });

  test('CLD-15 the public token address serves no mutual-TLS client', async () => {
    const answer = await call(`${a.issuer('jwtbank')}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form({ grant_type: 'client_credentials', client_id: tlsClientA.id }),
      agent: a.agent,
    });
    refused(answer, 401, 'invalid_client');
  });
});

/** `CN=a,O=b` with the parts in another order, and with other spellings of the same. */
const reordered = (subject: string) => subject.split(',').toReversed().join(',');
const respelled = (subject: string) => subject.replace('CN=', '2.5.4.3 = ').replaceAll(',', ' , ').replace('O=', 'o=');

describe('WSO-03 RFC 8705 §2.1.2 the one attribute that a tls_client_auth client registered', () => {
  test('is compared by structure at every token request: enrolled alone is not enough', async () => {
    const certificate = { uris: ['urn:tpp:s'], ipAddresses: ['10.9.8.7'], emails: ['Ops@tpp-s.example'] };
    const own = await platform.thirdParty('tpp-s', ['AISP', 'PISP'], { certificate });
    const client = await own.register('jwtbank', 'tls_client_auth');
    const { directory, trust, audit } = platform.rooms;
    const verdict = await trust.judge(own.transport.chain, 'jwtbank');
    assert.ok(verdict.ok);
    const { subject } = verdict.certificate;
    const standing = await directory.standing('jwtbank', client.id);
    const { tls_client_auth_san_dns: _, ...metadata } = standing?.client.metadata ?? {};
    const tokenWith = async (property: string, value: string) => {
      const registered = { ...metadata, [`tls_client_auth_${property}`]: value };
      await directory.replaceClient('jwtbank', client.id, registered, { kind: 'staff', reference: 'test' });
      return own.clientToken(client);
    };
    const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
      ['subject_dn', [subject, respelled(subject)], [reordered(subject), subject.toLowerCase(), 'CN=tpp-s', 'tpp-s']],
      ['san_dns', ['tpp-s.example', 'TPP-S.example'], ['example', '*.example', 'tpp-s.example.', 'tpp-a.example']],
      ['san_uri', ['urn:tpp:s'], ['urn:tpp:S', 'urn:tpp']],
      ['san_ip', ['10.9.8.7'], ['10.9.8.8', '::ffff:10.9.8.7']],
      ['san_email', ['Ops@TPP-S.example'], ['ops@tpp-s.example', '@tpp-s.example']],
    ];
    for (const [property, good, wrong] of cases) {
      for (const value of good) assert.equal((await tokenWith(property, value)).status, 200, `${property} ${value}`);
      for (const value of wrong) {
        const answer = await tokenWith(property, value);
        refused(answer, 401, 'invalid_client');
        await audit.flush();
        const interaction = String(answer.headers['x-fapi-interaction-id']);
        const [record] = await audit.search({ interaction, outcome: 'refused' });
        const told = [record?.reason, record?.detail];
        assert.deepEqual(told, ['certificate_not_enrolled', 'binding_mismatch'], `${property} ${value}`);
      }
    }
  });
});

describe('client authentication', () => {
  const token = (fields: Record<string, string | undefined>) =>
    a.post('gobank', '/token', { grant_type: 'client_credentials', scope: 'payments.create', ...fields });
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

  test('N-61 only a certificate: invalid_client', async () =>
    refused(await token({ client_id: clientA.id }), 401, 'invalid_client'));

  test('N-60 a tls_client_auth client that sends an assertion is refused', async () => {
    const answer = await a.post('jwtbank', '/token', {
      grant_type: 'client_credentials',
      client_assertion_type: type,
      client_assertion: await a.assertion(tlsClientA.id, 'jwtbank'),
    });
    refused(answer, 401, 'invalid_client');
  });

  test('N-62 an assertion names the client by itself', async () => {
    const answer = await token({
      client_assertion_type: type,
      client_assertion: await a.assertion(clientA.id, 'gobank'),
    });
    assert.equal(answer.status, 200, answer.text);
  });

  test('N-63 CA-04 two client ids in one request: invalid_request', async () => {
    const answer = await token({
      client_id: clientB.id,
      client_assertion_type: type,
      client_assertion: await a.assertion(clientA.id, 'gobank'),
    });
    refused(answer, 400, 'invalid_request');
  });

  test('N-65 F2-5.3.2.1-8 WSO-49 each wrong claim of an assertion is invalid_client with one text', async () => {
    const now = Math.floor(Date.now() / 1000);
    const wrong = [
      { exp: now - 60 },
      { iat: now + 90, nbf: now + 90 },
      { exp: now + 3_600 },
      { sub: clientB.id },
      { iss: clientB.id },
      { jti: undefined },
      { exp: undefined },
      { aud: `${a.issuer('gobank')}/token` },
      { aud: [a.issuer('gobank')] },
      { aud: 'https://evil.example' },
      { aud: undefined },
    ];
    for (const change of wrong) {
      const answer = await token({
        client_assertion_type: type,
        client_assertion: await a.assertion(clientA.id, 'gobank', change),
      });
      assert.ok(answer.status === 401 || answer.status === 400, `${JSON.stringify(change)}: ${answer.text}`);
      assert.ok(['invalid_client', 'invalid_request'].includes(reasonOf(answer)), answer.text);
    }
  });

  test('N-66 an assertion is used once, also after a restart', async () => {
    const assertion = await a.assertion(clientA.id, 'gobank', { jti: randomUUID() });
    assert.equal((await token({ client_assertion_type: type, client_assertion: assertion })).status, 200);
    refused(await token({ client_assertion_type: type, client_assertion: assertion }), 401, 'invalid_client');
    await platform.restart();
    refused(await token({ client_assertion_type: type, client_assertion: assertion }), 401, 'invalid_client');
  });

  test('N-66 twenty parallel uses of one assertion: exactly one is answered', async () => {
    const assertion = await a.assertion(clientA.id, 'gobank');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => token({ client_assertion_type: type, client_assertion: assertion })),
    );
    assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
    for (const answer of answers) if (answer.status !== 200) refused(answer, 401, 'invalid_client');
  });

  test('N-67 another key, and another participant’s assertion', async () => {
    const foreign = await a.assertion(clientA.id, 'gobank', {}, b.privateKey);
    refused(await token({ client_assertion_type: type, client_assertion: foreign }), 401, 'invalid_client');
    const theirs = await b.assertion(clientB.id, 'gobank');
    refused(await token({ client_assertion_type: type, client_assertion: theirs }), 401, 'invalid_client');
  });

  test('N-67 alg none and HMAC with the public key', async () => {
    const [, payload] = (await a.assertion(clientA.id, 'gobank')).split('.');
    for (const alg of ['none', 'HS256', 'RS256']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: 'tpp-a-1' })).toString('base64url');
      const answer = await token({
        client_assertion_type: type,
        client_assertion: `${header}.${payload}.${alg === 'none' ? '' : 'AAAA'}`,
      });
      refused(answer, 401, 'invalid_client');
    }
  });

  test('WSN-02 CLD-01 a client secret at a FAPI bank is refused', async () => {
    const answer = await token({ client_id: clientA.id, client_secret: 'guess' });
    assert.ok([400, 401].includes(answer.status), answer.text);
  });

  test('F2-5.3.2.1-2 LAB-09 the password grant does not exist', async () => {
    const answer = await a.post('gobank', '/token', {
      ...(await a.credentials(clientA)),
      grant_type: 'password',
      username: 'user',
      password: 'x',
    });
    refused(answer, 400, 'unsupported_grant_type');
  });

  test('LAB-24 a JSON body at the token endpoint is invalid_request', async () => {
    const answer = await call(`${a.mtls('gobank')}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      agent: a.agent,
    });
    refused(answer, 400, 'invalid_request');
  });
});

describe('pushed requests, codes and refresh tokens', () => {
  test('CLD-20 N-99 PKCE missing or plain is refused', async () => {
    refused((await a.push(clientA, { code_challenge: undefined })).answer, 400, 'invalid_request');
    refused((await a.push(clientA, { code_challenge_method: 'plain' })).answer, 400, 'invalid_request');
  });

  test('N-93 N-106 redirect URI missing or not registered', async () => {
    for (const uri of [undefined, 'https://evil.example/', `${REDIRECT_URI}/`, `${REDIRECT_URI}?x=1`]) {
      const { answer } = await a.push(clientA, { redirect_uri: uri });
      assert.equal(answer.status, 400, answer.text);
    }
  });

  test('N-91 a push that names a request_uri', async () => {
    refused(
      (await a.push(clientA, { request_uri: 'urn:ietf:params:oauth:request_uri:x' })).answer,
      400,
      'invalid_request',
    );
  });

  test('N-94 a scope the client does not have', async () => {
    refused((await a.push(clientA, { scope: 'openid fundsconfirmations' })).answer, 400, 'invalid_scope');
  });

  test('CLD-19 another response type', async () => {
    const { answer } = await a.push(clientA, { response_type: 'code id_token' });
    refused(answer, 400, 'unsupported_response_type');
  });

  test('CLD-21 N-108 an authorization request without PAR is no request', async () => {
    const query = new URLSearchParams({
      client_id: clientA.id,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
    });
    const page = await createBrowser(platform.browserAgent).send(`${a.issuer('gobank')}/authorize?${query}`, 'GET');
    const location = page.headers.location === undefined ? undefined : new URL(page.headers.location);
    assert.ok(page.status === 400 || location?.searchParams.get('error') === 'invalid_request', page.text);
  });

  test('N-101 N-165 a request_uri of another client, or malformed, is an error page and no redirect', async () => {
    const pushed = await a.push(clientA);
    const stolen = pushed.authorizationUrl.replace(clientA.id, clientB.id);
    const malformed = pushed.authorizationUrl.replace(/request_uri=[^&]+/, 'request_uri=nonsense');
    for (const url of [stolen, malformed]) {
      const page = await createBrowser(platform.browserAgent).send(url, 'GET');
      assert.equal(page.status, 400);
      assert.equal(page.headers.location, undefined);
      assert.match(String(page.headers['content-type']), /text\/html/);
    }
  });

  test('N-110 an unknown client is a local error page', async () => {
    const page = await createBrowser(platform.browserAgent).send(
      `${a.issuer('gobank')}/authorize?client_id=nobody&request_uri=x`,
      'GET',
    );
    assert.equal(page.status, 400);
    assert.equal(page.headers.location, undefined);
    const trace = String(page.headers['x-fapi-interaction-id']);
    assert.ok(page.text.includes(trace), 'the page shows the trace id');
    const known = await a.push(clientA);
    const stolen = await createBrowser(platform.browserAgent).send(
      known.authorizationUrl.replace(/request_uri=[^&]+/, 'request_uri=nonsense'),
      'GET',
    );
    await platform.rooms.audit.flush();
    const search = (interaction: string) => platform.rooms.audit.search({ interaction });
    const [record] = await search(trace);
    assert.deepEqual(
      [record?.action, record?.outcome, record?.reason, record?.client],
      ['authorization.refused', 'refused', 'invalid_client', undefined],
    );
    const [other] = await search(String(stolen.headers['x-fapi-interaction-id']));
    assert.deepEqual([other?.action, other?.client], ['authorization.refused', clientA.id]);
    assert.ok(!JSON.stringify([record, other]).includes('nobody'));
  });

  test('N-70 WSN-38 wrong or missing verifier, other redirect URI', async () => {
    for (const change of [
      { code_verifier: 'x'.repeat(43) },
      { code_verifier: undefined },
      { redirect_uri: 'https://evil.example/' },
    ]) {
      const pushed = await a.push(clientA);
      const back = await travel(platform, pushed);
      const answer = await a.exchange(clientA, back.searchParams.get('code') ?? '', pushed.verifier, a.agent, change);
      assert.equal(answer.status, 400, answer.text);
      assert.ok(['invalid_grant', 'invalid_request'].includes(reasonOf(answer)));
    }
  });

  test('N-69 WSO-51 a code used twice: invalid_grant, and the tokens of the first exchange are dead', async () => {
    const pushed = await a.push(clientA);
    const back = await travel(platform, pushed);
    const code = back.searchParams.get('code') ?? '';
    const first = (await a.exchange(clientA, code, pushed.verifier)).json();
    assert.equal((await a.api('gobank', '/accounts', String(first.access_token))).status, 200);
    refused(await a.exchange(clientA, code, pushed.verifier), 400, 'invalid_grant');
    assert.equal((await a.api('gobank', '/accounts', String(first.access_token))).status, 401);
    refused(await a.refresh(clientA, String(first.refresh_token)), 400, 'invalid_grant');
  });

  test('N-69 B1 twenty parallel redemptions of one code: at most one is answered, and then all its tokens are dead', async () => {
    const pushed = await a.push(clientA);
    const code = (await travel(platform, pushed)).searchParams.get('code') ?? '';
    const answers = await Promise.all(Array.from({ length: 20 }, () => a.exchange(clientA, code, pushed.verifier)));
    const won = answers.filter((answer) => answer.status === 200);
    assert.ok(won.length <= 1, `${won.length} redemptions`);
    for (const answer of answers) if (answer.status !== 200) refused(answer, 400, 'invalid_grant');
    for (const answer of won) {
      assert.deepEqual((await a.introspect(clientA, String(answer.json().access_token))).json(), { active: false });
      refused(await a.refresh(clientA, String(answer.json().refresh_token)), 400, 'invalid_grant');
    }
  });

  test('N-162 N-163 another participant redeems code and refresh token: invalid_grant', async () => {
    const pushed = await a.push(clientA);
    const code = (await travel(platform, pushed)).searchParams.get('code') ?? '';
    refused(await b.exchange(clientB, code, pushed.verifier), 400, 'invalid_grant');
    const { refresh } = await connect(platform, a, clientA);
    refused(await b.refresh(clientB, refresh), 400, 'invalid_grant');
    assert.equal((await a.refresh(clientA, refresh)).status, 200);
  });

  test('N-72 WSO-52 a refresh that asks for more', async () => {
    const { refresh } = await connect(platform, a, clientA);
    refused(
      await a.refresh(clientA, refresh, a.agent, { scope: 'openid accounts payments.create' }),
      400,
      'invalid_scope',
    );
    assert.equal((await a.refresh(clientA, refresh)).status, 200);
  });

  test('N-74 N-77 CLD-35 another’s token: revocation tells nothing and changes nothing, introspection is inactive', async () => {
    const { access } = await connect(platform, a, clientA);
    assert.equal((await b.revoke(clientB, access)).status, 200);
    assert.deepEqual((await b.introspect(clientB, access)).json(), { active: false });
    assert.equal((await a.api('gobank', '/accounts', access)).status, 200);
    refused(await a.post('gobank', '/introspect', { token: access }), 400, 'invalid_request');
  });
});
