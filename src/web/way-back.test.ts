import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type BrowserClient, createBrowserClient, fieldOf } from '../../test/support/browser-client.ts';
import { openTestDatabase } from '../../test/support/database.ts';
import { openPages, type PageWorld, pageBank, participantOf } from '../../test/support/pages.ts';
import type { Interaction } from '../authorization/index.ts';
import type { Database } from '../platform/database.ts';

const OPENED = new Date('2026-05-01T10:00:00Z');
const COOKIE = '__Secure-portcullis-return';

let database: Database;
let world: PageWorld;

before(async () => {
  database = await openTestDatabase();
  world = await openPages(database, [pageBank(), pageBank({ id: 'other' })]);
});
after(async () => {
  await world.close();
  await database.close();
});
beforeEach(() => {
  world.now = OPENED;
  world.participants.set('financroo', participantOf({}));
});

interface Opened {
  readonly browser: BrowserClient;
  readonly url: string;
  readonly path: string;
  readonly csrf: string;
}

async function atSignIn(changes: Partial<Interaction> = {}, bank = 'gobank'): Promise<Opened> {
  const browser = createBrowserClient(world.authorityPem);
  const { url, body } = await browser.follow(await browser.get(world.start(changes, bank)));
  const path = new URL(url).pathname;
  return { browser, url, path, csrf: fieldOf(body, `${path}/sign-in`, 'csrf') };
}

async function atConsent(): Promise<Opened> {
  const { browser, url, csrf } = await atSignIn();
  const form = { csrf, username: 'user', password: 'p@ssword!' };
  const page = await browser.follow(await browser.post(`${url}/sign-in`, form));
  const path = new URL(page.url).pathname;
  return { browser, url: page.url, path, csrf: fieldOf(page.body, `${path}/consent`, 'csrf') };
}

/** The engine forgets the request, and the store has let its consent run out. */
function runOut(seconds: number): void {
  world.forget();
  world.now = new Date(OPENED.getTime() + seconds * 1_000);
  for (const [id, consent] of world.consents) {
    if (consent.state !== 'Awaiting' || consent.expiresAt > world.now) continue;
    world.consents.set(id, { ...consent, state: 'Rejected', changedAt: consent.expiresAt });
  }
}

const noted = ({ browser, path }: Opened) =>
  browser.cookies().find((cookie) => cookie.name === COOKIE && cookie.path === path)?.value ?? '';

/** What a browser that holds nothing but this note is shown there: no way back, and nothing of the third party. */
async function isTurnedAway(url: string, value: string): Promise<void> {
  const browser = createBrowserClient(world.authorityPem);
  browser.plant({ host: 'localhost', path: new URL(url).pathname, name: COOKIE, value });
  const { status, body } = await browser.get(url);
  assert.equal(status, 400);
  assert.match(body, /Go back to the app or site you came from/);
  assert.doesNotMatch(body, /access_denied|127\.0\.0\.1|evil\.example|Financroo/);
}

test('N-109 a forged or damaged note leads nowhere', async () => {
  const opened = await atSignIn();
  const value = noted(opened);
  const [content = '', signature = ''] = value.split('.');
  const elsewhere = JSON.stringify(['https://evil.example/?error=access_denied', 'financroo', OPENED.getTime()]);
  const forged = Buffer.from(elsewhere).toString('base64url');
  runOut(601);
  const values = [
    '',
    '.',
    content,
    `${content}.`,
    `${forged}.${signature}`,
    `${forged}.`,
    `${value}x`,
    'x'.repeat(5_000),
  ];
  for (const wrong of values) await isTurnedAway(opened.url, wrong);
});

test('N-109 the note of another request, or of another bank, leads nowhere', async () => {
  const [one, two, elsewhere] = [await atSignIn(), await atSignIn(), await atSignIn({}, 'other')];
  runOut(601);
  await isTurnedAway(one.url, noted(two));
  await isTurnedAway(one.url, noted(elsewhere));
  await isTurnedAway(elsewhere.url, noted(one));
  await isTurnedAway(one.url, '');
});

test('N-109 before the end of the request and an hour after it nobody is sent back', async () => {
  const opened = await atSignIn();
  const value = noted(opened);
  for (const seconds of [0, 599, 600 + 3_600, 90_000]) {
    runOut(seconds);
    await isTurnedAway(opened.url, value);
  }
});

test('N-109 a third party that was suspended, or is gone, gets nobody back', async () => {
  const opened = await atSignIn();
  runOut(601);
  world.participants.set('financroo', participantOf({ status: 'suspended' }));
  await isTurnedAway(opened.url, noted(opened));
  world.participants.delete('financroo');
  await isTurnedAway(opened.url, noted(opened));
});

test('N-109 an answer that is wanted in another way than the query, or too long to remember, leaves no note', async () => {
  const long = `https://127.0.0.1/callback?state=${'x'.repeat(3_500)}`;
  for (const unanswered of [undefined, long]) assert.equal(noted(await atSignIn({ unanswered })), '');
});

test('N-109 a request that was answered is never answered again: the note is gone, and a copy of it says what was decided', async () => {
  for (const [action, words] of [
    ['consent', 'You agreed to share data'],
    ['cancel', 'You declined'],
  ] as const) {
    const opened = await atConsent();
    const copy = noted(opened);
    assert.notEqual(copy, '');
    await opened.browser.follow(
      await opened.browser.post(`${opened.url}/${action}`, { csrf: opened.csrf, account: '22289' }),
    );
    assert.equal(noted(opened), '');
    runOut(601);
    opened.browser.plant({ host: 'localhost', path: opened.path, name: COOKIE, value: copy });
    const { body } = await opened.browser.get(opened.url);
    assert.ok(body.includes(words), action);
    assert.doesNotMatch(body, /access_denied/);
  }
});

test('N-109 signing in ends the note of the sign-in page: the request goes on under another address', async () => {
  const opened = await atSignIn();
  assert.notEqual(noted(opened), '');
  const form = { csrf: opened.csrf, username: 'user', password: 'p@ssword!' };
  await opened.browser.follow(await opened.browser.post(`${opened.url}/sign-in`, form));
  assert.equal(noted(opened), '');
});

test('N-109 a login that expired on either page: said so, on record, with the way back as access_denied', async () => {
  for (const open of [() => atSignIn(), atConsent]) {
    world.now = OPENED;
    const opened = await open();
    runOut(601);
    world.events.length = 0;
    for (const answer of [
      await opened.browser.get(opened.url),
      await opened.browser.follow(await opened.browser.post(`${opened.url}/cancel`, { csrf: opened.csrf })),
    ]) {
      assert.equal(answer.status, 400);
      assert.match(answer.body, /The time for this request is over/);
      assert.match(answer.body, /Nothing was shared with Financroo Ltd\./);
      const [link = ''] = /<a role="button" href="[^"]*">Return to Financroo Ltd<\/a>/.exec(answer.body) ?? [];
      assert.ok(link.includes(`href="${world.tpp}/callback?error=access_denied&amp;state=s-`), link);
      assert.doesNotMatch(answer.body, /You declined/);
    }
    assert.deepEqual(
      world.events.map(({ action, reason }) => [action, reason]),
      [
        ['page.refused', 'interaction_expired'],
        ['page.refused', 'interaction_expired'],
      ],
    );
  }
});
