import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type BrowserClient, createBrowserClient, fieldOf } from '../../test/support/browser-client.ts';
import { openTestDatabase } from '../../test/support/database.ts';
import { openPages, type PageWorld, pageBank } from '../../test/support/pages.ts';
import type { Database } from '../platform/database.ts';
import { createPages } from './index.ts';

let database: Database;
let world: PageWorld;

before(async () => {
  database = await openTestDatabase();
  world = await openPages(database, [
    pageBank(),
    pageBank({ id: 'eigen', texts: { de: { 'signIn.title': 'Willkommen bei {bank}' } }, timeZone: 'Europe/Berlin' }),
  ]);
});
after(async () => {
  await world.close();
  await database.close();
});

async function open(
  start = world.start(),
  headers: Readonly<Record<string, string>> = {},
): Promise<{ browser: BrowserClient; url: string; path: string; body: string; csrf: string }> {
  const browser = createBrowserClient(world.authorityPem);
  const { url } = await browser.follow(await browser.get(start));
  const { body } = await browser.get(url, headers);
  const path = new URL(url).pathname;
  return { browser, url, path, body, csrf: fieldOf(body, `${path}/sign-in`, 'csrf') };
}

const credentials = { username: 'user', password: 'p@ssword!' };

test('N-215 no token, an empty, a foreign, a repeated one, or one of another request: 403, nothing changed', async () => {
  const mine = await open();
  const others = await open();
  const before = world.signInCalls;
  const forms: readonly (readonly [string, string][])[] = [
    [],
    [['csrf', '']],
    [['csrf', 'A'.repeat(43)]],
    [['csrf', others.csrf]],
    [['csrf', `${mine.csrf}A`]],
  ];
  for (const form of forms) {
    for (const action of ['sign-in', 'consent', 'cancel']) {
      const fields = new URLSearchParams([...form, ...Object.entries(credentials)]);
      const answer = await mine.browser.post(`${mine.url}/${action}`, fields);
      assert.equal(answer.status, 403, action);
      assert.match(answer.body, /csrf_invalid/);
    }
  }
  assert.ok(world.events.every(({ reason }) => reason === 'csrf_invalid'));
  const twice = new URLSearchParams([['csrf', mine.csrf], ['csrf', mine.csrf], ...Object.entries(credentials)]);
  assert.equal((await mine.browser.post(`${mine.url}/sign-in`, twice)).status, 400);
  assert.equal(world.signInCalls, before);
  assert.deepEqual(world.decisions, []);
  assert.equal(world.events.at(-1)?.reason, 'field_repeated');
});

test('N-215 the token without its cookie, or with a cookie of another browser: 403', async () => {
  const mine = await open();
  for (const value of ['', 'x', 'B'.repeat(43)]) {
    const cookie = [
      ...mine.browser.cookies().filter(({ name }) => !name.includes('form')),
      { name: '__Secure-portcullis-form', value },
    ];
    const header = cookie.map(({ name, value }) => `${name}=${value}`).join('; ');
    const answer = await mine.browser.post(
      `${mine.url}/sign-in`,
      { csrf: mine.csrf, ...credentials },
      { cookie: header },
    );
    assert.equal(answer.status, 403);
  }
});

test('N-215 a form from another site is refused even with the right token', async () => {
  const mine = await open();
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { origin: 'https://evil.example' },
    { origin: `${world.origin}.evil.example` },
    { origin: world.tpp },
    { origin: 'null', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
  ];
  for (const headers of foreign) {
    const answer = await mine.browser.post(`${mine.url}/sign-in`, { csrf: mine.csrf, ...credentials }, headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
  }
  const header = mine.browser.cookies().map(({ name, value }) => `${name}=${value}`);
  const form = new URLSearchParams({ csrf: mine.csrf, ...credentials }).toString();
  const type = { 'content-type': 'application/x-www-form-urlencoded', cookie: header.join('; ') };
  const sandboxed = await mine.browser.request('POST', `${mine.url}/sign-in`, { ...type, origin: 'null' }, form);
  assert.equal(sandboxed.status, 403);
});

test('N-217 a form cookie planted before the sign-in is worth nothing after it', async () => {
  const mine = await open();
  const planted = mine.browser.cookies().find(({ name }) => name === '__Secure-portcullis-form');
  assert.ok(planted !== undefined);
  const consent = await mine.browser.follow(
    await mine.browser.post(`${mine.url}/sign-in`, { csrf: mine.csrf, ...credentials }),
  );
  assert.ok(!mine.browser.cookies().some(({ path, name }) => path === planted.path && name === planted.name));
  const path = new URL(consent.url).pathname;
  const token = fieldOf(consent.body, `${path}/consent`, 'csrf');
  assert.notEqual(token, mine.csrf);
  const own = mine.browser.cookies().filter((cookie) => cookie.path === path && cookie.name !== planted.name);
  const header = [...own, planted].map(({ name, value }) => `${name}=${value}`).join('; ');
  for (const csrf of [mine.csrf, token]) {
    const form = { csrf, account: '22289' };
    const answer = await mine.browser.post(`${consent.url}/consent`, form, { cookie: header });
    assert.equal(answer.status, 403);
  }
});

test('N-218 no page can be framed, scripted, or kept, and forms lead home or to the third party alone', async () => {
  const { browser, url } = await open();
  const { headers } = await browser.get(url);
  const policy = String(headers['content-security-policy']);
  assert.deepEqual(policy.split('; '), [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    `form-action 'self' ${world.tpp}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]);
  assert.equal(headers['x-frame-options'], 'DENY');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'same-origin');
});

test('N-218 an address of the third party adds nothing to the policy but itself', async () => {
  for (const [redirectUri, target] of [
    ['com.example.app:/callback', 'com.example.app:'],
    ["https://x;script-src'unsafe-inline'.example/callback", ''],
    ['https://[2001:db8::1]:9443/callback', 'https://[2001:db8::1]:9443'],
  ] as const) {
    const { browser, url } = await open(world.start({ redirectUri }));
    const policy = String((await browser.get(url)).headers['content-security-policy']);
    assert.equal(policy.split('; ')[3], `form-action 'self' ${target}`.trim());
    assert.doesNotMatch(policy, /unsafe/);
  }
});

test('no page needs a script, a style of its own, or anything from elsewhere', async () => {
  const { body } = await open();
  assert.doesNotMatch(body, /<script|<style|style="| on\w+="|javascript:/i);
  const addresses = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(addresses.length > 3);
  for (const address of addresses) assert.match(address, /^(\/gobank\/assets\/|\?lang=|#content$)/);
});

test('every cookie is Secure, HttpOnly, SameSite=Lax, bound to the path of the bank’s interactions', async () => {
  const browser = createBrowserClient(world.authorityPem);
  const { url } = await browser.follow(await browser.get(world.start()));
  const fresh = createBrowserClient(world.authorityPem);
  for (const cookie of browser.cookies().filter(({ name }) => name.includes('test'))) fresh.plant(cookie);
  const lines = [await fresh.get(url), await fresh.get(`${url}?lang=de`)].flatMap(
    ({ headers }) => headers['set-cookie'] ?? [],
  );
  assert.equal(lines.length, 3);
  for (const line of lines)
    assert.match(
      line,
      /^__Secure-[\w-]+=\S+; Path=\/gobank\/interaction(\/[\w-]+)?(; Max-Age=\d+)?; Secure; HttpOnly; SameSite=Lax$/,
    );
});

test('N-223 every answer to a form is a 303 that is not kept', async () => {
  const { browser, url, csrf } = await open();
  const answer = await browser.post(`${url}/sign-in`, { csrf, username: 'n223', password: 'x' });
  assert.equal(answer.status, 303);
  assert.equal(answer.headers['cache-control'], 'no-store');
});

test('unknown path 404, wrong method 405 with Allow, address of a form by GET leads to its page', async () => {
  const { browser, url, path } = await open();
  const unknown = ['/gobank/', '/gobank/interaction/', `${path}/x`, '/gobank/assets/x.css', '/gobank/assets/..%2f'];
  for (const address of unknown) {
    const answer = await browser.get(`${world.origin}${address}`);
    assert.equal(answer.status, 404, address);
    assert.match(answer.body, /There is no page at this address/);
  }
  for (const [method, address, allow] of [
    ['POST', url, 'GET, HEAD'],
    ['DELETE', `${url}/consent`, 'GET, HEAD, POST'],
    ['PUT', url, 'GET, HEAD'],
  ] as const) {
    const answer = await browser.request(method, address, {});
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, allow);
  }
  assert.equal((await browser.follow(await browser.get(`${url}/sign-in`))).url, url);
});

test('a body of another type or too large is refused with a page', async () => {
  const { browser, url, csrf } = await open();
  const bodies: readonly [number, Readonly<Record<string, string>>, string][] = [
    [415, { 'content-type': 'application/json' }, '{}'],
    [413, {}, `csrf=${csrf}&username=${'x'.repeat(70_000)}`],
  ];
  for (const [status, headers, body] of bodies) {
    const own = browser.cookies().filter(({ path }) => new URL(url).pathname === path);
    const cookie = own.map(({ name, value }) => `${name}=${value}`).join('; ');
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await browser.request('POST', `${url}/sign-in`, { ...type, cookie, ...headers }, body);
    assert.equal(answer.status, status);
    assert.match(answer.body, /<title>Problem: /);
  }
});

test('SCR-09 an error page has code, trace id, time and no stack; the trace id is that of the answer', async () => {
  const browser = createBrowserClient(world.authorityPem);
  const answer = await browser.get(`${world.origin}/gobank/interaction/unknown-uid`);
  assert.equal(answer.status, 400);
  assert.match(answer.body, /<dd>interaction_expired<\/dd>/);
  const trace = answer.headers['x-fapi-interaction-id'];
  const told = world.events.filter(({ interaction }) => interaction === trace);
  assert.deepEqual(
    told.map(({ action, outcome, reason }) => [action, outcome, reason]),
    [['page.refused', 'refused', 'interaction_expired']],
  );
  assert.ok(answer.body.includes(`<dd>${answer.headers['x-fapi-interaction-id']}</dd>`));
  assert.match(answer.body, /<time datetime="2026-05-01T10:00:00.000Z">/);
  assert.doesNotMatch(answer.body, / at .*\.ts:/);
});

test('SCR-09 the engine’s errors get the same page, with what came from outside shown as text (N-227)', () => {
  const page = world.pages.renderError('gobank', {
    code: 'invalid_redirect_uri',
    description: 'redirect_uri <script>alert(1)</script> did not match',
    trace: '7d3f',
    language: 'de-DE,de;q=0.9',
  });
  assert.match(page.html, /<html lang="de">/);
  assert.match(page.html, /die sie nicht registriert hat/);
  assert.match(page.html, /<dd lang="en">redirect_uri &lt;script&gt;alert\(1\)/);
  assert.match(page.html, /<dd>7d3f<\/dd>/);
  assert.match(page.headers['Content-Security-Policy'] ?? '', /form-action 'self';/);
  assert.throws(() => world.pages.renderError('nobank', { code: 'x', description: '', trace: '', language: '' }));
});

test('German pages: by the browser, by ui_locales, by choice, and the bank’s own words', async () => {
  const german = { 'accept-language': 'de-AT,de;q=0.8,en;q=0.5' };
  const { browser, url, body } = await open(world.start(), german);
  assert.match(body, /<html lang="de">/);
  assert.match(body, /<h1>Bei Go Bank anmelden<\/h1>/);
  assert.match((await open(world.start({ locales: ['fr', 'de'] }))).body, /<html lang="de">/);
  assert.match((await open(world.start({}, 'eigen'), german)).body, /<h1>Willkommen bei Go Bank<\/h1>/);
  const chosen = await browser.follow(await browser.get(`${url}?lang=en`, german));
  assert.equal(chosen.url, url);
  assert.match((await browser.get(url, german)).body, /<html lang="en">/);
  await browser.get(`${url}?lang=xx`);
  assert.match((await browser.get(url, german)).body, /<html lang="en">/);
});

test('German: the consent page speaks German throughout, dates included', async () => {
  const german = { 'accept-language': 'de' };
  const { browser, url, csrf } = await open(world.start({ locales: ['de'] }));
  const page = await browser.follow(await browser.post(`${url}/sign-in`, { csrf, ...credentials }, german));
  for (const text of [
    'Daten mit Financroo Ltd teilen?',
    'Umsätze der letzten 24 Monate',
    '30. Juli 2026',
    'Abbrechen, nichts teilen',
  ])
    assert.ok(page.body.includes(text), text);
});

test('assets: named by content, kept for ever, compressed on request, nothing in them from elsewhere', async () => {
  const { browser, body } = await open();
  const name = /href="(\/gobank\/assets\/style-[\w-]{16}\.css)"/.exec(body)?.[1] ?? '';
  const style = await browser.get(`${world.origin}${name}`);
  assert.equal(style.status, 200);
  assert.equal(style.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(style.headers['content-type'], 'text/css; charset=utf-8');
  assert.match(style.body, /--brand:#0b6e4f/);
  assert.doesNotMatch(style.body, /data:|https?:\/\/(?!picocss)|@import/);
  const small = await browser.request('HEAD', `${world.origin}${name}`, { 'accept-encoding': 'gzip' });
  assert.equal(small.headers['content-encoding'], 'gzip');
  assert.ok(Number(small.headers['content-length']) < style.body.length / 4);
  const icons = [...style.body.matchAll(/url\(([^)]+)\)/g)].map((match) => match[1] ?? '');
  assert.ok(icons.length > 5);
  for (const icon of icons) {
    const picture = await browser.get(new URL(icon, style.url).href);
    assert.equal(picture.headers['content-type'], 'image/svg+xml');
    assert.match(picture.body, /^<svg /);
  }
});

test('a wrong colour, time zone or text ends the start with the name of the key', () => {
  const start = (bank: Parameters<typeof pageBank>[0]) => () =>
    createPages({
      banks: [pageBank(bank)],
      interactions: () => assert.fail(),
      connector: () => assert.fail(),
      database,
      consents: { find: async () => undefined },
      directory: { findParticipant: async () => undefined },
      audit: { record: async () => undefined, enqueue: () => undefined },
      vault: { hasher: async () => (value) => value },
      clock: { now: () => world.now },
      log: { error: () => undefined },
    });
  assert.throws(start({ colour: 'green' }), /brand colour green/);
  assert.throws(start({ timeZone: 'Mars/Olympus' }), /banks\.gobank\.timeZone/);
  assert.throws(start({ texts: { en: { nonsense: 'x' } } }), /banks\.gobank\.texts\.en\.nonsense/);
});
