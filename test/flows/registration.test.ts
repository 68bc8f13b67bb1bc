import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { createAuthority } from '../support/certificates.ts';
import { call, type Received } from '../support/http.ts';
import { connect } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { newStatementSigner } from '../support/statements.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

let platform: TestPlatform;
let party: ThirdParty;
let other: ThirdParty;
let serial = 0;

before(async () => {
  platform = await startPlatform();
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  other = await platform.thirdParty('tpp-b', ['AISP']);
});

after(() => platform.close());

/** A participant of its own for each registration: one certificate belongs to one client. */
async function fresh(roles: readonly string[] = ['AISP', 'PISP']): Promise<ThirdParty> {
  serial += 1;
  return platform.thirdParty(`tpp-${serial}x`, roles);
}

function refused(answer: Received, status: number, error: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.json().error, error, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
}

async function clients(): Promise<number> {
  return (await platform.rooms.directory.listClients('gobank')).length;
}

describe('registration', () => {
  test('N-122 N-123 N-142 the statement: missing, nonsense, unsigned, altered, own key, unknown issuer, stale', async () => {
    const before = await clients();
    const rogue = await newStatementSigner();
    const body = await party.registration('private_key_jwt');
    const good = String(body.software_statement);
    const [header, payload, signature] = good.split('.');
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
    const altered = Buffer.from(JSON.stringify({ ...claims, software_roles: ['AISP', 'PISP', 'CBPII'] })).toString(
      'base64url',
    );
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const wrong: readonly (readonly [unknown, string])[] = [
      [undefined, 'invalid_software_statement'],
      ['', 'invalid_software_statement'],
      [7, 'invalid_software_statement'],
      ['nonsense', 'invalid_software_statement'],
      [unsigned, 'invalid_software_statement'],
      [`${header}.${altered}.${signature}`, 'invalid_software_statement'],
      [await rogue.sign(claims), 'invalid_software_statement'],
      [await party.statement({ iat: Math.floor(Date.now() / 1000) - 40 * 86_400 }), 'invalid_software_statement'],
      [await party.statement({ iss: 'Another Directory' }), 'unapproved_software_statement'],
      [await party.statement({ org_id: 'nobody' }), 'unapproved_software_statement'],
      [await party.statement({ software_client_name: '<b>x</b>' }), 'invalid_software_statement'],
      [await party.statement({ software_client_name: null }), 'invalid_software_statement'],
      [await party.statement({ software_jwks: undefined }), 'invalid_software_statement'],
    ];
    for (const [statement, error] of wrong) {
      refused(await party.sendRegistration('gobank', { ...body, software_statement: statement }), 400, error);
    }
    assert.equal(await clients(), before);
  });

  test('N-128 N-25 the certificate: none, another organisation’s, expired, foreign authority', async () => {
    const before = await clients();
    const body = await party.registration('private_key_jwt');
    const day = 86_400_000;
    const expired = party.issue({ notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) });
    const foreign = createAuthority('Elsewhere').issue({
      commonName: 'tpp-a',
      organizationIdentifier: party.registrationNumber,
    });
    for (const agent of [party.agentOf(), party.agentOf(expired), party.agentOf(foreign)]) {
      refused(await party.sendRegistration('gobank', body, agent), 401, 'invalid_client');
    }
    refused(await party.sendRegistration('gobank', body, other.agent), 400, 'invalid_client_metadata');
    assert.equal(await clients(), before);
  });

  test('WSN-16 N-128 a role in the statement but not in the certificate does not count, and the other way round', async () => {
    const own = await fresh(['AISP', 'PISP']);
    const account = own.agentOf(own.issue({ roles: ['AISP'] }));
    const asked = await own.registration('private_key_jwt', { scope: 'openid payments.create' });
    refused(await own.sendRegistration('gobank', asked, account), 400, 'invalid_client_metadata');
    const narrow = await own.registration('private_key_jwt', {
      scope: 'openid payments.create',
      software_statement: await own.statement({ software_roles: ['AISP'] }),
    });
    refused(await own.sendRegistration('gobank', narrow), 400, 'invalid_client_metadata');
  });

  test('N-126 other content types and broken bodies are refused', async () => {
    const send = (body: string, type: string) =>
      party.sendRegistration('gobank', body, party.agent, { 'content-type': type });
    assert.equal((await send('{}', 'text/plain')).status, 415);
    refused(await send('{', 'application/json'), 400, 'invalid_client_metadata');
    refused(await send('[]', 'application/json'), 400, 'invalid_client_metadata');
    refused(await send('nonsense', 'application/jwt'), 400, 'invalid_client_metadata');
    const huge = await send(JSON.stringify({ x: 'y'.repeat(70_000) }), 'application/json');
    assert.equal(huge.status, 413);
  });

  test('CLD-16 DCR-V5 a signed request is taken once; wrong key, aud, iss, age and replay are refused (N-126, N-127, N-141, N-161)', async () => {
    const own = await fresh();
    const claims = await own.registration('private_key_jwt');
    const now = Math.floor(Date.now() / 1000);
    const sign = (change: Readonly<Record<string, unknown>> = {}, key = own.privateKey) =>
      new SignJWT({
        ...claims,
        iss: `software-${own.id}`,
        aud: own.issuer('gobank'),
        iat: now,
        exp: now + 300,
        jti: randomUUID(),
        ...change,
      })
        .setProtectedHeader({ alg: 'PS256', kid: `${own.id}-1` })
        .sign(key);
    const send = async (token: string) =>
      own.sendRegistration('gobank', token, own.agent, { 'content-type': 'application/jwt' });
    const wrong = [
      sign({}, party.privateKey),
      sign({ aud: 'https://evil.example' }),
      sign({ aud: undefined }),
      sign({ iss: 'software-x' }),
      sign({ iss: '' }),
      sign({ iss: undefined }),
      sign({ exp: now - 60 }),
      sign({ exp: undefined }),
      sign({ iat: undefined }),
      sign({ iat: now - 7_200 }),
      sign({ jti: undefined }),
      sign({ jti: 'x'.repeat(300) }),
    ];
    for (const token of wrong) refused(await send(await token), 400, 'invalid_client_metadata');
    const good = await sign();
    const answers = await Promise.all([send(good), send(good), send(good)]);
    assert.equal(
      answers.filter((answer) => answer.status === 201).length,
      1,
      answers.map((answer) => answer.text).join('\n'),
    );
    refused(await send(good), 400, 'invalid_client_metadata');
  });

  test('CA-02 CA-04 N-171 one certificate belongs to one client; twenty at once make one, and the refusal names nobody', async () => {
    const own = await fresh();
    const bodies = await Promise.all(Array.from({ length: 20 }, () => own.registration('private_key_jwt')));
    const answers = await Promise.all(bodies.map((body) => own.sendRegistration('gobank', body)));
    assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
    for (const answer of answers.filter((item) => item.status !== 201)) {
      assert.equal(answer.status, 409, answer.text);
      assert.ok(!answer.text.includes(own.id), answer.text);
    }
    assert.equal((await platform.rooms.directory.listClients('gobank', own.id)).length, 1);
  });

  test('N-136 REG-7591-2 201 answers every effective value, the statement once and unchanged', async () => {
    const own = await fresh();
    const body = await own.registration('private_key_jwt');
    const answer = await own.sendRegistration('gobank', body);
    assert.equal(answer.status, 201, answer.text);
    const metadata = answer.json();
    assert.equal(metadata.software_statement, body.software_statement);
    for (const name of [
      'client_id',
      'client_id_issued_at',
      'registration_access_token',
      'registration_client_uri',
      'scope',
      'grant_types',
    ]) {
      assert.ok(metadata[name] !== undefined, name);
    }
    assert.equal(metadata.client_secret, undefined);
  });

  test('LAB-15 N-89 a suspended participant registers nothing', async () => {
    const own = await platform.thirdParty('tpp-suspended', ['AISP'], { status: 'suspended' });
    refused(
      await own.sendRegistration('gobank', await own.registration('private_key_jwt')),
      400,
      'unapproved_software_statement',
    );
  });
});

describe('registration management (RFC 7592)', () => {
  let own: ThirdParty;
  let client: Registered;
  const manage = (method: string, agent = own.agent, token = client.managementToken, body?: unknown) =>
    call(client.managementUri, {
      method,
      agent,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  before(async () => {
    own = await fresh();
    client = await own.register('gobank');
  });

  test('REG-7592-1 read with the management token and the client’s certificate', async () => {
    const answer = await manage('GET');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json().client_id, client.id);
  });

  test('N-133 N-170 wrong token, another participant’s certificate, unknown client: 401 and no detail', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = method === 'PUT' ? {} : undefined;
      assert.equal((await manage(method, own.agent, 'wrong', body)).status, 401);
      assert.equal((await manage(method, other.agent, client.managementToken, body)).status, 401);
    }
    const unknown = await call(client.managementUri.replace(client.id, 'client-unknown'), {
      agent: own.agent,
      headers: { authorization: `Bearer ${client.managementToken}` },
    });
    assert.equal(unknown.status, 401);
    assert.equal((await manage('GET')).status, 200);
  });

  test('N-134 REG-7592-2 replace: the whole record; another software id and the server’s members are refused', async () => {
    const body = { ...(await own.registration('private_key_jwt')), client_id: client.id, scope: 'openid accounts' };
    const replaced = await manage('PUT', own.agent, client.managementToken, body);
    assert.equal(replaced.status, 200, replaced.text);
    assert.equal(replaced.json().scope, 'openid accounts');
    assert.equal(
      (await platform.rooms.directory.standing('gobank', client.id))?.client.metadata.scope,
      'openid accounts',
    );
    const software = { ...body, software_statement: await own.statement({ software_id: 'software-other' }) };
    assert.equal((await manage('PUT', own.agent, client.managementToken, software)).status, 400);
    for (const name of [
      'registration_access_token',
      'registration_client_uri',
      'client_id_issued_at',
      'client_secret_expires_at',
    ]) {
      const answer = await manage('PUT', own.agent, client.managementToken, { ...body, [name]: 'x' });
      assert.equal(answer.status, 400, `${name}: ${answer.text}`);
    }
    const wrongId = await manage('PUT', own.agent, client.managementToken, { ...body, client_id: 'another' });
    assert.equal(wrongId.status, 400);
  });

  test('CA-05 CA-18 a renewed certificate: audited re-bind, the old one and its tokens are dead, refresh works with the new', async () => {
    const party = await fresh();
    const mine = await party.register('gobank');
    const { access, refresh } = await connect(platform, party, mine);
    const renewed = party.agentOf(party.issue());
    assert.equal((await party.clientToken(mine, 'payments.create', renewed)).status, 401);
    const body = { ...(await party.registration('private_key_jwt')), client_id: mine.id };
    const put = (agent: typeof renewed) =>
      call(mine.managementUri, {
        method: 'PUT',
        agent,
        headers: { authorization: `Bearer ${mine.managementToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    assert.equal((await put(other.agent)).status, 401);
    const answer = await put(renewed);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await party.clientToken(mine, 'payments.create', renewed)).status, 200);
    assert.equal((await party.clientToken(mine)).status, 401);
    assert.equal((await party.api('gobank', '/accounts', access)).status, 401);
    assert.equal((await party.api('gobank', '/accounts', access, { agent: renewed })).status, 401);
    const refreshed = await party.refresh(mine, refresh, renewed);
    assert.equal(refreshed.status, 200, refreshed.text);
    assert.equal(
      (await party.api('gobank', '/accounts', String(refreshed.json().access_token), { agent: renewed })).status,
      200,
    );
    await platform.rooms.audit.flush();
    const records = await platform.rooms.audit.search({ client: mine.id, action: 'certificate.rebound' });
    assert.ok(records.length > 0, 'the re-bind is in the trail');
  });

  test('N-135 delete: 204, tokens and relation dead, then 401', async () => {
    const { access, consent } = await connect(platform, own, client);
    assert.equal((await manage('DELETE')).status, 204);
    assert.equal((await platform.rooms.consents.find('gobank', consent))?.state, 'Revoked');
    assert.equal((await manage('DELETE')).status, 401);
    assert.equal((await manage('GET')).status, 401);
    assert.equal((await own.api('gobank', '/accounts', access)).status, 401);
    refused(await own.clientToken(client), 401, 'invalid_client');
    assert.equal((await own.sendRegistration('gobank', await own.registration('private_key_jwt'))).status, 201);
  });
});
