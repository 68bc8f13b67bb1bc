import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, type Received } from '../support/http.ts';
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
