import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type BrowserClient, createBrowserClient, fieldOf } from '../../test/support/browser-client.ts';
import { openTestDatabase } from '../../test/support/database.ts';
import { openPages, type PageWorld, pageBank } from '../../test/support/pages.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import { LOCK_SECONDS } from './lockout.ts';

const NEUTRAL = 'That did not work. Check your user name and your password, then try again.';

let database: Database;
let world: PageWorld;

before(async () => {
  database = await openTestDatabase();
  world = await openPages(database, [
    pageBank(),
    pageBank({ id: 'homebank', name: 'Home Bank' }),
    pageBank({ id: 'tightbank', name: 'Tight Bank', failedSignInsPerSource: 7 }),
    pageBank({ id: 'realbank', name: 'Real Bank', showTestUsers: undefined }),
  ]);
});
after(async () => {
  await world.close();
  await database.close();
});

async function atSignIn(
  start = world.start(),
): Promise<{ browser: BrowserClient; url: string; path: string; body: string }> {
  const browser = createBrowserClient(world.authorityPem);
  const page = await browser.follow(await browser.get(start));
  return { browser, url: page.url, path: new URL(page.url).pathname, body: page.body };
}

async function signIn(username: string, password: string, at?: Awaited<ReturnType<typeof atSignIn>>) {
  const { browser, url, path, body } = at ?? (await atSignIn());
  const csrf = fieldOf(body, `${path}/sign-in`, 'csrf');
  const answer = await browser.post(`${url}/sign-in`, { csrf, username, password });
  return { browser, answer, page: await browser.follow(answer) };
}

test('CLD-24 wrong password, unknown user, missing password, overlong name: one and the same answer', async () => {
  const tries: readonly [string, string][] = [
    ['user', 'wrong'],
    ['nobody', 'p@ssword!'],
    ['', ''],
    ['nobody2', ''],
    ['x'.repeat(300), 'p@ssword!'],
    ['user', 'P@SSWORD!'],
  ];
  const answers = new Set<string>();
  for (const [username, password] of tries) {
    const { answer, page } = await signIn(username, password);
    assert.equal(answer.status, 303);
    assert.equal(page.status, 200);
    assert.ok(page.body.includes(NEUTRAL), username);
    assert.ok(page.body.includes('<title>Problem: Sign in to Go Bank – Go Bank</title>'));
    answers.add(page.body.replaceAll(/[0-9a-f-]{36}|[\w-]{43}/g, ''));
  }
  assert.equal(answers.size, 1);
});

test('CLD-24 five failures lock, the right password does not help, and the page says until when', async () => {
  const at = await atSignIn();
  for (let count = 0; count < 4; count += 1) assert.ok((await signIn('user2', 'no', at)).page.body.includes(NEUTRAL));
  const fifth = await signIn('user2', 'no', at);
  assert.match(fifth.page.body, /too many attempts.*cannot sign in until 10:15 UTC/);
  const calls = world.signInCalls;
  const right = await signIn('user2', 'p@ssword!');
  assert.match(right.page.body, /cannot sign in until 10:15 UTC/);
  assert.match((await signIn(' USER2 ', 'p@ssword!')).page.body, /cannot sign in until 10:15 UTC/);
  assert.equal(world.signInCalls, calls, 'the bank is not asked while the name is locked');
  world.now = new Date(world.now.getTime() + LOCK_SECONDS * 1000);
  assert.match((await signIn('user2', 'p@ssword!')).page.body, /Share data with/);
});

test('CLD-24 a user the bank does not know is locked alike', async () => {
  for (let count = 0; count < 4; count += 1) await signIn('ghost', 'no');
  assert.match((await signIn('ghost', 'no')).page.body, /cannot sign in until/);
});

test('CLD-24 twenty guesses at once ask the bank five times at most', async () => {
  const at = await atSignIn();
  const calls = world.signInCalls;
  await Promise.all(Array.from({ length: 20 }, (_, index) => signIn('parallel', `guess ${index}`, at)));
  assert.equal(world.signInCalls - calls, 5);
});

test('CLD-24 events: every sign-in is on record by keyed hash, never by name or password', async () => {
  world.events.length = 0;
  await signIn('audited', 'secret-guess');
  await signIn('user', 'p@ssword!');
  for (let count = 0; count < 5; count += 1) await signIn('audited', 'secret-guess');
  const actions = world.events.map((event) => event.action);
  assert.deepEqual(actions, [
    'sign_in.failed',
    'sign_in.succeeded',
    'sign_in.failed',
    'sign_in.failed',
    'sign_in.failed',
    'sign_in.failed',
    'sign_in.locked',
    'sign_in.refused',
  ]);
  const told = JSON.stringify(world.events);
  for (const secret of ['audited', 'secret-guess', '"user"', 'p@ssword!', 'Uma'])
    assert.ok(!told.includes(secret), secret);
  for (const event of world.events) {
    assert.equal(event.bank, 'gobank');
    assert.equal(event.participant, 'financroo');
    assert.match(event.subject ?? '', /^[\w-]{43}$/);
    assert.match(event.interaction ?? '', /^[0-9a-f-]{36}$/);
  }
});

test('guessing elsewhere does not lock a customer out of a browser they signed in with before; that one has its own count', async () => {
  const start = () => atSignIn(world.start({}, 'homebank'));
  const home = await start();
  assert.match((await signIn('user', 'p@ssword!', home)).page.body, /Share data with/);
  for (let count = 0; count < 5; count += 1) await signIn('user', 'guess', await start());
  assert.match((await signIn('user', 'p@ssword!', await start())).page.body, /cannot sign in until/);
  const again = async (username: string, password: string) => {
    const page = await home.browser.follow(await home.browser.get(world.start({}, 'homebank')));
    const at = { browser: home.browser, url: page.url, path: new URL(page.url).pathname, body: page.body };
    return (await signIn(username, password, at)).page.body;
  };
  assert.match(await again('user', 'p@ssword!'), /Share data with/);
  // The mark is of this customer: it does not help to guess at another, nor in another browser's hands when it is altered.
  for (let count = 0; count < 5; count += 1) await signIn('user2', 'guess', await start());
  assert.match(await again('user2', 'p@ssword!'), /cannot sign in until/);
  const stolen = await start();
  const mark = home.browser.cookies().find(({ name }) => name === '__Secure-portcullis-known');
  assert.ok(mark !== undefined && mark.path === '/homebank');
  stolen.browser.plant({ ...mark, value: `${'A'.repeat(43)}.${mark.value.split('.')[1]}` });
  assert.match((await signIn('user', 'p@ssword!', stolen)).page.body, /cannot sign in until/);
  for (let count = 0; count < 5; count += 1) await again('user', 'guess');
  assert.match(await again('user', 'p@ssword!'), /cannot sign in until/);
});

test('failures of one address over many names: refused before the bank is asked, until the quarter of an hour is over', async () => {
  const start = () => atSignIn(world.start({}, 'tightbank'));
  for (let count = 0; count < 3; count += 1) await signIn('user', 'p@ssword!', await start());
  for (let count = 0; count < 6; count += 1)
    assert.ok((await signIn(`name ${count}`, 'guess', await start())).page.body.includes(NEUTRAL));
  // The seventh failure is the last: its own success would not have counted.
  await signIn('name 7', 'guess', await start());
  const calls = world.signInCalls;
  world.events.length = 0;
  assert.match((await signIn('user', 'p@ssword!', await start())).page.body, /cannot sign in until/);
  assert.equal(world.signInCalls, calls);
  assert.deepEqual(
    world.events.map(({ action, reason }) => [action, reason]),
    [['sign_in.refused', 'sign_in_source_locked']],
  );
  world.now = new Date(world.now.getTime() + LOCK_SECONDS * 1000);
  assert.match((await signIn('user', 'p@ssword!', await start())).page.body, /Share data with/);
});

test('a bank that does not answer: 502 page with a way on, and the attempt does not count', async () => {
  world.bankRefusal = new Refusal('upstream_unavailable', 502, 'The bank gave no usable answer.');
  for (let count = 0; count < 7; count += 1) {
    const { page } = await signIn('unlucky', 'p@ssword!');
    assert.equal(page.status, 502);
    assert.match(page.body, /Go Bank cannot look up your data at the moment/);
    assert.match(page.body, /<a href="\/gobank\/interaction\/[0-9a-f-]{36}">Try again<\/a>/);
  }
  world.bankRefusal = undefined;
  assert.ok((await signIn('unlucky', 'x')).page.body.includes(NEUTRAL));
});

test('SCR-01 the page names bank, asker and that nothing is shared yet', async () => {
  const { body } = await atSignIn();
  assert.ok(body.includes('Financroo Ltd asks to see data that Go Bank keeps for you.'));
  assert.ok(body.includes('Nothing has been shared yet.'));
  assert.ok(body.includes('Go Bank plc, 1 Sandbox Street, Testville'));
  assert.match(body, /<label for="username">.*\n<input id="username"[^>]*autocomplete="username"/);
  assert.match(
    body,
    /<label for="password">.*\n<input id="password"[^>]*type="password"[^>]*autocomplete="current-password"/,
  );
});

test('SCR-01 test users are told where the bank says so, and nowhere else', async () => {
  assert.match((await atSignIn()).body, /user name user2, password p@ssword!/);
  const real = await atSignIn(world.start({}, 'realbank'));
  assert.doesNotMatch(real.body, /p@ssword!|Sandbox: /);
});

test('SCR-01 cancel goes back to the third party with access_denied', async () => {
  const { browser, url, path, body } = await atSignIn();
  const answer = await browser.post(`${url}/cancel`, { csrf: fieldOf(body, `${path}/cancel`, 'csrf') });
  assert.equal(answer.status, 303);
  assert.equal((await browser.follow(answer)).url, `${world.tpp}/callback?error=access_denied`);
});

test('N-226 the name shown is that of the directory, whatever the request says', async () => {
  const { body } = await atSignIn();
  assert.ok(!body.includes('not the registered name'));
});

test('a participant that may not ask gets no page: suspended, pending, unknown', async () => {
  const good = world.participants.get('financroo');
  assert.ok(good !== undefined);
  for (const status of ['suspended', 'pending', 'rejected', 'removed'] as const) {
    world.participants.set('financroo', { ...good, status });
    const { body } = await atSignIn();
    assert.match(body, /may not do so at present/, status);
    assert.doesNotMatch(body, /<form/, status);
  }
  world.participants.delete('financroo');
  assert.match((await atSignIn()).body, /participant_unknown/);
  world.participants.set('financroo', good);
});

test('CLD-24 the right password leads to the consent page with 303 all the way', async () => {
  const { answer, page } = await signIn('user', 'p@ssword!');
  assert.equal(answer.status, 303);
  assert.match(page.body, /<h1>Share data with Financroo Ltd\?<\/h1>/);
});
