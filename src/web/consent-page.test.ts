import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type BrowserClient, createBrowserClient, fieldOf } from '../../test/support/browser-client.ts';
import { openTestDatabase } from '../../test/support/database.ts';
import { openPages, type PageWorld, pageBank, participantOf, userAccounts } from '../../test/support/pages.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';

let database: Database;
let world: PageWorld;

before(async () => {
  database = await openTestDatabase();
  world = await openPages(database, [pageBank(), pageBank({ id: 'noportal', portalUrl: undefined })]);
});
after(async () => {
  await world.close();
  await database.close();
});
beforeEach(() => {
  world.decisions.length = 0;
  world.participants.set('financroo', participantOf({}));
  world.bankRefusal = undefined;
});

interface ConsentPage {
  readonly browser: BrowserClient;
  readonly url: string;
  readonly path: string;
  readonly body: string;
  readonly csrf: string;
}

async function atConsent(username = 'user', start = world.start()): Promise<ConsentPage> {
  const browser = createBrowserClient(world.authorityPem);
  const signIn = await browser.follow(await browser.get(start));
  const csrf = fieldOf(signIn.body, `${new URL(signIn.url).pathname}/sign-in`, 'csrf');
  const page = await browser.follow(
    await browser.post(`${signIn.url}/sign-in`, { csrf, username, password: 'p@ssword!' }),
  );
  const path = new URL(page.url).pathname;
  return { browser, url: page.url, path, body: page.body, csrf: fieldOf(page.body, `${path}/consent`, 'csrf') };
}

function ticks(csrf: string, ...accounts: readonly string[]): URLSearchParams {
  const form = new URLSearchParams({ csrf });
  for (const account of accounts) form.append('account', account);
  return form;
}

const states = () => [...world.consents.values()].map((consent) => consent.state);

test('N-195 an account that is not the customer’s: 400, nothing authorised', async () => {
  for (const foreign of ['99001', '../22289', '', '22289 ', '__proto__']) {
    const { browser, url, csrf } = await atConsent();
    const answer = await browser.post(`${url}/consent`, ticks(csrf, '22289', foreign));
    assert.equal(answer.status, 400, foreign);
    assert.match(answer.body, /field_invalid/);
    assert.ok(!answer.body.includes('99001'));
    assert.deepEqual(
      world.decisions.filter((decision) => decision.kind === 'agreed'),
      [],
    );
    assert.equal(states().at(-1), 'Awaiting');
  }
});

test('N-224 nothing ticked: the page comes back with an explanation, once', async () => {
  const { browser, url, csrf } = await atConsent();
  const answer = await browser.post(`${url}/consent`, ticks(csrf));
  assert.equal(answer.status, 303);
  const page = await browser.follow(answer);
  assert.match(page.body, /role="alert"><p>Tick at least one account, or cancel if you want to share nothing\.<\/p>/);
  assert.match(page.body, /<title>Problem: Share data/);
  assert.doesNotMatch((await browser.get(url)).body, /role="alert"/);
});

test('N-219 what the form says beside the ticks is ignored', async () => {
  const { browser, url, csrf } = await atConsent();
  const form = ticks(csrf, '31820');
  for (const [name, value] of Object.entries({
    scope: 'payments.create',
    expiresAt: '2099-01-01',
    consent: 'another',
    customer: 'c2',
    client: 'client-b',
  }))
    form.append(name, value);
  await browser.post(`${url}/consent?customer=c2&account=40911`, form);
  const agreed = world.decisions.at(-1);
  assert.deepEqual(agreed, { kind: 'agreed', accounts: ['31820'], expiresAt: new Date('2026-07-30T10:00:00Z') });
});

test('N-225 two tabs: the first answer counts, the second sees the final state', async () => {
  const first = await atConsent();
  const second = await first.browser.get(first.url);
  const csrf = fieldOf(second.body, `${first.path}/consent`, 'csrf');
  const back = await first.browser.follow(await first.browser.post(`${first.url}/consent`, ticks(first.csrf, '22289')));
  assert.equal(back.url, `${world.tpp}/callback?code=c`);
  const late = await first.browser.follow(await first.browser.post(`${first.url}/cancel`, { csrf }));
  assert.equal(late.status, 200);
  assert.match(late.body, /You agreed to share data with Financroo Ltd until 30 July 2026\./);
  assert.equal(states().at(-1), 'Authorised');
  assert.equal(world.decisions.length, 2, 'signed in, agreed');
});

test('N-225 the tab that cancelled counts when it was first', async () => {
  const { browser, url, csrf } = await atConsent();
  await browser.follow(await browser.post(`${url}/cancel`, { csrf }));
  const late = await browser.follow(await browser.post(`${url}/consent`, ticks(csrf, '22289')));
  assert.match(late.body, /You declined\. Financroo Ltd was given nothing\./);
});

test('N-225 a second click on agree takes the customer on to the third party', async () => {
  const { browser, url, csrf } = await atConsent();
  // The browser drops the first answer when the button is pressed again.
  await browser.post(`${url}/consent`, ticks(csrf, '22289'));
  const again = await browser.follow(await browser.post(`${url}/consent`, ticks(csrf, '22289')));
  assert.equal(again.url, `${world.tpp}/callback?code=c`);
  assert.equal(world.decisions.filter((decision) => decision.kind === 'agreed').length, 1);
});

test('N-225 decided meanwhile in the store: the page shows the state, the form changes nothing', async () => {
  const { browser, url, csrf } = await atConsent();
  const [id = '', consent] = [...world.consents].at(-1) ?? [];
  assert.ok(consent !== undefined);
  for (const [state, words] of [
    ['Revoked', 'Nothing is shared any more'],
    ['Expired', 'The time for this request is over'],
    ['Consumed', 'has used your agreement'],
    ['Rejected', 'You declined'],
  ] as const) {
    world.consents.set(id, { ...consent, state });
    assert.ok((await browser.get(url)).body.includes(words), state);
  }
  const answer = await browser.follow(await browser.post(`${url}/consent`, ticks(csrf, '22289')));
  assert.match(answer.body, /You declined/);
  assert.equal(world.decisions.length, 1);
});

test('N-216 the link in another browser: no page, and no decision with the token of the first', async () => {
  const { url, csrf } = await atConsent();
  const other = createBrowserClient(world.authorityPem);
  const page = await other.get(url);
  assert.equal(page.status, 400);
  assert.match(page.body, /interaction_expired/);
  assert.doesNotMatch(page.body, /Everyday|<form/);
  const answer = await other.follow(await other.post(`${url}/consent`, ticks(csrf, '22289')));
  assert.equal(answer.status, 400);
  assert.equal(states().at(-1), 'Awaiting');
});

test('N-216 another customer’s consent is not shown', async () => {
  const { browser, url } = await atConsent();
  const [id = '', consent] = [...world.consents].at(-1) ?? [];
  assert.ok(consent !== undefined);
  for (const change of [{ customer: 'c2' }, { client: 'client-b' }]) {
    world.consents.set(id, { ...consent, ...change });
    const page = await browser.get(url);
    assert.equal(page.status, 403);
    assert.match(page.body, /consent_missing/);
  }
});

test('N-216 an unsigned or foreign note of a consent shows nothing', async () => {
  const { url, path } = await atConsent();
  const [id = ''] = [...world.consents.keys()].slice(-1);
  for (const value of [id, `${id}.`, `${id}.${'A'.repeat(43)}`, '.', 'x'.repeat(5_000)]) {
    const other = createBrowserClient(world.authorityPem);
    other.plant({ host: 'localhost', path, name: '__Secure-portcullis-consent', value });
    assert.equal((await other.get(url)).status, 400, value);
  }
});

test('N-227 text of clients and banks is shown as text', async () => {
  const nasty = '<script>alert(1)</script>"\'><img src=x onerror=alert(1)>&amp;';
  world.participants.set('financroo', participantOf({ name: nasty, registrationNumber: nasty }));
  const [account] = userAccounts;
  assert.ok(account !== undefined);
  world.accounts.set('c2', [{ ...account, id: '"><script>', name: nasty, type: nasty }]);
  const { body } = await atConsent('user2');
  assert.doesNotMatch(body, /<script|<img src=x|onerror=alert\(1\)>/);
  assert.ok(
    body.includes('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;'),
  );
  assert.ok(body.includes('value="&quot;&gt;&lt;script&gt;"'));
  world.accounts.set('c2', []);
});

test('N-228 exactly what was asked for is shown, in the regime’s words', async () => {
  const { body } = await atConsent();
  assert.match(body, /See your accounts/);
  assert.doesNotMatch(body, /Pay from your account/);
  const both = await atConsent('user', world.start({ scopes: ['accounts', 'payments.create'] }));
  assert.match(both.body, /Payments you approve/);
});

test('N-228 a scope without words is not asked for: 500, no form, a defect in the log', async () => {
  const browser = createBrowserClient(world.authorityPem);
  const signIn = await browser.follow(await browser.get(world.start({ scopes: ['toString'] })));
  const csrf = fieldOf(signIn.body, `${new URL(signIn.url).pathname}/sign-in`, 'csrf');
  world.defects.length = 0;
  const page = await browser.follow(
    await browser.post(`${signIn.url}/sign-in`, { csrf, username: 'user', password: 'p@ssword!' }),
  );
  assert.equal(page.status, 500);
  assert.doesNotMatch(page.body, /<form|toString/);
  assert.match(String(world.defects[0]), /no words for the scope toString/);
});

test('N-198 the bank does not answer on the consent page: 502, nothing decided, a way on', async () => {
  const { browser, url, csrf } = await atConsent();
  world.bankRefusal = new Refusal('upstream_unavailable', 502, 'The bank gave no usable answer.');
  assert.equal((await browser.get(url)).status, 502);
  const answer = await browser.post(`${url}/consent`, ticks(csrf, '22289'));
  assert.equal(answer.status, 502);
  assert.equal(states().at(-1), 'Awaiting');
});

test('SCR-03 who, what, which accounts, until when, how to stop; nothing is ticked', async () => {
  const { body } = await atConsent();
  for (const text of [
    'Financroo Ltd',
    'PSDXX-SANDBOX-123456',
    'Transactions of the last 24 months',
    '<strong>Travel</strong><small>Currency account · ****0042 · USD</small>',
    'Access lasts 90 days and ends by itself on 30 July 2026 (UTC).',
    'href="https://localhost:8084/"',
  ])
    assert.ok(body.includes(text), text);
  assert.equal(body.match(/type="checkbox"/g)?.length, 3);
  assert.doesNotMatch(body, /\bchecked\b/);
});

test('SCR-03 without a portal the customer is told whom to tell', async () => {
  const { body } = await atConsent('user', world.start({}, 'noportal'));
  assert.match(body, /without giving a reason: tell Go Bank\./);
});

test('SCR-03 a customer without accounts can only cancel', async () => {
  world.accounts.set('c2', []);
  const { body } = await atConsent('user2');
  assert.match(body, /keeps no account for you that could be shared/);
  assert.doesNotMatch(body, /Agree and share/);
});

test('CLD-26 the end agreed to is the end shown, however long the page lay open', async () => {
  const { browser, url, csrf, body } = await atConsent();
  assert.match(body, /30 July 2026/);
  const opened = world.now;
  world.now = new Date(opened.getTime() + 86_400_000);
  await browser.post(`${url}/consent`, ticks(csrf, '40911', '22289', '22289'));
  world.now = opened;
  const agreed = world.decisions.at(-1);
  assert.deepEqual(agreed?.accounts, ['22289', '40911']);
  assert.equal(agreed?.expiresAt?.toISOString(), '2026-07-30T10:00:00.000Z');
});

test('CLD-27 cancel: consent Rejected, back with access_denied', async () => {
  const { browser, url, csrf } = await atConsent();
  const answer = await browser.post(`${url}/cancel`, { csrf });
  assert.equal(answer.status, 303);
  assert.equal((await browser.follow(answer)).url, `${world.tpp}/callback?error=access_denied`);
  assert.equal(states().at(-1), 'Rejected');
});
