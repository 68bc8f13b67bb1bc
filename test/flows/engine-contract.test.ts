import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { openAuthorization } from '../../src/main/authorization.ts';
import { formOf } from '../support/browser.ts';
import { call, form } from '../support/http.ts';
import { connect, signIn } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { REDIRECT_URI, type Registered, type ThirdParty } from '../support/third-party.ts';

/** What this platform relies on in its engine: run before every bump of oidc-provider, jose, koa or Node (engine.md §14). */
let platform: TestPlatform;
let party: ThirdParty;
let client: Registered;
let jwtClient: Registered;

before(async () => {
  platform = await startPlatform();
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  [client, jwtClient] = [await party.register('gobank'), await party.register('jwtbank')];
});

after(() => platform.close());

const discovery = (bank: string, headers: Record<string, string> = {}) =>
  call(`${platform.settings.doors.issuer.origin}/${bank}/.well-known/openid-configuration`, {
    agent: platform.browserAgent,
    headers,
  });

/** Discovery with this run's addresses taken out. */
async function storedForm(bank: string): Promise<unknown> {
  const { issuer, mtls } = platform.settings.doors;
  const text = (await discovery(bank)).text
    .replaceAll(issuer.origin, 'https://issuer.example')
    .replaceAll(mtls.origin, 'https://mtls.example');
  return JSON.parse(text);
}

describe('discovery', () => {
  for (const bank of ['gobank', 'labbank']) {
    test(`CLD-01 CLD-15 F2-5.3.2.1-1 ${bank}: equals its stored copy`, async () => {
      const stored: unknown = JSON.parse(await readFile(new URL(`./discovery/${bank}.json`, import.meta.url), 'utf8'));
      assert.deepEqual(await storedForm(bank), stored);
    });
  }

  test('CLD-01 FAPI methods and algorithms only, PAR required, tokens bound', async () => {
    const metadata = (await discovery('gobank')).json();
    assert.equal(metadata.require_pushed_authorization_requests, true);
    assert.equal(metadata.tls_client_certificate_bound_access_tokens, true);
    assert.deepEqual(metadata.token_endpoint_auth_methods_supported, ['private_key_jwt', 'tls_client_auth']);
    const algorithms = Object.entries(metadata).filter(([name]) => name.endsWith('alg_values_supported'));
    assert.ok(algorithms.length > 1);
    for (const [name, values] of algorithms) {
      assert.ok(Array.isArray(values) && values.every((value) => ['PS256', 'ES256', 'EdDSA'].includes(value)), name);
    }
  });

  test('RFC 8414 §3.1 the form with the path behind .well-known', async () => {
    const answer = await call(
      `${platform.settings.doors.issuer.origin}/.well-known/oauth-authorization-server/gobank`,
      { agent: platform.browserAgent },
    );
    assert.equal(answer.json().issuer, party.issuer('gobank'));
  });

  test('engine.md B2 a forged Host is misdirected, X-Forwarded-Host is ignored', async () => {
    assert.equal((await discovery('gobank', { host: 'evil.example' })).status, 421);
    const forwarded = await discovery('gobank', { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' });
    assert.ok(!forwarded.text.includes('evil.example') && !forwarded.text.includes('http://'));
    const token = await call(`${party.mtls('gobank')}/token`, {
      method: 'POST',
      agent: party.agent,
      headers: { host: 'evil.example' },
      body: '',
    });
    assert.equal(token.status, 421);
  });

  test('discovery is served at the issuer’s door only, and CORS never at the authorization endpoint', async () => {
    const answer = await call(`${party.mtls('gobank')}/.well-known/openid-configuration`, { agent: party.agent });
    assert.equal(answer.status, 404);
    const page = await call(`${party.issuer('gobank')}/authorize?client_id=x`, {
      agent: platform.browserAgent,
      headers: { origin: 'https://evil.example' },
    });
    assert.equal(page.headers['access-control-allow-origin'], undefined);
  });
});

describe('tokens and grants', () => {
  test('U the consent’s id is the grant’s: code, tokens and introspection carry it', async () => {
    const { access, consent } = await connect(platform, party, jwtClient);
    const claims = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString());
    assert.deepEqual([claims.consent_id, claims.participant_id], [consent, 'tpp-a']);
    assert.equal(JSON.parse(Buffer.from(access.split('.')[0] ?? '', 'base64url').toString()).typ, 'at+jwt');
  });

  test('N-79 no cnf and no consent in the ID token; PS256, nonce and auth_time of the sign-in', async () => {
    const { answer } = await connect(platform, party, client);
    const [header = '', payload = ''] = String(answer.id_token).split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'PS256');
    assert.deepEqual([claims.cnf, claims.consent_id], [undefined, undefined]);
    assert.equal(claims.aud, client.id);
    assert.ok(typeof claims.nonce === 'string');
  });

  test('engine.md B5 a token whose client is gone is inactive, and the question does not fail', async () => {
    const own = await platform.thirdParty('tpp-gone', ['AISP', 'PISP']);
    const gone = await own.register('gobank');
    const { access } = await connect(platform, own, gone);
    assert.equal((await own.introspect(gone, access)).json().active, true);
    const removed = await call(gone.managementUri, {
      method: 'DELETE',
      agent: own.agent,
      headers: { authorization: `Bearer ${gone.managementToken}` },
    });
    assert.equal(removed.status, 204);
    assert.deepEqual((await party.introspect(client, access)).json(), { active: false });
  });

  test('B8 a refresh with another certificate of the same participant, not enrolled, is refused', async () => {
    const { refresh } = await connect(platform, party, client);
    assert.equal((await party.refresh(client, refresh, party.agentOf(party.issue()))).status, 401);
  });

  test('F2-5.3.2.2-14 F2-5.3.2.2 note 4 a nonce of 64 and a state of 1,000 characters pass', async () => {
    const pushed = await party.push(client, { nonce: 'n'.repeat(64), state: 's'.repeat(1_000) });
    assert.equal(pushed.answer.status, 201);
    const { page } = await signIn(platform, pushed);
    assert.ok(formOf(page, '/consent'));
  });

  test('N-87 a push whose assertion names the client needs no client_id; without either it is invalid_request', async () => {
    assert.equal((await party.push(client, { client_id: undefined })).answer.status, 201);
    const bare = await party.post('gobank', '/par', { response_type: 'code', redirect_uri: REDIRECT_URI });
    assert.deepEqual([bare.status, bare.json().error], [400, 'invalid_request']);
  });

  test('N-92 WSO-46 a repeated parameter is invalid_request', async () => {
    const fields = form({
      ...(await party.credentials(client)),
      grant_type: 'client_credentials',
      scope: 'payments.create',
    });
    const answer = await call(`${party.mtls('gobank')}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${fields}&scope=accounts`,
      agent: party.agent,
    });
    assert.deepEqual([answer.status, answer.json().error], [400, 'invalid_request']);
  });

  test('CLD-14 the session of one bank is another cookie than that of the next', async () => {
    const { browser } = await signIn(platform, await party.push(client));
    const names = [...browser.cookies.values()].map((cookie) => cookie.name);
    assert.ok(
      names.some((name) => name === '__Host-gobank-session'),
      names.join(),
    );
    assert.ok(
      names.every((name) => name.startsWith('__Host-') || name.startsWith('__Secure-')),
      names.join(),
    );
  });

  test('F2-5.3.2.2-10 no answer of a whole journey is a 307 or cacheable redirect', async () => {
    const pushed = await party.push(client);
    const { browser, first } = await signIn(platform, pushed);
    const raw = await browser.send(pushed.authorizationUrl, 'GET');
    assert.equal(raw.status, 303);
    assert.equal(first.status, 200);
  });
});

test('keys that are rotated while an authorization server starts are in its key set', async (context) => {
  const { rooms, settings } = platform;
  const bank = settings.banks.find(({ id }) => id === 'gobank') ?? assert.fail();
  const { hasher } = rooms.vault;
  // Asked for beside the keys that the engine is made with.
  const making = context.mock.method(rooms.vault, 'hasher', async (...given: Parameters<typeof hasher>) => {
    making.mock.restore();
    await rooms.vault.rotate('gobank', { kind: 'staff', reference: 'test' });
    return hasher(...given);
  });
  const connector = { signIn: async () => undefined, accounts: async () => [], accountNumber: async () => undefined };
  const around = { connector, renderError: () => ({ html: '', headers: {} }), report: assert.fail };
  const started = await openAuthorization(bank, settings, rooms, around);
  const server = createServer((request, response) => void started.handle(request, response, '/jwks', 'issuer'));
  context.after(() => {
    server.close();
    started.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  const { keys } = JSON.parse(await answer.text());
  const published = (await rooms.vault.keyring('gobank')).publicKeys.keys;
  assert.deepEqual(
    keys.map(({ kid }: { kid: string }) => kid),
    published.map(({ kid }) => kid),
  );
});
