import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { Refusal } from '../../src/platform/refusal.ts';
import { createManagement, managementOpenApi } from '../../src/web/index.ts';
import type { Received } from '../support/http.ts';
import { connect } from '../support/journey.ts';
import { type BankService, bankService, listOf, manage, record, refuses, why } from '../support/management.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const SCOPES = [
  'management.consents.read',
  'management.consents.revoke',
  'management.participants',
  'management.audit',
  'management.tokens',
] as const;

let platform: TestPlatform;
let party: ThirdParty;
let client: Registered;
let gobank: BankService;
let jwtbank: BankService;
const tokens = new Map<string, string>();

before(async () => {
  platform = await startPlatform();
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  client = await party.register('gobank');
  gobank = await bankService(platform, 'gobank');
  jwtbank = await bankService(platform, 'jwtbank');
  for (const scope of SCOPES) tokens.set(scope, await gobank.token(scope));
});

after(() => platform.close());

const as = (scope: (typeof SCOPES)[number]) => tokens.get(scope);

/** Every route of the API with its parameters filled in, as the router knows them. */
async function routes() {
  const { management } = platform.settings.doors;
  const built = await createManagement({
    ...platform.rooms,
    origin: management?.origin ?? '',
    banks: [],
    log: { error: () => undefined },
  });
  return built.routes;
}

describe('who is let in', () => {
  test('N-229 every route declares a guard, and none answers without a token', async () => {
    const all = await routes();
    assert.ok(all.length > 60, `${all.length} routes`);
    let guarded = 0;
    for (const { method, url, guard } of all) {
      const path = url.replaceAll(/:[a-z]+/g, (name) => (name === ':bank' ? 'gobank' : 'x'));
      const answer = await manage(platform, method, path, undefined, { agent: gobank.party.agent });
      if (guard === 'public') assert.equal(url, '/openapi.json');
      else if (guard === 'method-refused') refuses(answer, 405, 'method_not_allowed');
      else {
        guarded += 1;
        refuses(answer, 401, 'token_missing');
        assert.match(String(answer.headers['www-authenticate']), /^Bearer/);
      }
    }
    assert.equal(guarded, 18);
  });

  test('N-234 every route refuses a token of the bank that has every scope but its own', async () => {
    for (const { method, url, guard } of await routes()) {
      if (typeof guard !== 'object') continue;
      const path = url.replaceAll(/:[a-z]+/g, (name) => (name === ':bank' ? 'gobank' : 'x'));
      const others = await gobank.token(SCOPES.filter((scope) => scope !== guard.scope).join(' '));
      const answer = await manage(platform, method, path, others, { agent: gobank.party.agent });
      refuses(answer, 403, 'insufficient_scope');
      assert.match(String(answer.headers['www-authenticate']), new RegExp(`scope="${guard.scope}"`));
    }
  });

  test('CLD-52 CLD-55 N-235 no certificate, another certificate, a third party, another bank', async () => {
    const token = as('management.consents.read');
    refuses(await manage(platform, 'GET', '/gobank/consents', token, {}), 401, 'certificate_missing');
    const elsewhere = { agent: party.agent };
    refuses(await manage(platform, 'GET', '/gobank/consents', token, elsewhere), 401, 'certificate_not_bound');
    const theirs = String((await party.clientToken(client)).json().access_token);
    refuses(await manage(platform, 'GET', '/gobank/consents', theirs, elsewhere), 403, 'role_missing');
    const { access } = await connect(platform, party, client);
    refuses(await manage(platform, 'GET', '/gobank/consents', access, elsewhere), 403, 'role_missing');
    const foreign = await jwtbank.token('management.consents.read');
    refuses(
      await manage(platform, 'GET', '/gobank/consents', foreign, { agent: jwtbank.party.agent }),
      401,
      'token_invalid',
    );
    refuses(await gobank.send('GET', '/consents', `${token}x`), 401, 'token_invalid');
    refuses(
      await gobank.send('GET', '/consents', undefined, { headers: { authorization: 'Basic eDp5' } }),
      401,
      'token_missing',
    );
    refuses(await manage(platform, 'GET', '/nobank/consents', token, { agent: gobank.party.agent }), 404, 'not_found');
  });

  test('N-241 another account servicing provider of the directory is not this bank', async () => {
    const other = await platform.thirdParty('otherbank-core', ['ASPSP']);
    const answer = await other.sendRegistration(
      'gobank',
      await other.registration('private_key_jwt', { grant_types: ['client_credentials'] }),
    );
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.json().error, 'invalid_client_metadata');
  });

  test('management scopes: not for third parties, not offered, not for clients that customers are sent to', async () => {
    const discovery = await fetchJson(`${party.issuer('gobank')}/.well-known/openid-configuration`);
    const offered = ['openid', 'offline_access', 'accounts', 'payments.create', 'fundsconfirmations'];
    assert.deepEqual(discovery.scopes_supported, offered);
    const asked = await party.sendRegistration(
      'gobank',
      await party.registration('private_key_jwt', { scope: 'openid accounts management.audit' }),
    );
    assert.equal(asked.status, 400);
    assert.equal((await party.clientToken(client, 'management.audit')).status, 400);
    const pushed = await party.push(client, { scope: 'openid management.consents.read' });
    assert.equal(pushed.answer.status, 400);
    const code = await gobank.party.sendRegistration('gobank', await gobank.party.registration('private_key_jwt'));
    assert.equal(code.status, 400, code.text);
  });

  test('a management token opens no API of the bank, and an API token no management', async () => {
    const answer = await gobank.party.api('gobank', '/accounts', as('management.audit'));
    assert.ok([401, 403].includes(answer.status), answer.text);
    const resource = `${platform.settings.doors.management?.origin}/gobank`;
    const targeted = await party.post('gobank', '/token', {
      grant_type: 'client_credentials',
      scope: 'payments.create',
      resource,
      ...(await party.credentials(client)),
    });
    assert.deepEqual([targeted.status, targeted.json().error], [400, 'invalid_target']);
  });

  test('LAB-15 a suspended entry of the bank itself is shut out at once', async () => {
    const staff = { kind: 'staff', reference: 'test' } as const;
    const token = await jwtbank.token('management.audit');
    assert.equal((await jwtbank.send('GET', '/audit', token)).status, 200);
    await platform.rooms.directory.changeStatus('jwtbank-core', 'suspended', staff);
    refuses(await jwtbank.send('GET', '/audit', token), 403, 'participant_suspended');
    await platform.rooms.directory.changeStatus('jwtbank-core', 'approved', staff);
    assert.equal((await jwtbank.send('GET', '/audit', token)).status, 200);
  });
});

describe('consents and tokens', () => {
  test('CLD-52 lists and filters consents, page by page; unknown and doubled filters are refused', async () => {
    const mine = await connect(platform, party, client, { accounts: ['u1-current'] });
    await connect(platform, party, client, { username: 'user2' });
    const token = as('management.consents.read');
    const ids = async (query: string) => {
      const answer = await gobank.send('GET', `/consents${query}`, token);
      assert.equal(answer.status, 200, answer.text);
      return listOf(answer.json().consents).map((consent) => String(consent.id));
    };
    const all = await ids('');
    assert.ok(all.length >= 2);
    assert.ok((await ids('?customer=user&status=Authorised&participant=tpp-a')).includes(mine.consent));
    assert.ok(!(await ids('?customer=user2')).includes(mine.consent));
    assert.deepEqual(await ids('?customer=use'), []);
    assert.deepEqual(await ids('?participant=tpp'), []);
    const future = new Date(Date.now() + 60_000).toISOString();
    assert.deepEqual(await ids(`?from=${future}`), []);
    assert.deepEqual(await ids(`?to=${future}`), all);
    const paged: string[] = [];
    let query = '?limit=1';
    for (let turn = 0; turn < all.length + 2 && query !== ''; turn += 1) {
      const answer = (await gobank.send('GET', `/consents${query}`, token)).json();
      paged.push(...listOf(answer.consents).map((consent) => String(consent.id)));
      query = answer.next === undefined ? '' : `?limit=1&after=${String(answer.next)}`;
    }
    assert.deepEqual(paged, all);
    for (const wrong of [
      '?customer=user&customer=user2',
      '?user=user',
      '?customer=',
      '?limit=0',
      '?limit=9999',
      '?status=revoked',
      '?after=x',
      '?from=yesterday',
    ])
      refuses(await gobank.send('GET', `/consents${wrong}`, token), 400, 'field_invalid');
  });

  test('CLD-47 N-204 N-240 revokes one consent, with a reason, twice alike; the others live on', async () => {
    const one = await connect(platform, party, client);
    const other = await connect(platform, party, client);
    const revoke = (body: unknown, consent = one.consent) =>
      gobank.send('POST', `/consents/${consent}/revocation`, as('management.consents.revoke'), { body });
    refuses(await revoke({}), 400, 'field_missing');
    for (const reason of ['', '   ', 5, null, 'a\u0000b', '<b>', 'x'.repeat(300)])
      refuses(await revoke({ reason }), 400, 'field_invalid');
    refuses(await revoke({ ...why, customer: 'user2' }), 400, 'field_invalid');
    assert.equal((await party.api('gobank', '/accounts', one.access)).status, 200);
    refuses(await revoke(why, 'consent-unknown'), 404, 'consent_missing');
    for (let round = 0; round < 2; round += 1) {
      const answer = await revoke({ ...why, by: 'counter-7' });
      assert.deepEqual([answer.status, answer.text], [204, '']);
    }
    assert.equal((await party.api('gobank', '/accounts', one.access)).status, 401);
    assert.equal((await party.refresh(client, one.refresh)).status, 400);
    assert.equal((await party.api('gobank', '/accounts', other.access)).status, 200);
    const read = (await gobank.send('GET', `/consents/${one.consent}`, as('management.consents.read'))).json();
    const last = listOf(read.history).at(-1);
    assert.deepEqual(
      [last?.action, last?.status, last?.actor, last?.reason],
      ['revoke', 'Revoked', 'staff', why.reason],
    );
    assert.equal(last?.actorReference, `${gobank.client.id}/counter-7`);
  });

  test('N-201 tokens cannot be ended at once: 202, revoking until they are, and asking again is accepted', async () => {
    const { consent, access } = await connect(platform, party, client);
    const revoke = () =>
      gobank.send('POST', `/consents/${consent}/revocation`, as('management.consents.revoke'), { body: why });
    const read = async () =>
      (await gobank.send('GET', `/consents/${consent}`, as('management.consents.read'))).json().consent;
    const { deny } = platform.rooms.tokens;
    const away = () => Promise.reject(new Refusal('token_store_unavailable', 503, 'away'));
    Object.assign(platform.rooms.tokens, { deny: away });
    try {
      for (let round = 0; round < 2; round += 1) assert.equal((await revoke()).status, 202);
      assert.notEqual((await party.api('gobank', '/accounts', access)).status, 200);
      assert.partialDeepStrictEqual(await read(), { status: 'Revoked', revoking: true });
    } finally {
      Object.assign(platform.rooms.tokens, { deny });
    }
    assert.equal((await revoke()).status, 204);
    assert.partialDeepStrictEqual(await read(), { status: 'Revoked', revoking: false });
  });

  test('CLD-55 tokens end by consent, client, participant and customer: 204, again 204, unknown 404', async () => {
    const revoke = (kind: string, id: string, body: unknown = why) =>
      gobank.send('POST', `/${kind}/${id}/token-revocation`, as('management.tokens'), { body });
    const kinds = [
      ['consents', (consent: string) => consent, 'consent_missing'],
      ['clients', () => client.id, 'client_unknown'],
      ['participants', () => 'tpp-a', 'participant_unknown'],
      ['customers', () => 'user', 'customer_unknown'],
    ] as const;
    for (const [kind, idOf, unknown] of kinds) {
      const other = await connect(platform, party, client, { username: 'user2' });
      const { access, refresh, consent } = await connect(platform, party, client);
      refuses(await revoke(kind, 'nobody'), 404, unknown);
      refuses(await revoke(kind, idOf(consent), {}), 400, 'field_missing');
      assert.equal((await party.api('gobank', '/accounts', access)).status, 200);
      for (let round = 0; round < 2; round += 1) assert.equal((await revoke(kind, idOf(consent))).status, 204, kind);
      const refused = await party.api('gobank', '/accounts', access);
      assert.equal(refused.status, 401, kind);
      assert.match(refused.text, /token_revoked/);
      const refreshed = await party.refresh(client, refresh);
      assert.deepEqual([refreshed.status, refreshed.json().error], [400, 'invalid_grant'], kind);
      assert.deepEqual((await party.introspect(client, refresh)).json(), { active: false });
      const spared = kind === 'consents' || kind === 'customers';
      assert.equal((await party.api('gobank', '/accounts', other.access)).status, spared ? 200 : 401, kind);
      assert.equal((await platform.rooms.consents.find('gobank', consent))?.state, 'Authorised');
    }
  });

  test('CLD-49 the trail finds everything about a consent, and a refused request by its interaction id', async () => {
    const { consent } = await connect(platform, party, client);
    const token = as('management.audit');
    const found = listOf((await gobank.send('GET', `/audit?consent=${consent}`, token)).json().records);
    assert.ok(found.some(({ action }) => action === 'consent.authorised'));
    assert.ok(found.every((record) => record.consent === consent && record.bank === 'gobank'));
    const interaction = randomUUID();
    const refused = await manage(platform, 'GET', '/gobank/consents', as('management.audit'), {
      agent: gobank.party.agent,
      headers: { 'x-fapi-interaction-id': interaction },
    });
    assert.equal(refused.headers['x-fapi-interaction-id'], interaction);
    const [record] = listOf((await gobank.send('GET', `/audit?interaction=${interaction}`, token)).json().records);
    assert.deepEqual(
      [record?.action, record?.outcome, record?.reason],
      ['management.requested', 'refused', 'insufficient_scope'],
    );
    const seen: unknown[] = [];
    let query = '?limit=7&participant=tpp-a';
    for (let turn = 0; turn < 3; turn += 1) {
      const page = (await gobank.send('GET', `/audit${query}`, token)).json();
      seen.push(...listOf(page.records).map(({ chain, sequence }) => `${chain} ${sequence}`));
      query = `?limit=7&participant=tpp-a&after=${String(page.next)}`;
    }
    assert.equal(new Set(seen).size, 21);
    assert.ok(!JSON.stringify(found).includes('p@ssword!'));
    const earlier = '/audit?participant=tpp-a&to=2020-01-01T00:00:00Z';
    assert.deepEqual(listOf((await gobank.send('GET', earlier, token)).json().records), []);
    const later = '/audit?participant=tpp-a&from=2020-01-01T00:00:00Z&limit=3';
    assert.equal(listOf((await gobank.send('GET', later, token)).json().records).length, 3);
    refuses(await gobank.send('GET', '/audit?bank=jwtbank', token), 400, 'field_invalid');
  });
});

describe('the document and malformed requests', () => {
  test('the OpenAPI document is served, complete, and the committed one is in step', async () => {
    const served = await manage(platform, 'GET', '/openapi.json', undefined, {});
    assert.equal(served.status, 200);
    assert.deepEqual(served.json(), json(managementOpenApi(platform.settings.doors.management?.origin ?? '')));
    const committed = await readFile('docs/reference/management-api.openapi.json', 'utf8');
    assert.deepEqual(JSON.parse(committed), json(managementOpenApi('https://localhost:8086')));
    const paths = Object.keys(record(served.json().paths));
    const known = new Set((await routes()).map(({ url }) => url.replaceAll(/:([a-z]+)/g, '{$1}')));
    assert.deepEqual(
      paths.filter((path) => !known.has(path)),
      [],
    );
    assert.equal(known.size - paths.length, 1);
  });

  test('bodies that are no JSON, too large, of another type, with doubled or foreign members', async () => {
    const path = '/gobank/consents/x/revocation';
    const token = as('management.consents.revoke');
    const raw = (body: string, type = 'application/json') => rawCall(path, token, body, type);
    refuses(await raw('{'), 400, 'body_malformed');
    refuses(await raw(''), 400, 'body_malformed');
    refuses(await raw('[]'), 400, 'field_invalid');
    refuses(await raw('reason=x', 'application/x-www-form-urlencoded'), 415, 'unsupported_media_type');
    refuses(await raw('"x"', 'text/plain'), 415, 'unsupported_media_type');
    refuses(await raw(JSON.stringify({ reason: 'x'.repeat(20_000) })), 413, 'body_too_large');
    refuses(await raw('{"reason":"x","__proto__":{"by":"y"}}'), 400, 'body_malformed');
    refuses(await gobank.send('GET', '/nothing', token), 404, 'not_found');
    refuses(await gobank.send('GET', '/consents/', as('management.consents.read')), 400, 'field_invalid');
  });
});

async function rawCall(path: string, token: string | undefined, body: string, type: string): Promise<Received> {
  const { call } = await import('../support/http.ts');
  return call(`${platform.settings.doors.management?.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    body,
    agent: gobank.party.agent,
  });
}

async function fetchJson(url: string): Promise<Record<string, unknown>> {
  const { call } = await import('../support/http.ts');
  return (await call(url, { agent: platform.browserAgent })).json();
}

function json(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
