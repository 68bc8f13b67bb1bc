import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { mend } from '../../sandbox/consent-store/faults.ts';
import { createBrowser, formOf, type Page } from '../support/browser.ts';
import { type Authority, createAuthority, type Issued } from '../support/certificates.ts';
import { type ConsentService, startConsentService } from '../support/consent-service.ts';
import { call } from '../support/http.ts';
import { agree, connect, signIn } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const BANK = 'hyperscale';
const MAXIMUM_AGE_MS = 1_000;
const STAFF = { kind: 'staff', reference: 'test' } as const;

/** What connects the platform with the bank's own service; no participant's certificate leads here. */
const internal = createAuthority('Internal CA');
let service: ConsentService;
let platform: TestPlatform;
let party: ThirdParty;
let client: Registered;
const agents: Agent[] = [];

before(async () => {
  service = await startConsentService(internal);
  platform = await startPlatform({ clientCertificate: 'handshake', prepare });
  service.store.callBackTo({
    url: `${mtls()}/${BANK}/consent-changed`,
    certificate: service.callback.chainPem,
    key: service.callback.keyPem,
    authority: platform.authority.certificatePem,
  });
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  client = await party.register(BANK);
});

after(async () => {
  for (const agent of agents) agent.destroy();
  await platform.close();
  await service.close();
});

beforeEach(() => mend(faults()));

async function prepare(_authority: Authority, directory: string) {
  const at = (name: string) => join(directory, name);
  const files: Readonly<Record<string, string>> = {
    'store-client.pem': service.platform.chainPem,
    'store-client.key': service.platform.keyPem,
    'internal.pem': internal.certificatePem,
    'callback.pem': service.callback.certificatePem,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content, { mode: 0o600 });
  const consentStore = {
    origin: service.store.origin,
    certificate: at('store-client.pem'),
    key: at('store-client.key'),
    authorities: [at('internal.pem')],
    callbackCertificate: at('callback.pem'),
    maximumAgeSeconds: MAXIMUM_AGE_MS / 1_000,
  };
  return [
    { id: BANK, name: 'Hyperscale Bank', consentStore },
    { id: 'gobank', name: 'Go Bank' },
  ];
}

/** Until nothing that was read before is believed any more. */
const aged = () => new Promise((resolve) => setTimeout(resolve, MAXIMUM_AGE_MS));
const mtls = () => platform.settings.doors.mtls.origin;
const faults = () => service.store.faults;
const read = (access: string) => party.api(BANK, '/accounts', access);
const reasonOf = (answer: { json(): Record<string, unknown> }): unknown => {
  const { error } = answer.json();
  return typeof error === 'object' && error !== null && 'reason' in error ? error.reason : undefined;
};

/** The bank's staff revoke at the bank. */
async function revokeAtBank(id: string): Promise<void> {
  const agent = agentOf(service.bank, internal);
  const answer = await call(`${service.store.origin}/consents/${id}/status`, {
    method: 'PUT',
    agent,
    headers: { 'content-type': 'application/json', 'if-match': '*' },
    body: JSON.stringify({ state: 'Revoked', actor: { kind: 'staff', reference: 'branch-7' } }),
  });
  assert.equal(answer.status, 200, answer.text);
}

function agentOf(identity: Issued | undefined, authority: Authority): Agent {
  const own = identity === undefined ? {} : { cert: identity.chainPem, key: identity.keyPem };
  const agent = new Agent({ ca: authority.certificatePem, ...own });
  agents.push(agent);
  return agent;
}

/** Goes to the consent page in good order, then agrees while the store is as `break_` makes it. */
async function agreeWhile(break_: () => void): Promise<Page> {
  const pushed = await party.push(client);
  const { browser, page } = await signIn(platform, pushed);
  break_();
  const last = await agree(browser, page);
  mend(faults());
  return last;
}

/** An error page: no redirect to the third party, no code, nothing authorised. */
async function assertNothingCame(last: Page): Promise<void> {
  assert.ok(last.status >= 400, `${last.status} ${last.headers.location}`);
  assert.match(last.headers['content-type'] ?? '', /text\/html/);
  assert.equal(last.headers.location, undefined);
  const consents = await platform.rooms.consents.list({ bank: BANK, client: client.id });
  for (const { id } of consents) assert.notEqual(id, '');
  assert.notEqual(consents[0]?.state, 'Authorised');
}

const troubles: readonly [string, () => void][] = [
  ['slow', () => Object.assign(faults(), { delayMs: 4_000 })],
  ['down', () => Object.assign(faults(), { down: 'refuse' })],
  [
    'gone once it has agreed',
    () => Object.assign(faults(), { down: 'after', only: (method: string) => method === 'PUT' }),
  ],
  ['failing', () => Object.assign(faults(), { down: 500 })],
  [
    'lying about the id',
    () => Object.assign(faults(), { lie: (consent: object) => ({ ...consent, id: 'consent-other' }) }),
  ],
  ['giving an empty id', () => Object.assign(faults(), { lie: (consent: object) => ({ ...consent, id: '' }) })],
  [
    'giving more accounts',
    () =>
      Object.assign(faults(), {
        lie: (consent: object) => ({ ...consent, accounts: ['u1-current', 'u1-savings', 'joint', 'u2-current'] }),
      }),
  ],
  ['answering twice', () => Object.assign(faults(), { twice: 'body' })],
  ['answering HTML', () => Object.assign(faults(), { contentType: 'text/html' })],
];

for (const [name, break_] of troubles)
  test(`N-198 CLD-50 the store is ${name} while the customer agrees: an error page, no code`, async () => {
    await assertNothingCame(await agreeWhile(break_));
  });

test('N-198 the store is down when the consent comes to be: an error page, no consent', async () => {
  const pushed = await party.push(client);
  faults().down = 'refuse';
  const { page } = await signIn(platform, pushed);
  mend(faults());
  await assertNothingCame(page);
});

test('CLD-50 CLD-54 the whole way at a bank that keeps its consents itself: the id in the token is the key at the bank', async () => {
  const { access, refresh, consent } = await connect(platform, party, client, { accounts: ['u1-current', 'joint'] });
  const list = await read(access);
  assert.equal(list.status, 200, list.text);
  assert.deepEqual(list.json(), { accounts: [{ id: 'u1-current' }, { id: 'joint' }], customer: 'user' });
  assert.equal((await party.introspect(client, access)).json().consent_id, consent);
  const kept = service.store.ledger.find(consent);
  assert.deepEqual(
    [kept?.state, kept?.customer, kept?.client, kept?.accounts],
    ['Authorised', 'user', client.id, ['u1-current', 'joint']],
  );
  assert.equal((await party.refresh(client, refresh)).status, 200);
  const rows = await platform.rooms.database.query('SELECT id FROM consent.consents WHERE bank = $1', [BANK]);
  assert.deepEqual(rows, [], 'nothing of it is kept here');
});

test('N-199 N-285 the store is down on a call: 503, never data; it works again without a restart', async () => {
  const { access, refresh } = await connect(platform, party, client);
  const before = platform.core.calls.length;
  for (const down of ['refuse', 500] as const) {
    faults().down = down;
    await aged();
    const refused = await read(access);
    assert.deepEqual([refused.status, reasonOf(refused)], [503, 'consent_store_unavailable'], refused.text);
    const dead = await party.refresh(client, refresh);
    assert.ok(dead.status >= 400, 'no new token either');
  }
  assert.equal(platform.core.calls.length, before, 'nothing reached the bank');
  mend(faults());
  assert.equal((await read(access)).status, 200);
});

test('N-199 a store that shows another consent on a call is not believed', async () => {
  const one = await connect(platform, party, client);
  const other = await connect(platform, party, client);
  faults().lie = (consent) => ({ ...consent, id: other.consent });
  await aged();
  const refused = await read(one.access);
  assert.deepEqual([refused.status, reasonOf(refused)], [503, 'consent_store_unavailable']);
});

test('CLD-48 CLD-50 revoked at the bank: once the call-back has arrived, the next call is refused and the tokens are dead', async () => {
  const { access, refresh, consent } = await connect(platform, party, client);
  const other = await connect(platform, party, client);
  assert.equal((await read(access)).status, 200);
  await revokeAtBank(consent);
  await service.store.tellPlatform();
  const refused = await read(access);
  assert.ok([401, 403].includes(refused.status), `${refused.status}`);
  assert.equal(reasonOf(refused), 'token_revoked');
  assert.equal((await party.introspect(client, access)).json().active, false);
  assert.equal((await party.refresh(client, refresh)).status, 400);
  assert.equal((await read(other.access)).status, 200);
  await platform.rooms.audit.flush();
  const told = await platform.rooms.audit.search({ bank: BANK, consent, action: 'consent.changed_elsewhere' });
  assert.equal(told.length, 1);
});

test('CLD-50 revoked at the bank, and the call-back was lost: refused once the bounded age is over', async () => {
  const { access, consent } = await connect(platform, party, client);
  assert.equal((await read(access)).status, 200);
  faults().loseCallbacks = true;
  await revokeAtBank(consent);
  await service.store.tellPlatform();
  await aged();
  const refused = await read(access);
  assert.deepEqual([refused.status, reasonOf(refused)], [403, 'consent_not_authorised']);
});

test('CLD-50 a call-back that finds the platform restarting is told again', async () => {
  const { access, consent } = await connect(platform, party, client);
  await platform.restart();
  assert.equal((await read(access)).status, 200);
  await revokeAtBank(consent);
  await service.store.tellPlatform();
  assert.ok([401, 403].includes((await read(access)).status));
  assert.deepEqual(service.store.ledger.dueCallbacks(Number.MAX_SAFE_INTEGER), []);
});

test('CLD-48 revoked here: the bank has it as well', async () => {
  const { access, consent } = await connect(platform, party, client);
  assert.equal((await platform.rooms.consents.revoke(BANK, consent, STAFF)).state, 'Revoked');
  assert.equal(service.store.ledger.find(consent)?.state, 'Revoked');
  assert.equal((await read(access)).status, 403);
});

test('N-201 revoked here while the store is down: refused from that moment, and after it is back', async () => {
  const { access, consent } = await connect(platform, party, client);
  assert.equal((await read(access)).status, 200);
  faults().down = 'refuse';
  faults().only = (method) => method === 'PUT';
  const revoking = await platform.rooms.consents.revoke(BANK, consent, STAFF);
  assert.deepEqual([revoking.state, revoking.revoking], ['Revoked', true]);
  assert.equal((await read(access)).status, 403);
  assert.equal(service.store.ledger.find(consent)?.state, 'Authorised');
  mend(faults());
  assert.equal((await read(access)).status, 403);
  const confirmed = await platform.rooms.consents.revoke(BANK, consent, STAFF);
  assert.equal(confirmed.revoking, undefined);
  assert.equal(service.store.ledger.find(consent)?.state, 'Revoked');
});

test('N-201 the customer stops while the store is down: refused from that moment, tokens dead, told as being stopped', async () => {
  const { access, consent } = await connect(platform, party, client);
  const origin = platform.settings.doors.portal?.origin ?? '';
  const browser = createBrowser(platform.browserAgent);
  const entry = await browser.get(`${origin}/${BANK}/`);
  await browser.submit(entry, formOf(entry, '/sign-in'), { username: 'user', password: 'p@ssword!' });
  const ask = await browser.get(`${origin}/${BANK}/consents/${consent}/stop`);
  faults().down = 'refuse';
  for (let round = 0; round < 2; round += 1) {
    const done = await browser.submit(ask, formOf(ask, '/stop'), {});
    assert.deepEqual([done.status, /role="status"><p>From now on nobody/.test(done.text)], [202, true]);
  }
  assert.equal((await read(access)).status, 401);
  assert.deepEqual(await platform.rooms.tokens.list({ bank: BANK, consent }), []);
  mend(faults());
  assert.ok([401, 403].includes((await read(access)).status));
  assert.equal((await platform.rooms.consents.find(BANK, consent))?.state, 'Revoked');
});

test("N-235 only the bank's own store calls back: everybody else is refused, and nothing is dropped", async () => {
  const { access, consent } = await connect(platform, party, client);
  const post = (identity: Issued | undefined, bank = BANK, body = JSON.stringify({ id: consent }), method = 'POST') =>
    call(`${mtls()}/${bank}/consent-changed`, {
      method,
      agent: agentOf(identity, platform.authority),
      headers: { 'content-type': 'application/json' },
      body,
    });
  await assert.rejects(post(undefined), 'without certificate the handshake ends');
  await assert.rejects(post(createAuthority('Unknown CA').issue()), 'so it does with one that nobody trusts');
  await platform.rooms.audit.flush();
  const [told] = await platform.rooms.audit.search({ action: 'certificate.refused' });
  assert.deepEqual([told?.reason, told?.facts?.certificateCheck], ['certificate_untrusted', 'path']);
  assert.match(String(told?.facts?.expected), /ends at an anchor of this bank/);
  const tpp = platform.authority.issue({ commonName: 'tpp-a' });
  assert.equal((await post(tpp)).status, 401, "a participant's certificate");
  const staff = await post(service.bank);
  assert.deepEqual([staff.status, reasonOf(staff)], [403, 'caller_not_allowed'], "another certificate of the bank's");
  assert.equal((await post(service.callback, 'unknown')).status, 404);
  assert.equal((await post(service.callback, 'gobank')).status, 404, 'a bank without a store of its own');
  assert.equal((await post(service.callback, BANK, undefined, 'PUT')).status, 405);
  for (const body of ['', '{}', '{"id":""}', '{"id":7}', '[]', 'x', `{"id":"${'x'.repeat(300)}"}`])
    assert.equal((await post(service.callback, BANK, body)).status, 400, body);
  assert.equal((await post(service.callback, BANK, 'x'.repeat(5_000))).status, 413);
  assert.equal((await read(access)).status, 200, 'a change that is none changes nothing');
  assert.equal((await post(service.callback)).status, 204);
  assert.equal((await read(access)).status, 200);
  faults().down = 'refuse';
  assert.equal((await post(service.callback)).status, 503, 'told again later');
});
