import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, createBrowser, formOf, type Page } from '../support/browser.ts';
import { call, type Received } from '../support/http.ts';
import { agree, connect, signIn, travel } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { refused } from '../support/refusals.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const STAFF = { kind: 'staff', reference: 'test', reason: 'test' } as const;

let platform: TestPlatform;
let party: ThirdParty;
let client: Registered;
let ahead = 0;

before(async () => {
  platform = await startPlatform({ clock: { now: () => new Date(Date.now() + ahead * 1_000) } });
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

/** Agrees and follows nothing: what the bank answers to the form. */
function agreeAndStay(browser: Browser, page: Page): Promise<Page> {
  const { action, fields, choices } = formOf(page, '/consent');
  const body = new URLSearchParams(fields);
  for (const [name, values] of Object.entries(choices)) for (const value of values) body.append(name, value);
  return browser.send(new URL(action, page.url).href, 'POST', body.toString());
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

describe('tokens in the wrong place', () => {
  test('WSN-39 nothing but an access token of this bank opens its API', async () => {
    const own = await platform.thirdParty('tpp-confused', ['AISP', 'PISP']);
    const [here, there] = [await own.register('gobank'), await own.register('jwtbank')];
    const [opaque, structured] = [await connect(platform, own, here), await connect(platform, own, there)];
    const pushed = await own.push(there);
    const facts = await platform.rooms.tokens.resolve('jwtbank', own.issuer('jwtbank'), structured.access);
    assert.ok(facts.state === 'active');
    const { iat, exp, ...claims } = JSON.parse(
      Buffer.from(structured.access.split('.')[1] ?? '', 'base64url').toString('utf8'),
    );
    const wrong: Readonly<Record<string, string>> = {
      'ID token': String(structured.answer.id_token),
      'refresh token': structured.refresh,
      code: (await travel(platform, pushed)).searchParams.get('code') ?? '',
      'registration access token': there.managementToken,
      'client assertion': await own.assertion(there.id, 'jwtbank'),
      'statement to the bank': await platform.rooms.vault.signJwt('jwtbank', 'portcullis-facts+jwt', {
        ...claims,
        iat,
        exp,
      }),
      'token signed with our key and never issued': await platform.rooms.vault.signJwt('jwtbank', 'at+jwt', {
        ...claims,
        jti: 'invented',
        iat,
        exp,
      }),
      'token of the other bank': opaque.access,
    };
    for (const [name, token] of Object.entries(wrong)) {
      const answer = await own.api('jwtbank', '/accounts', token);
      assert.equal(answer.status, 401, `${name}: ${answer.text}`);
      refused(answer, 401, 'token_invalid');
    }
    refused(await own.api('gobank', '/accounts', structured.access), 401, 'token_invalid');
    assert.equal((await own.api('jwtbank', '/accounts', structured.access)).status, 200);
  });

  test('CLD-14 code and refresh token of one bank at another bank: invalid_grant', async () => {
    const own = await platform.thirdParty('tpp-roaming', ['AISP']);
    const [here, there] = [await own.register('gobank'), await own.register('jwtbank')];
    const pushed = await own.push(here);
    const code = (await travel(platform, pushed)).searchParams.get('code') ?? '';
    refused(await own.exchange(there, code, pushed.verifier), 400, 'invalid_grant');
    const answer = await own.exchange(here, code, pushed.verifier);
    assert.equal(answer.status, 200, answer.text);
    refused(await own.refresh(there, String(answer.json().refresh_token)), 400, 'invalid_grant');
  });
});

describe('interactions', () => {
  test('N-216 the cookies of one bank, renamed for another, open nothing there', async () => {
    const pushed = await party.push(client);
    const { browser, page } = await signIn(platform, pushed);
    for (const { name, value, path } of [...browser.cookies.values()]) {
      const moved = { name: name.replace('gobank', 'jwtbank'), value, path: path.replace('gobank', 'jwtbank') };
      browser.cookies.set(`${moved.name} ${moved.path}`, moved);
    }
    const answer = await browser.send(page.url.replace('/gobank/', '/jwtbank/'), 'GET');
    assert.equal(answer.status, 400);
    assert.match(answer.text, /interaction_expired/);
  });

  test('N-216 the address that takes an answer on is worth nothing in another browser', async () => {
    const pushed = await party.push(client);
    const { browser, page } = await signIn(platform, pushed);
    const decided = await agreeAndStay(browser, page);
    const resume = new URL(decided.headers.location ?? '', page.url).href;
    const stolen = await createBrowser(platform.browserAgent).send(resume, 'GET');
    assert.equal(stolen.status, 400);
    assert.equal(stolen.headers.location, undefined);
    assert.match((await browser.send(resume, 'GET')).headers.location ?? '', /[?&]code=/);
  });

  test('N-109 a login that expired: the way back is the pushed request’s own address, with its state and our issuer', async () => {
    const pushed = await party.push(client);
    const { browser, page } = await signIn(platform, pushed);
    try {
      // The engine still knows the request; then it has forgotten it.
      for (ahead of [601, 900]) {
        const late = await browser.get(page.url);
        assert.equal(late.status, 400);
        const link = /<a role="button" href="([^"]+)"/.exec(late.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
        const { origin, pathname, searchParams } = new URL(link);
        assert.deepEqual(
          [`${origin}${pathname}`, searchParams.get('error'), searchParams.get('state'), searchParams.get('iss')],
          ['https://localhost:8091/callback', 'access_denied', pushed.state, party.issuer('gobank')],
        );
      }
      const [consent] = await platform.rooms.consents.list({ bank: 'gobank', client: client.id, limit: 1 });
      assert.equal(consent?.state, 'Rejected');
      const stranger = await createBrowser(platform.browserAgent).get(page.url);
      assert.equal(stranger.status, 400);
      assert.doesNotMatch(stranger.text, /access_denied/);
    } finally {
      ahead = 0;
    }
  });

  test('LAB-15 suspended between the agreement and the way back: no code', async () => {
    const own = await platform.thirdParty('tpp-midway', ['AISP']);
    const mine = await own.register('gobank');
    const { browser, page } = await signIn(platform, await own.push(mine));
    const decided = await agreeAndStay(browser, page);
    await platform.rooms.directory.changeStatus(own.id, 'suspended', STAFF);
    const end = await browser.send(new URL(decided.headers.location ?? '', page.url).href, 'GET');
    assert.equal(end.headers.location, undefined);
    assert.equal(end.status, 400, end.text);
  });

  test('N-225 agreed and cancelled at once: what the third party hears is what the consent says', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { browser, page } = await signIn(platform, await party.push(client));
      const ends = await Promise.all([agree(browser, page), browser.submit(page, formOf(page, '/cancel'), {})]);
      const [consent] = await platform.rooms.consents.list({ bank: 'gobank', client: client.id, limit: 1 });
      const heard = ends.map((end) => end.headers.location ?? '').join(' ');
      assert.ok(consent?.state === 'Authorised' || consent?.state === 'Rejected', consent?.state);
      if (consent.state === 'Rejected') assert.doesNotMatch(heard, /[?&]code=/);
      else assert.doesNotMatch(heard, /access_denied/);
    }
  });

  test('N-102 one pushed request completed in two browsers at once, by two customers: one code', async () => {
    const pushed = await party.push(client);
    const [one, other] = [await signIn(platform, pushed), await signIn(platform, pushed, { username: 'user2' })];
    const ends = await Promise.all([agree(one.browser, one.page), agree(other.browser, other.page)]);
    const codes = ends.filter((end) => /[?&]code=/.test(end.headers.location ?? ''));
    assert.equal(codes.length, 1, ends.map((end) => `${end.status} ${end.headers.location}`).join(' '));
  });

  test('engine.md B4 prompt=none gives no code, whatever the browser knows', async () => {
    const { browser, page } = await signIn(platform, await party.push(client));
    assert.match((await agree(browser, page)).headers.location ?? '', /[?&]code=/);
    const silent = await party.push(client, { prompt: 'none' });
    const end = await browser.get(silent.authorizationUrl);
    assert.match(end.headers.location ?? '', /[?&]error=login_required/);
    assert.doesNotMatch(end.headers.location ?? '', /[?&]code=/);
  });
});

describe('what callers send', () => {
  test('members that name the prototype are data: nothing is inherited from a registration', async () => {
    const own = await platform.thirdParty('tpp-proto', ['AISP']);
    const body = JSON.stringify(await own.registration('private_key_jwt'));
    const poisoned = body.replace('{', '{"__proto__":{"scope":"payments.create"},"constructor":{"prototype":{"x":1}},');
    const answer = await own.sendRegistration('gobank', poisoned);
    assert.equal(answer.status, 201, answer.text);
    assert.equal(answer.json().scope, 'openid offline_access accounts');
    assert.equal(Reflect.get({}, 'x'), undefined);
  });

  test('LAB-42 no token, code, secret or account number of this file stands in the trail', async () => {
    const own = await platform.thirdParty('tpp-traced', ['AISP', 'PISP']);
    const mine = await own.register('gobank');
    const pushed = await own.push(mine);
    const code = (await travel(platform, pushed)).searchParams.get('code') ?? '';
    const answer = (await own.exchange(mine, code, pushed.verifier)).json();
    const secrets = [
      code,
      pushed.verifier,
      pushed.state,
      mine.managementToken,
      String(answer.access_token),
      String(answer.refresh_token),
      String(answer.id_token),
      String(mine.metadata.software_statement),
      'p@ssword!',
      'u1-current',
    ];
    await own.api('gobank', `/accounts?access_token=${answer.access_token}`, undefined);
    await own.api('gobank', '/accounts', `${answer.access_token}x`);
    await own.refresh(mine, `${answer.refresh_token}x`);
    await own.exchange(mine, code, pushed.verifier);
    await platform.rooms.audit.flush();
    const records = await platform.rooms.audit.search({ limit: 500 });
    assert.ok(records.length > 50);
    const trail = JSON.stringify(records);
    for (const secret of secrets) assert.ok(!trail.includes(secret), `the trail holds ${secret.slice(0, 6)}…`);
  });
});
