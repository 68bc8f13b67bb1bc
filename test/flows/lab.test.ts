import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Agent } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { runCommand } from '../../src/main/commands.ts';
import { createBrowser, formOf } from '../support/browser.ts';
import { createAuthority } from '../support/certificates.ts';
import { call, form, type Received } from '../support/http.ts';
import { agree } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { REDIRECT_URI, type ThirdParty } from '../support/third-party.ts';

let platform: TestPlatform;
let party: ThirdParty;
let secret: { id: string; secret: string };
let customerApp: { id: string; secret: string };

/** A client made as staff makes it, by the command. */
async function makeClient(options: Record<string, string>): Promise<{ id: string; secret: string }> {
  const request = { words: ['labbank'], options: { participant: 'tpp-a', ...options }, file: undefined };
  const result = await runCommand('client create', request, platform.rooms, platform.settings);
  assert.equal(result.status, 0, result.lines.join('\n'));
  const created = JSON.parse(result.lines[0] ?? '{}');
  return { id: created.client_id, secret: created.client_secret };
}

before(async () => {
  platform = await startPlatform({ clientCertificate: 'handshake' });
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  secret = await makeClient({ scopes: 'payments.create', id: 'openbanking-tpp-client' });
  customerApp = await makeClient({ scopes: 'accounts', id: 'customer-app', 'redirect-uri': REDIRECT_URI });
});

after(() => platform.close());

const plain = (path: string) => `${platform.settings.doors.plain?.origin}/labbank${path}`;
const mtls = (path: string) => `${platform.settings.doors.mtls.origin}/labbank${path}`;

function post(
  url: string,
  fields: Record<string, string | undefined>,
  agent: Agent = platform.browserAgent,
): Promise<Received> {
  return call(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form(fields),
    agent,
  });
}

const credentials = () => ({ client_id: secret.id, client_secret: secret.secret });
const token = (fields: Record<string, string | undefined> = {}) =>
  post(plain('/token'), { grant_type: 'client_credentials', scope: 'payments.create', ...credentials(), ...fields });

function api(
  base: (path: string) => string,
  path: string,
  bearer: string,
  body?: unknown,
  agent: Agent = platform.browserAgent,
): Promise<Received> {
  return call(base(path), {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    agent,
  });
}

function reasonOf(answer: Received): string {
  const { error } = answer.json();
  return typeof error === 'object' && error !== null && 'reason' in error ? String(error.reason) : String(error);
}

/** A token of a customer, through the plain code flow with PKCE. */
async function customerToken(username = 'user'): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: customerApp.id,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid accounts',
    state: randomUUID(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const browser = createBrowser(platform.browserAgent);
  const first = await browser.get(`${platform.settings.doors.issuer.origin}/labbank/authorize?${query}`);
  const page = await browser.submit(first, formOf(first, '/sign-in'), { username, password: 'p@ssword!' });
  const last = await agree(browser, page);
  const code = new URL(last.headers.location ?? '').searchParams.get('code') ?? '';
  const answer = await post(plain('/token'), {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: verifier,
    client_id: customerApp.id,
    client_secret: customerApp.secret,
  });
  assert.equal(answer.status, 200, answer.text);
  return String(answer.json().access_token);
}

describe('Lab 03: client and token', () => {
  test('LAB-07 LAB-08 the secret is shown once, has 256 bits, and only its salted hash is kept', async () => {
    assert.equal(Buffer.from(secret.secret, 'base64url').length, 32);
    const standing = await platform.rooms.directory.standing('labbank', secret.id);
    assert.ok(!JSON.stringify(standing).includes(secret.secret));
    const rows = JSON.stringify(await platform.rooms.database.query('SELECT * FROM directory.client_secrets'));
    assert.ok(rows.length > 10 && !rows.includes(secret.secret));
  });

  test('LAB-10 LAB-11 LAB-24 LAB-25 the token request of the lab', async () => {
    const answer = await token();
    assert.equal(answer.status, 200, answer.text);
    const body = answer.json();
    assert.deepEqual([body.token_type, body.expires_in, body.scope], ['Bearer', 3600, 'payments.create']);
    assert.deepEqual([body.id_token, body.refresh_token], [undefined, undefined]);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['set-cookie'], undefined);
    const claims = JSON.parse(Buffer.from(String(body.access_token).split('.')[1] ?? '', 'base64url').toString());
    assert.equal(claims.scope, 'payments.create');
    assert.equal(claims.sub, secret.id);
  });

  test('LAB-24 a wrong secret is invalid_client', async () => {
    const answer = await token({ client_secret: 'wrong' });
    assert.deepEqual([answer.status, reasonOf(answer)], [401, 'invalid_client']);
    const unknown = await token({ client_id: 'nobody' });
    assert.deepEqual([unknown.status, unknown.json()], [401, answer.json()]);
  });

  test('LAB-08 the hash, or the mark the engine sees, is no secret', async () => {
    const standing = await platform.rooms.directory.standing('labbank', secret.id);
    const [hash = ''] = standing?.client.secretHashes ?? [];
    for (const guess of [hash, createHash('sha256').update(hash).digest('base64url')]) {
      assert.equal((await token({ client_secret: guess })).status, 401);
    }
  });

  test('LAB-09 client credentials only: other grants are unauthorized_client, the browser gets an error page', async () => {
    const code = await post(plain('/token'), {
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: REDIRECT_URI,
      code_verifier: 'x'.repeat(43),
      ...credentials(),
    });
    assert.deepEqual([code.status, reasonOf(code)], [400, 'unauthorized_client']);
    const refresh = await post(plain('/token'), { grant_type: 'refresh_token', refresh_token: 'x', ...credentials() });
    assert.deepEqual([refresh.status, reasonOf(refresh)], [400, 'unauthorized_client']);
    const query = new URLSearchParams({
      client_id: secret.id,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
    });
    const page = await createBrowser(platform.browserAgent).send(
      `${platform.settings.doors.issuer.origin}/labbank/authorize?${query}`,
      'GET',
    );
    assert.deepEqual([page.status, page.headers.location], [400, undefined]);
  });

  test('LAB-10 a scope the client does not have is invalid_scope; none gives a token that opens nothing', async () => {
    const answer = await token({ scope: 'accounts' });
    assert.deepEqual([answer.status, reasonOf(answer)], [400, 'invalid_scope']);
    const bare = await token({ scope: undefined });
    assert.equal(bare.status, 200, bare.text);
    const refused = await api(plain, '/payments', String(bare.json().access_token), { token: 'x', amount: 1 });
    assert.deepEqual([refused.status, reasonOf(refused)], [403, 'insufficient_scope']);
  });
});

describe('Lab 03: testing matrix', () => {
  let customer: string;
  let tpp: string;
  let vaultToken: string;

  before(async () => {
    customer = await customerToken();
    tpp = String((await token()).json().access_token);
    const made = await api(plain, '/tokenize', customer, { account: 'u1-current' });
    assert.equal(made.status, 201, made.text);
    vaultToken = String(made.json().token);
  });

  test('LAB-37 matrix 1: customer token on /payments is forbidden', async () => {
    const answer = await api(plain, '/payments', customer, { token: vaultToken, amount: 1 });
    assert.deepEqual([answer.status, reasonOf(answer)], [403, 'insufficient_scope']);
    assert.match(String(answer.headers['www-authenticate']), /insufficient_scope.*payments\.create/);
  });

  test('LAB-38 matrix 2: customer token on /accounts is allowed', async () => {
    const answer = await api(plain, '/accounts', customer);
    assert.equal(answer.status, 200, answer.text);
  });

  test('LAB-27 LAB-39 matrix 3: TPP token on /payments is allowed, the account masked', async () => {
    const answer = await api(plain, '/payments', tpp, { token: vaultToken, amount: 200 });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json(), { token: vaultToken, account: '****1234', amount: 200, status: 'APPROVED' });
  });

  test('LAB-40 matrix 4: TPP token on /accounts is forbidden', async () => {
    const answer = await api(plain, '/accounts', tpp);
    assert.deepEqual([answer.status, reasonOf(answer)], [403, 'insufficient_scope']);
  });

  test('LAB-41 LAB-31 matrix 5: without a certificate, or with a self-made one, the handshake ends: no byte, no handler', async () => {
    const before = platform.core.calls.length;
    const rogue = createAuthority('Rogue').issue({ commonName: 'tpp-a' });
    for (const identity of [undefined, rogue]) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        assert.equal(await bytesFromHandshake(identity, version, tpp), 0);
      }
    }
    assert.equal(platform.core.calls.length, before);
    const allowed = await api(mtls, '/payments', tpp, { token: vaultToken, amount: 5 }, party.agent);
    assert.equal(allowed.status, 200, allowed.text);
    await platform.rooms.audit.flush();
    const records = await platform.rooms.audit.search({ action: 'tls.client_certificate_missing', limit: 10 });
    assert.ok(records.length >= 2, 'LAB-36 the ended handshakes are in the trail');
  });

  test('LAB-05 two independent proofs at the mTLS door: right certificate and wrong secret is invalid_client', async () => {
    const fields = { grant_type: 'client_credentials', scope: 'payments.create', ...credentials() };
    assert.equal((await post(mtls('/token'), fields, party.agent)).status, 200);
    const wrong = await post(mtls('/token'), { ...fields, client_secret: 'wrong' }, party.agent);
    assert.deepEqual([wrong.status, reasonOf(wrong)], [401, 'invalid_client']);
    await assert.rejects(post(mtls('/token'), fields, party.agentOf()));
  });

  test('LAB-04 LAB-28 invented, withdrawn and foreign vault tokens; bad amounts; too little money', async () => {
    const pay = (body: unknown) => api(plain, '/payments', tpp, body);
    const invented = await pay({ token: 'vt_invented', amount: 1 });
    assert.deepEqual([invented.status, reasonOf(invented)], [404, 'not_found']);
    for (const amount of [0, -1, 'text', null]) assert.equal((await pay({ token: vaultToken, amount })).status, 400);
    assert.equal((await pay({ token: vaultToken })).status, 400);
    const declined = await pay({ token: vaultToken, amount: 1_000_000 });
    assert.deepEqual([declined.status, declined.json().status], [200, 'DECLINED']);
    const foreign = await api(plain, '/tokenize', customer, { account: 'u2-current' });
    assert.deepEqual([foreign.status, reasonOf(foreign)], [403, 'account_not_in_consent']);
  });

  test('LAB-29 LAB-30 the account number is in no row and no record after a payment', async () => {
    await api(plain, '/payments', tpp, { token: vaultToken, amount: 3 });
    await platform.rooms.audit.flush();
    const tables = await platform.rooms.database.query(
      `SELECT table_schema || '.' || table_name AS name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    assert.ok(tables.length > 8);
    for (const { name } of tables) {
      const rows = JSON.stringify(await platform.rooms.database.query(`SELECT * FROM ${String(name)}`));
      assert.ok(!rows.includes('XX1000000000001234'), String(name));
      assert.ok(!rows.includes(vaultToken), String(name));
    }
  });

  test('LAB-06 LAB-43 one payment leaves its steps in order under one interaction id', async () => {
    const interaction = randomUUID();
    const answer = await call(plain('/payments'), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tpp}`,
        'content-type': 'application/json',
        'x-fapi-interaction-id': interaction,
      },
      body: JSON.stringify({ token: vaultToken, amount: 7 }),
      agent: platform.browserAgent,
    });
    assert.equal(answer.status, 200, answer.text);
    await platform.rooms.audit.flush();
    const actions = (await platform.rooms.audit.search({ interaction })).toReversed().map((record) => record.action);
    const order = [
      'request.received',
      'token.checked',
      'handler.started',
      'vault.lookup',
      'key.used',
      'request.forwarded',
    ];
    assert.deepEqual(actions, order);
  });

  test('LAB-42 N-278 no token, secret or assertion in the trail', async () => {
    await platform.rooms.audit.flush();
    const records = JSON.stringify(await platform.rooms.audit.search({ limit: 1_000 }));
    for (const value of [tpp, customer, vaultToken, secret.secret, customerApp.secret, 'p@ssword!'])
      assert.ok(!records.includes(value));
  });

  test('LAB-44 the trail by participant holds that participant’s records only', async () => {
    const records = await platform.rooms.audit.search({ participant: 'tpp-a', limit: 50 });
    assert.ok(records.length > 0);
    assert.ok(records.every((record) => record.participant === 'tpp-a'));
  });
});

/** Opens a connection as told, sends a request, and counts what comes back. */
function bytesFromHandshake(
  identity: { readonly chainPem: string; readonly keyPem: string } | undefined,
  version: 'TLSv1.2' | 'TLSv1.3',
  bearer: string,
): Promise<number> {
  const url = new URL(mtls('/payments'));
  return new Promise((resolve) => {
    let received = 0;
    const socket = tlsConnect({
      host: '127.0.0.1',
      port: Number(url.port),
      servername: 'localhost',
      ca: platform.authority.certificatePem,
      minVersion: version,
      maxVersion: version,
      ...(identity === undefined ? {} : { cert: identity.chainPem, key: identity.keyPem }),
    });
    socket.on('secureConnect', () => {
      socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${bearer}\r\n\r\n`);
    });
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
  });
}
