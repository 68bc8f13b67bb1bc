import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, beforeEach, test } from 'node:test';
import { type BrowserClient, fieldOf } from '../../../test/support/browser-client.ts';
import { type FinancrooWorld, openFinancrooWorld, press } from '../../../test/support/financroo.ts';
import type { LyingBank } from '../../../test/support/lying-bank.ts';
import { temporaryDirectory } from '../../../test/support/temporary.ts';
import { clientFile } from '../registrations.ts';

const root = await temporaryDirectory();
let world: FinancrooWorld;
let bank: LyingBank;
/** Where somebody registered Financroo by hand. */
let fixed: LyingBank;
let origin: string;

before(async () => {
  world = await openFinancrooWorld(root, { enableDcr: false, clientId: 'fixed-client' });
  const [first, second] = world.banks;
  assert.ok(first !== undefined && second !== undefined);
  [bank, fixed, origin] = [first, second, world.financroo.origin];
});
after(() => world.close());
beforeEach(() => {
  bank.calls.length = 0;
  bank.revoked.length = 0;
  Object.assign(bank.lies, { answers: {}, down: false });
});

async function connect(browser: BrowserClient): Promise<void> {
  await press(browser, `${origin}/banks/one`, '/banks/one/connect');
  const back = await browser.get(bank.callback());
  assert.equal(back.headers.location, '/dashboard', back.body);
}

/** The page, once it says so: what is under way ends by itself. */
async function eventually(browser: BrowserClient, path: string, says: RegExp): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const { body } = await browser.get(`${origin}${path}`);
    if (says.test(body)) return body;
    assert.ok(attempt < 60, `${path} never says ${says}: ${body}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const kept = () => clientFile(world.places, 'financroo', 'one');
const registrations = () => bank.calls.filter((call) => call === 'POST /register').length;

test('CLD-16 CLD-17 registered once at the first start; a second start uses the stored client', async () => {
  assert.match(world.said.join('\n'), /registered at Bank one, as client-/);
  const { client } = bank.lies;
  await world.restart();
  assert.equal(registrations(), 0);
  const page = (await (await world.signedIn()).get(`${origin}/banks`)).body;
  assert.ok(client !== undefined && page.includes(client));
});

test('CLD-17 the bank has forgotten the client at the next start: registers again and says so', async () => {
  bank.lies.client = undefined;
  await world.restart();
  assert.equal(registrations(), 1);
  assert.match(world.said.at(-1) ?? '', /was not known any more and registered again at Bank one/);
});

test('CLD-17 the bank forgets the client while Financroo runs: registers again on the way, and says so', async () => {
  const browser = await world.signedIn();
  bank.lies.client = undefined;
  await connect(browser);
  assert.equal(registrations(), 1);
  const { body } = await browser.get(`${origin}/dashboard`);
  assert.match(body, /Bank one did not know Financroo any more; it registered again/);
});

const damages: readonly (readonly [name: string, damage: () => Promise<void>, said: RegExp])[] = [
  ['lost', () => rm(kept()), /: registered at Bank one/],
  ['cut off', () => writeFile(kept(), '{"client_id": "cli'), /could not read what it had kept of its client/],
  ['no registration', () => writeFile(kept(), '["client"]'), /could not read what it had kept of its client/],
];
for (const [name, damage, said] of damages) {
  test(`CLD-17 the kept client is ${name}: registers again at the next start and says so`, async () => {
    await damage();
    await world.restart();
    assert.equal(registrations(), 1);
    assert.match(world.said.at(-1) ?? '', said);
    await connect(await world.signedIn());
    await world.restart();
    assert.equal(registrations(), 1);
  });
}

test('ASK-03 registered with another address than this sandbox has now: given back, registered again, said so', async () => {
  const told = JSON.parse(await readFile(kept(), 'utf8'));
  await writeFile(kept(), JSON.stringify({ ...told, redirect_uris: ['https://localhost:1/callback'] }));
  await world.restart();
  assert.ok(bank.calls.some((call) => call.startsWith('DELETE /register/')));
  assert.equal(registrations(), 1);
  assert.match(world.said.at(-1) ?? '', /has another address now and registered again at Bank one/);
  assert.notEqual(bank.lies.client, told.client_id);
});

test('SCR-28 register again: the old client is given back, its connections end and can be made anew', async () => {
  const browser = await world.signedIn();
  await connect(browser);
  const before = bank.lies.client ?? '';
  const answer = await browser.follow(await press(browser, `${origin}/settings`, '/banks/one/register'));
  assert.match(answer.body, /Financroo registered again at Bank one\./);
  assert.ok(!answer.body.includes(before) && answer.body.includes(bank.lies.client ?? '?'));
  assert.match((await browser.get(`${origin}/dashboard`)).body, /withdrawn<\/span>[\s\S]*Reconnect/);
  await connect(browser);
});

test('SCR-28 register again at a bank that keeps the client: said so, the client stays', async () => {
  const browser = await world.signedIn();
  const before = bank.lies.client;
  bank.lies.answers[`/register/${before}`] = { status: 500, body: {} };
  const answer = await press(browser, `${origin}/settings`, '/banks/one/register');
  assert.equal(answer.status, 502);
  assert.match(answer.body, /did not delete the client: it answered 500/);
  assert.equal(bank.lies.client, before);
});

test('CLD-18 a fixed client: never registered, used as it is, and nothing to register again', async () => {
  fixed.lies.client = 'fixed-client';
  const browser = await world.signedIn();
  assert.match((await browser.get(`${origin}/settings`)).body, /fixed-client[\s\S]*fixed client/);
  await press(browser, `${origin}/banks/other`, '/banks/other/connect');
  assert.equal((await browser.get(fixed.callback())).headers.location, '/dashboard');
  const token = fieldOf((await browser.get(`${origin}/settings`)).body, '/settings/delete', 'form_token');
  assert.equal((await browser.post(`${origin}/banks/other/register`, { form_token: token })).status, 404);
  await browser.post(`${origin}/settings/delete`, { form_token: token });
  fixed.lies.client = undefined;
  const refused = await press(browser, `${origin}/banks/other`, '/banks/other/connect');
  assert.equal(refused.status, 502);
  assert.match(refused.body, /Bank other refused: invalid_client/);
  assert.ok(!fixed.calls.some((call) => call.includes('/register')));
});

test('CLD-17 a bank that is down at start is not ready, cannot be connected, and is tried again', async () => {
  bank.lies.down = true;
  await world.restart();
  const browser = await world.signedIn();
  const { body } = await browser.get(`${origin}/banks`);
  assert.match(body, /not ready<\/span> Bank one cannot be reached at the moment\. Next try:/);
  const refused = await press(browser, `${origin}/banks/one`, '/banks/one/connect');
  assert.equal(refused.status, 502);
  bank.lies.down = false;
  await eventually(browser, '/banks', /^(?![\s\S]*not ready)/);
});

test('CLD-15 a bank whose endpoints lie elsewhere than the list says is not ready', async () => {
  const { body } = await (await world.signedIn()).get(`${origin}/banks`);
  assert.doesNotMatch(body, /not ready/);
  const path = '/.well-known/openid-configuration';
  const elsewhere = `${bank.issuer.replace('/bank', '')}/elsewhere`;
  const metadata = {
    issuer: bank.issuer,
    authorization_endpoint: `${bank.issuer}/authorize`,
    token_endpoint: `${elsewhere}/token`,
    pushed_authorization_request_endpoint: `${elsewhere}/par`,
    introspection_endpoint: `${elsewhere}/introspect`,
  };
  bank.lies.answers[path] = { status: 200, body: { ...metadata, mtls_endpoint_aliases: metadata } };
  await world.restart();
  const page = (await (await world.signedIn()).get(`${origin}/banks`)).body;
  assert.match(page, /not ready<\/span> Bank one names no token_endpoint at/);
  bank.lies.answers = {};
  await world.restart();
});

test('N-121 CLD-30 accounts of a bank nobody named, with random ids, appear exactly', async () => {
  const browser = await world.signedIn();
  await connect(browser);
  const body = await eventually(browser, '/dashboard', /Account 1/);
  for (const id of bank.accounts) assert.ok(body.includes(id));
  assert.equal(body.match(/<th scope="row">Account \d/g)?.length, bank.accounts.length);
  assert.match(body, /€200\.00/);
});

test('CLD-48 a permission that ended at the bank is noticed at the next look, with reconnect', async () => {
  const browser = await world.signedIn();
  await connect(browser);
  await eventually(browser, '/dashboard', /Account 1/);
  bank.lies.answers['/accounts'] = { status: 401, body: { error: { reason: 'token_revoked', message: 'no' } } };
  bank.lies.answers['/token'] = { status: 400, body: { error: 'invalid_grant' } };
  const body = await eventually(browser, '/dashboard', /withdrawn/);
  assert.match(body, /<a href="\/banks\/one">Reconnect<\/a>/);
  assert.doesNotMatch(body, /Account 1/);
  bank.lies.answers = {};
  await connect(browser);
  assert.match(await eventually(browser, '/dashboard', /Account 1/), /connected/);
});

test('SCR-26 a permission whose time is over is shown as expired, not as withdrawn, with reconnect', async () => {
  const browser = await world.signedIn();
  const exp = Math.floor(Date.now() / 1_000);
  bank.lies.answers['/introspect'] = { status: 200, body: { active: true, consent_id: 'consent-1', exp } };
  await connect(browser);
  bank.lies.answers['/accounts'] = { status: 401, body: { error: { reason: 'consent_expired', message: 'no' } } };
  bank.lies.answers['/token'] = { status: 400, body: { error: 'invalid_grant' } };
  const body = await eventually(browser, '/dashboard', /expired<\/span> the permission has run out/);
  assert.match(body, /<a href="\/banks\/one">Reconnect<\/a>/);
  assert.doesNotMatch(body, /Account 1|withdrawn/);
  bank.lies.answers = {};
  await connect(browser);
  assert.doesNotMatch(await eventually(browser, '/dashboard', /Account 1/), /expired/);
});

test('SCR-26 while a bank is slow the dashboard tells how far it is, looks again by itself, and then shows the accounts', async () => {
  const browser = await world.signedIn();
  let go = () => {};
  bank.lies.hold = new Promise((resolve) => {
    go = resolve;
  });
  await connect(browser);
  const waiting = await browser.get(`${origin}/dashboard`);
  assert.equal(waiting.headers.refresh, '1');
  assert.match(waiting.body, /role="status"><label>Fetching accounts: 0 of 2[\s\S]*<progress value="0" max="2">/);
  go();
  const body = await eventually(browser, '/dashboard', /Account 1/);
  assert.doesNotMatch(body, /Fetching accounts/);
});

test('a bank that is down shows what was there before, and says so', async () => {
  const browser = await world.signedIn();
  await connect(browser);
  await eventually(browser, '/dashboard', /Account 1/);
  bank.lies.down = true;
  const body = await eventually(browser, '/dashboard', /bank down/);
  assert.match(body, /Bank one cannot be reached at the moment\. What is shown is of/);
  assert.match(body, /Account 1/);
});

test('N-119 disconnect revokes the refresh token at the bank, asks whether it is dead, and says so', async () => {
  const browser = await world.signedIn();
  await connect(browser);
  bank.calls.length = 0;
  const path = /\/connections\/[\w-]+/.exec((await browser.get(`${origin}/dashboard`)).body)?.[0] ?? '';
  const answer = await browser.follow(await press(browser, `${origin}${path}`, `${path}/disconnect`));
  assert.match(answer.body, /Bank one is disconnected: the bank confirmed/);
  assert.match(bank.revoked.at(-1) ?? '', /^refresh-/);
  assert.deepEqual(bank.calls.slice(-2), ['POST /revoke', 'POST /introspect']);
  assert.match(answer.body, /No bank is connected yet/);
});

test('N-119 disconnect while the bank is down: said so, kept for retry, confirmed later', async () => {
  const browser = await world.signedIn();
  await connect(browser);
  const path = /\/connections\/[\w-]+/.exec((await browser.get(`${origin}/dashboard`)).body)?.[0] ?? '';
  bank.lies.down = true;
  const pending = await browser.follow(await press(browser, `${origin}${path}`, `${path}/disconnect`));
  assert.match(pending.body, /has not confirmed yet[\s\S]*cannot be reached[\s\S]*Next try/);
  assert.doesNotMatch((await browser.get(`${origin}/dashboard`)).body, /Account 1/);
  bank.lies.down = false;
  await world.restart();
  const again = await world.signedIn();
  await eventually(again, '/dashboard', /No bank is connected yet/);
  assert.match(bank.revoked.at(-1) ?? '', /^refresh-/);
});

test('N-119 a bank that says yes and keeps the token alive is not believed', async () => {
  const browser = await world.signedIn();
  await connect(browser);
  const path = /\/connections\/[\w-]+/.exec((await browser.get(`${origin}/dashboard`)).body)?.[0] ?? '';
  bank.lies.answers['/revoke'] = { status: 200, body: undefined };
  const pending = await browser.follow(await press(browser, `${origin}${path}`, `${path}/disconnect`));
  assert.match(pending.body, /still says that the token is alive/);
  bank.lies.answers = {};
  const done = await browser.follow(await press(browser, `${origin}${path}`, `${path}/disconnect`));
  assert.match(done.body, /disconnected: the bank confirmed/);
});

/** Prepares a payment and gives its page's path. */
async function draft(browser: BrowserClient, amount: string): Promise<string> {
  const { body } = await browser.get(`${origin}/pay`);
  const account = /<option value="([^"]+)"/.exec(body)?.[1] ?? '';
  const answer = await press(browser, `${origin}/pay`, '/pay', { account, amount });
  return String(answer.headers.location);
}

const endings = [
  ['approved', { status: 200, body: { status: 'APPROVED', account: '****1234' } }, /Bank one approved the payment/],
  ['declined', { status: 200, body: { status: 'DECLINED', reason: 'insufficient funds' } }, /said no: insufficient/],
  ['refused', { status: 403, body: { error: { reason: 'role_missing', message: 'No.' } } }, /nothing was paid\. No\./],
  ['left open', { status: 502, body: {} }, /no answer came back that tells how it ended/],
] as const;
for (const [name, answer, says] of endings) {
  test(`SCR-27 a payment that is ${name} is told as that, and made once`, async () => {
    const browser = await world.signedIn();
    await connect(browser);
    await eventually(browser, '/dashboard', /Account 1/);
    const path = await draft(browser, '12,50');
    assert.equal(bank.calls.filter((call) => call === 'POST /payments').length, 0);
    bank.lies.answers['/payments'] = answer;
    const result = await browser.follow(await press(browser, `${origin}${path}`, path));
    assert.match(result.body, says);
    const token = /name="form_token" value="([^"]+)"/.exec(result.body)?.[1] ?? '';
    await browser.post(`${origin}${path}`, { form_token: token });
    assert.equal(bank.calls.filter((call) => call === 'POST /payments').length, 1);
  });
}

test('SCR-27 amounts that are none are refused before anything is asked', async () => {
  const browser = await world.signedIn();
  await connect(browser);
  await eventually(browser, '/dashboard', /Account 1/);
  const { body } = await browser.get(`${origin}/pay`);
  const account = /<option value="([^"]+)"/.exec(body)?.[1] ?? '';
  for (const amount of ['', '0', '-1', '1.234', '1e3', 'ten', '0.00', '99999999999']) {
    const answer = await press(browser, `${origin}/pay`, '/pay', { account, amount });
    assert.equal(answer.status, 400, amount);
  }
  assert.equal((await press(browser, `${origin}/pay`, '/pay', { account: 'other', amount: '1' })).status, 400);
  assert.equal(bank.calls.filter((call) => call === 'POST /tokenize').length, 0);
});
