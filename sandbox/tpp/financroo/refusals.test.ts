import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { type FinancrooWorld, openFinancrooWorld } from '../../../test/support/financroo.ts';
import type { LyingBank } from '../../../test/support/lying-bank.ts';
import { temporaryDirectory } from '../../../test/support/temporary.ts';

const root = await temporaryDirectory();
let world: FinancrooWorld;
let bank: LyingBank;
let other: LyingBank;
let origin: string;

before(async () => {
  world = await openFinancrooWorld(root);
  const [first, second] = world.banks;
  assert.ok(first !== undefined && second !== undefined);
  [bank, other, origin] = [first, second, world.financroo.origin];
});
after(() => world.close());
beforeEach(() => bank.honestAgain());

const tokenRequests = () => bank.calls.filter((call) => call.startsWith('POST /token'));

test('CLD-23 the front-channel address holds client id and handle only', async () => {
  const answer = await world.begin(await world.signedIn());
  assert.equal(answer.status, 303);
  const address = new URL(String(answer.headers.location));
  assert.deepEqual([...address.searchParams.keys()].toSorted(), ['client_id', 'request_uri']);
});

const wrongs: readonly (readonly [name: string, change: Readonly<Record<string, string | undefined>>])[] = [
  ['N-113 state is missing', { state: undefined }],
  ['N-113 state is another', { state: 'something-else' }],
  ['N-115 iss is another bank', { iss: 'https://localhost:1/other' }],
  ['N-115 iss is missing', { iss: undefined }],
];
for (const [name, change] of wrongs) {
  test(`${name}: aborted before the token request`, async () => {
    const browser = await world.signedIn();
    await world.begin(browser);
    const back = await browser.get(bank.callback(change));
    assert.equal(back.status, 400);
    assert.match(back.body, /Nothing was exchanged/);
    assert.deepEqual(tokenRequests(), []);
  });
}

test('N-113 state twice: aborted before the token request', async () => {
  const browser = await world.signedIn();
  await world.begin(browser);
  const address = bank.callback();
  const back = await browser.get(`${address}&state=${new URL(address).searchParams.get('state')}`);
  assert.equal(back.status, 400);
  assert.deepEqual(tokenRequests(), []);
});

test('N-115 the answer of one bank in a flow begun with another: aborted at both', async () => {
  const browser = await world.signedIn();
  await world.begin(browser);
  await world.begin(browser, 'other');
  const mixed = bank.callback({ iss: other.issuer });
  assert.equal((await browser.get(mixed)).status, 400);
  assert.deepEqual(tokenRequests(), []);
  assert.ok(!other.calls.some((call) => call.startsWith('POST /token')));
});

test('N-116 a callback serves once', async () => {
  const browser = await world.connected();
  const before = tokenRequests().length;
  const again = await browser.get(bank.callback());
  assert.equal(again.status, 400);
  assert.equal(tokenRequests().length, before);
});

test('N-116 a callback opened in another browser, of the same user or of nobody: aborted', async () => {
  const browser = await world.signedIn();
  await world.begin(browser);
  for (const stranger of [world.browser(), await world.signedIn(), await world.signedIn('sam')]) {
    const back = await stranger.get(bank.callback());
    assert.equal(back.status, 400);
    assert.match(back.body, /Nothing was exchanged/);
  }
  assert.deepEqual(tokenRequests(), []);
});

test('N-116 a wrong answer uses the flow up: the right one afterwards brings nothing', async () => {
  const browser = await world.signedIn();
  await world.begin(browser);
  await browser.get(bank.callback({ iss: 'https://elsewhere.example' }));
  assert.equal((await browser.get(bank.callback())).status, 400);
  assert.deepEqual(tokenRequests(), []);
});

const untrue: readonly (readonly [name: string, lie: () => void])[] = [
  ['another nonce', () => Object.assign(bank.lies, { idToken: { nonce: 'other' } })],
  ['no nonce', () => Object.assign(bank.lies, { idToken: { nonce: undefined } })],
  ['another audience', () => Object.assign(bank.lies, { idToken: { aud: 'somebody' } })],
  ['another issuer', () => Object.assign(bank.lies, { idToken: { iss: 'https://elsewhere.example' } })],
  ['an end that has passed', () => Object.assign(bank.lies, { idToken: { exp: 1 } })],
  ['a signature of an unpublished key', () => Object.assign(bank.lies, { foreignKey: true })],
];
for (const [name, lie] of untrue) {
  test(`N-114 an ID token with ${name}: tokens discarded, refresh token revoked`, async () => {
    const browser = await world.signedIn('sam');
    await world.begin(browser);
    lie();
    const back = await browser.get(bank.callback());
    assert.equal(back.status, 400);
    assert.match(back.body, /Nothing was kept/);
    assert.equal(bank.revoked.length, 1);
    assert.match(bank.revoked[0] ?? '', /^refresh-/);
    assert.match((await browser.get(`${origin}/dashboard`)).body, /No bank is connected yet/);
  });
}

test('N-117 a forged or altered cookie: 401, and nothing of anybody', async () => {
  const browser = await world.connected();
  const [cookie] = browser.cookies();
  assert.ok(cookie !== undefined);
  const [id = '', mark = ''] = cookie.value.split('.');
  for (const value of [id, `${id}.`, `${id}.${'A'.repeat(mark.length)}`, `${id}x.${mark}`, 'robin', `robin.${mark}`]) {
    const forged = await world.browser().get(`${origin}/dashboard`, { cookie: `__Host-financroo=${value}` });
    assert.equal(forged.status, 401, value);
    assert.doesNotMatch(forged.body, /Account 0/);
  }
});

test('N-117 wrong user or password: one answer', async () => {
  const bodies = new Set<string>();
  for (const [user, password] of [
    ['robin', 'wrong'],
    ['nobody', 'financroo'],
    ['', ''],
  ] as const) {
    const answer = await world.browser().post(`${origin}/sign-in`, { user, password });
    assert.equal(answer.status, 401);
    bodies.add(answer.body);
  }
  assert.equal(bodies.size, 1);
});

test('N-118 the cookie is Secure, HttpOnly, SameSite, bound to the host; keys and tokens are sealed and for the owner alone', async () => {
  const signIn = await world.browser().post(`${origin}/sign-in`, { user: 'robin', password: 'financroo' });
  assert.match(String(signIn.headers['set-cookie']), /^__Host-financroo=\S+; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  await world.connected();
  const files = await readdir(world.places.financroo);
  assert.ok(files.includes('keys.json') && files.includes('connections.sealed'));
  for (const file of ['keys.json', 'connections.sealed']) {
    assert.equal((await stat(join(world.places.financroo, file))).mode & 0o777, 0o600);
  }
  const kept = await readFile(join(world.places.financroo, 'connections.sealed'), 'utf8');
  const opened = Buffer.from(kept, 'base64url').toString('latin1');
  for (const text of [kept, opened]) assert.doesNotMatch(text, /refresh|access|robin/);
});

test('no token, key or assertion of any bank reaches a page', async () => {
  const browser = await world.connected();
  const details = /\/connections\/[\w-]+/.exec((await browser.get(`${origin}/dashboard`)).body)?.[0];
  const pages = ['/dashboard', '/banks', '/settings', '/pay', `${details}`, `${details}/messages`];
  for (const path of pages) {
    const { status, body } = await browser.get(`${origin}${path}`);
    assert.equal(status, 200, path);
    assert.doesNotMatch(body, /(access|refresh)-[0-9a-f]{8}|eyJ[\w-]+\.eyJ|PRIVATE KEY|a-code|manage\b/, path);
  }
});

test('a connection of one user is as if it did not exist for another', async () => {
  const browser = await world.connected();
  const details = /\/connections\/[\w-]+/.exec((await browser.get(`${origin}/dashboard`)).body)?.[0];
  const sam = await world.signedIn('sam');
  bank.revoked.length = 0;
  for (const path of [`${details}`, `${details}/messages`])
    assert.equal((await sam.get(`${origin}${path}`)).status, 404);
  const fields = /name="form_token" value="([^"]+)"/.exec((await sam.get(`${origin}/settings`)).body)?.[1] ?? '';
  const answer = await sam.post(`${origin}${details}/disconnect`, { form_token: fields });
  assert.equal(answer.status, 404);
  assert.deepEqual(bank.revoked, []);
});

test('a form without its token, or from another site, changes nothing', async () => {
  const browser = await world.signedIn();
  assert.equal((await browser.post(`${origin}/banks/one/connect`, {})).status, 403);
  const own = /name="form_token" value="([^"]+)"/.exec((await browser.get(`${origin}/settings`)).body)?.[1] ?? '';
  for (const foreign of ['https://evil.example', 'null']) {
    const answer = await browser.post(`${origin}/banks/one/connect`, { form_token: own }, { origin: foreign });
    assert.equal(answer.status, 403);
  }
  assert.deepEqual(bank.calls, []);
});

test('another host name, another method, a huge form, an unknown page', async () => {
  const browser = world.browser();
  assert.equal((await browser.get(`${origin}/`, { host: 'localhost:1' })).status, 421);
  assert.equal((await browser.request('DELETE', `${origin}/`, {})).status, 405);
  assert.equal((await browser.post(`${origin}/sign-in`, { user: 'x'.repeat(20_000) })).status, 413);
  assert.equal((await browser.get(`${origin}/nothing`)).status, 404);
  assert.equal((await browser.get(`${origin}/dashboard`)).headers.location, '/');
});

test('CLD-27 cancel at the bank comes back as a sentence, other errors with their description, escaped', async () => {
  const browser = await world.signedIn();
  await world.begin(browser);
  const back = await browser.follow(await browser.get(bank.callback({ code: undefined, error: 'access_denied' })));
  assert.match(back.body, /You cancelled at Bank one\. Nothing was shared/);
  await world.begin(browser);
  const wrong = { code: undefined, error: 'server_error', error_description: '<b>oops</b>' };
  const page = await browser.get(bank.callback(wrong));
  assert.equal(page.status, 400);
  assert.match(page.body, /&lt;b&gt;oops&lt;\/b&gt;/);
  assert.deepEqual(tokenRequests(), []);
});
