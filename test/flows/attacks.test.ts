import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, type Received } from '../support/http.ts';
import { connect } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { refused } from '../support/refusals.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const STAFF = { kind: 'staff', reference: 'test', reason: 'test' } as const;

let platform: TestPlatform;
let party: ThirdParty;
let client: Registered;

before(async () => {
  platform = await startPlatform();
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  client = await party.register('gobank');
});

after(() => platform.close());

/** A request to manage a registration, with its token. */
function manage(
  of: Registered,
  method: string,
  agent: ThirdParty['agent'],
  options: { readonly url?: string; readonly body?: unknown } = {},
): Promise<Received> {
  const { url = of.managementUri, body } = options;
  return call(url, {
    method,
    agent,
    headers: { authorization: `Bearer ${of.managementToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe('other spellings of a path', () => {
  const spellings = ['/REGISTER', '/Register', '/register/', '/REGISTER/', '/register//', '//register', '/%72egister'];

  test('N-25 no spelling of the registration path leads past its gate', async () => {
    const body = {
      redirect_uris: ['https://localhost:8091/callback'],
      sector_identifier_uri: 'https://localhost:8091/sectors.json',
      token_endpoint_auth_method: 'private_key_jwt',
    };
    for (const path of spellings) {
      const answer = await call(`${party.issuer('gobank')}${path}`, {
        method: 'POST',
        agent: platform.browserAgent,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      assert.ok([401, 404].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
    }
  });

  test('N-170 a stolen registration access token without the certificate reads, replaces and deletes nothing', async () => {
    const body = { ...(await party.registration('private_key_jwt')), client_id: client.id };
    for (const path of spellings) {
      const url = `${party.issuer('gobank')}${path.replace(/\/+$/, '')}/${client.id}`;
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
        const sent = method === 'PUT' ? { url, body } : { url };
        const answer = await manage(client, method, platform.browserAgent, sent);
        assert.ok([401, 404].includes(answer.status), `${method} ${url}: ${answer.status} ${answer.text}`);
      }
    }
    assert.equal((await manage(client, 'GET', party.agent)).status, 200);
  });

  test('N-64 a secret at a FAPI bank is refused at one address; there are no others', async () => {
    for (const path of ['/TOKEN', '/token/', '/Par', '/introspect/', '/REVOKE']) {
      const answer = await call(`${party.issuer('gobank')}${path}`, {
        method: 'POST',
        agent: platform.browserAgent,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `client_id=${client.id}&client_secret=x`,
      });
      assert.equal(answer.status, 404, `${path}: ${answer.text}`);
    }
  });
});

describe('registration', () => {
  test('WSN-16 an update with an empty scope does not lift the limit of its scopes', async () => {
    const own = await platform.thirdParty('tpp-narrow', ['AISP', 'PISP']);
    const narrow = { software_statement: await own.statement({ software_roles: ['AISP'] }) };
    const mine = await own.register('gobank', 'private_key_jwt', narrow);
    for (const scope of ['', ' ']) {
      const body = { ...(await own.registration('private_key_jwt', narrow)), client_id: mine.id, scope };
      refused(await manage(mine, 'PUT', own.agent, { body }), 400, 'invalid_client_metadata');
      refused(await own.clientToken(mine, 'payments.create'), 400, 'invalid_scope');
    }
  });

  test('LAB-15 a suspended participant reads and removes no registration, and none of its consents ends', async () => {
    const own = await platform.thirdParty('tpp-pause', ['AISP', 'PISP']);
    const mine = await own.register('gobank');
    const { consent } = await connect(platform, own, mine);
    await platform.rooms.directory.changeStatus(own.id, 'suspended', STAFF);
    for (const method of ['GET', 'DELETE']) {
      refused(await manage(mine, method, own.agent), 403, 'participant_suspended');
    }
    const body = { ...(await own.registration('private_key_jwt')), client_id: mine.id };
    assert.ok([400, 403].includes((await manage(mine, 'PUT', own.agent, { body })).status));
    await platform.rooms.directory.changeStatus(own.id, 'approved', STAFF);
    assert.equal((await platform.rooms.consents.find('gobank', consent))?.state, 'Authorised');
    assert.equal((await manage(mine, 'GET', own.agent)).status, 200);
  });

  test('CA-18 the registration access token lasts: a certificate is renewed long after registration', async () => {
    const own = await platform.thirdParty('tpp-later', ['AISP']);
    await own.register('gobank');
    const [row] = await platform.rooms.database.query(
      `SELECT min(expires_at) AS first FROM oauth.artifacts WHERE model = 'RegistrationAccessToken'`,
      [],
    );
    const years = (Number(row?.first) - Date.now()) / (365 * 86_400_000);
    assert.ok(years > 3, `ends in ${years} years`);
  });
});

describe('large requests', () => {
  test('N-283 a push that grows when it is kept is refused, never a failure of ours', async () => {
    for (const state of ['"'.repeat(17_000), '\u0001'.repeat(12_000), 'x'.repeat(50_000)]) {
      const { answer, authorizationUrl } = await party.push(client, { state });
      if (answer.status === 201) {
        const page = await call(authorizationUrl, { agent: platform.browserAgent });
        assert.equal(page.status, 303, page.text);
      } else refused(answer, 400, 'invalid_request');
    }
  });
});
