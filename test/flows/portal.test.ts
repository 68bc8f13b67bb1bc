import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { portalRoutes } from '../../src/web/portal/routes.ts';
import { createBrowser, formOf, formsOf } from '../support/browser.ts';
import { call } from '../support/http.ts';
import { connect, PASSWORD } from '../support/journey.ts';
import { startPlatform } from '../support/platform.ts';
import { portalOf } from '../support/portal.ts';

const platform = await startPlatform();
after(() => platform.close());
const { party, client, origin, at, pathOf, signIn, signedIn, alive } = await portalOf(platform);
const COOKIE = '__Host-portal-gobank /';

describe('the way in', () => {
  test('CLD-10 CLD-56 the start page offers every bank, in two languages', async () => {
    const browser = createBrowser(platform.browserAgent);
    const page = await browser.get(`${origin}/`);
    assert.equal(page.status, 200);
    for (const bank of ['Go Bank', 'Token Bank', 'Lab Bank']) assert.ok(page.text.includes(bank), bank);
    const german = await browser.get(`${origin}/?lang=de`);
    assert.match(german.text, /<html lang="de">/);
    assert.equal((await browser.get(`${origin}/?lang=de&lang=en`)).status, 400);
    assert.equal((await browser.get(`${origin}/nobank/consents`)).status, 404);
  });

  test('N-229 every page declares its guard; without sign-in nothing but the way in answers', async () => {
    assert.ok(portalRoutes.length > 5);
    for (const route of portalRoutes) {
      assert.ok(['public', 'customer'].includes(route.guard), route.path);
      const path = at(route.path.replace('{id}', 'consent-x'));
      const browser = createBrowser(platform.browserAgent);
      if (route.get !== undefined) {
        const page = await browser.get(path);
        if (route.format === 'json') assert.deepEqual([page.status, page.url], [401, path]);
        else assert.equal(page.url, at('/sign-in'), route.path);
      }
      if (route.post !== undefined && route.guard === 'customer')
        assert.equal((await browser.send(path, 'POST', 'csrf=x')).status, 401, route.path);
    }
    const open = portalRoutes.filter(({ guard }) => guard === 'public').map(({ path }) => path);
    assert.deepEqual(open, ['/', '/sign-in']);
  });

  test('N-217 the cookie changes at sign-in; a planted one is dead, before and after', async () => {
    const planted = 'A'.repeat(43);
    const attacker = createBrowser(platform.browserAgent);
    const victim = createBrowser(platform.browserAgent);
    const cookie = { name: '__Host-portal-gobank', value: planted, path: '/' };
    victim.cookies.set(COOKIE, cookie);
    attacker.cookies.set(COOKIE, cookie);
    assert.equal((await signIn(victim)).url, at('/consents'));
    assert.notEqual(victim.cookies.get(COOKIE)?.value, planted);
    assert.equal((await attacker.get(at('/consents'))).url, at('/sign-in'));
  });

  test('the cookie is for this host, secure, out of reach of scripts, and kept as a hash alone', async () => {
    const page = await call(at('/sign-in'), { agent: platform.browserAgent });
    const [cookie = ''] = page.headers['set-cookie'] ?? [];
    assert.match(cookie, /^__Host-portal-gobank=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    const browser = await signedIn();
    const rows = JSON.stringify(await platform.rooms.database.query('SELECT id_hash FROM web.portal_sessions'));
    assert.ok(rows.length > 50 && !rows.includes(browser.cookies.get(COOKIE)?.value ?? ''));
  });

  test('N-215 forms need the token of this browser and this page, and our own origin', async () => {
    const browser = createBrowser(platform.browserAgent);
    const page = await browser.get(at('/sign-in'));
    const form = formOf(page, '/sign-in');
    const values = { username: 'user', password: PASSWORD };
    const other = formOf(await createBrowser(platform.browserAgent).get(at('/sign-in')), '/sign-in');
    for (const csrf of ['', 'x', other.fields.csrf ?? '']) {
      const refused = await browser.submit(page, form, { ...values, csrf });
      assert.deepEqual([refused.status, refused.text.includes('csrf_invalid')], [403, true]);
    }
    const foreign = await call(at('/sign-in'), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' },
      body: new URLSearchParams({ ...form.fields, ...values }).toString(),
      agent: platform.browserAgent,
    });
    assert.equal(foreign.status, 403);
    assert.equal((await browser.get(at('/consents'))).url, at('/sign-in'));
  });

  test('N-230 wrong passwords get one answer; no field is filled in; five lock the name here and at the consent pages', async () => {
    const browser = createBrowser(platform.browserAgent);
    const first = await browser.get(at('/sign-in'));
    assert.ok(!/name="password"[^>]*value=/.test(first.text) && !/name="username"[^>]*value=/.test(first.text));
    const texts = new Set<string>();
    for (const name of ['user2', 'nobody-here']) {
      const page = await signIn(browser, name, 'wrong');
      texts.add(/role="alert"><p>([^<]*)/.exec(page.text)?.[1] ?? '');
    }
    assert.equal(texts.size, 1);
    for (let attempt = 0; attempt < 3; attempt += 1) await signIn(browser, 'user2', 'wrong');
    assert.match((await signIn(browser, 'user2', 'wrong')).text, /too many attempts/);
    const right = await signIn(browser, 'user2');
    assert.equal(right.url, at('/sign-in'));
    const pushed = await party.push(client);
    const start = await browser.get(pushed.authorizationUrl);
    const there = await browser.submit(start, formOf(start, '/sign-in'), { username: 'user2', password: PASSWORD });
    assert.match(there.text, /too many attempts/);
    await platform.rooms.database.query('DELETE FROM web.sign_in_attempts');
  });

  test('sign-out ends the session here and everywhere the cookie went', async () => {
    const browser = await signedIn();
    const copy = createBrowser(platform.browserAgent);
    for (const [key, cookie] of browser.cookies) copy.cookies.set(key, cookie);
    const page = await browser.get(at('/consents'));
    const out = await browser.submit(page, formOf(page, '/sign-out'), {});
    assert.match(out.text, /You have signed out/);
    assert.equal((await copy.get(at('/consents'))).url, at('/sign-in'));
  });

  test('fifteen minutes without a request, and eight hours in any case, end the session', async () => {
    const { database } = platform.rooms;
    for (const column of ['used_at', 'created_at']) {
      const browser = await signedIn();
      assert.equal((await browser.get(at('/consents'))).url, at('/consents'));
      const minutes = column === 'used_at' ? 15 : 8 * 60;
      const moved = (left: number) => new Date(Date.now() - (minutes * 60 - left) * 1_000);
      await database.query(`UPDATE web.portal_sessions SET ${column} = $1`, [moved(30)]);
      assert.equal((await browser.get(at('/consents'))).url, at('/consents'), column);
      await database.query(`UPDATE web.portal_sessions SET ${column} = $1`, [moved(-1)]);
      const page = await browser.get(at('/consents'));
      assert.equal(page.url, at('/sign-in'), column);
      assert.match(page.text, /Please sign in/);
    }
  });

  test('a session of one bank opens nothing at another', async () => {
    const browser = await signedIn();
    const value = browser.cookies.get(COOKIE)?.value ?? '';
    browser.cookies.set('__Host-portal-jwtbank /', { name: '__Host-portal-jwtbank', value, path: '/' });
    assert.equal((await browser.get(at('/consents', 'jwtbank'))).url, at('/sign-in', 'jwtbank'));
  });
});

describe('what is shared', () => {
  test('CLD-46 own consents, newest first, with name, accounts, permissions, dates and state', async () => {
    const one = await connect(platform, party, client, { accounts: ['u1-current'] });
    const two = await connect(platform, party, client, { accounts: ['joint'] });
    const theirs = await connect(platform, party, client, { username: 'user2' });
    const browser = await signedIn();
    const page = await browser.get(at('/consents'));
    assert.equal(page.status, 200);
    assert.ok(page.text.indexOf(two.consent) < page.text.indexOf(one.consent));
    assert.ok(page.text.includes(two.consent) && !page.text.includes(theirs.consent));
    assert.ok(page.text.includes('tpp-a Ltd') && page.text.includes('See your accounts'));
    assert.match(page.text, /data-state="Authorised">Active/);
    // Nobody lets accounts be changed here (N-207).
    assert.equal((await browser.get(pathOf(one.consent, '/accounts'))).status, 404);
    assert.equal((await browser.send(pathOf(one.consent, '/accounts'), 'POST', 'account=joint')).status, 404);
    assert.doesNotMatch((await browser.get(pathOf(one.consent))).text, /Change accounts/);
    // Nobody named a place for problems, so no link leads to one.
    assert.doesNotMatch(page.text + (await browser.get(pathOf(one.consent))).text, /mailto:|class="report"/);
    const csp = String(page.headers['content-security-policy']);
    assert.match(csp, /default-src 'none'/);
    assert.equal(page.headers['cache-control'], 'no-store');
    assert.ok(!/<script/i.test(page.text));
  });

  test('N-239 each consent shows its own accounts and no others', async () => {
    for (const accounts of [['u1-savings'], ['u1-savings', 'joint'], ['u1-current', 'u1-savings', 'joint']])
      await connect(platform, party, client, { accounts });
    const browser = await signedIn();
    const consents = await platform.rooms.consents.list({ bank: 'gobank', customer: 'user' });
    assert.ok(consents.length >= 3);
    const told = (await browser.get(at('/consents.json'))).json().consents;
    assert.ok(Array.isArray(told));
    for (const consent of consents.slice(0, 20)) {
      const item: unknown = told.find((one: { id: string }) => one.id === consent.id);
      assert.ok(typeof item === 'object' && item !== null && 'accounts' in item);
      assert.deepEqual(item.accounts, consent.accounts);
      const page = (await browser.get(pathOf(consent.id))).text;
      const shown = ['u1-current', 'u1-savings', 'joint'].filter((id) => page.includes(`Account ${id}`));
      assert.deepEqual(shown.sort(), [...consent.accounts].sort());
    }
  });

  test('N-231 N-233 another customer’s consent, an unknown one, and parameters that name somebody', async () => {
    const theirs = await connect(platform, party, client, { username: 'user2' });
    const browser = await signedIn();
    const pages = [];
    for (const id of [theirs.consent, 'consent-unknown', '%00', 'a'.repeat(600)]) {
      for (const rest of ['', '/stop']) pages.push(await browser.get(pathOf(id, rest)));
    }
    assert.deepEqual(new Set(pages.slice(0, 4).map(({ status }) => status)), new Set([404]));
    assert.equal(new Set(pages.slice(0, 4).map(({ text }) => blank(text, theirs.consent))).size, 1);
    for (const { status } of pages) assert.ok([400, 404].includes(status));
    const wrong = [
      '?customer=user2',
      '?user=user2',
      '?user=user&user=user2',
      '?customerId=user2',
      '?state=Authorised&state=Revoked',
      '?state=x',
      '?STATE=Revoked',
    ];
    for (const query of wrong) {
      for (const path of ['/consents', '/consents.json'])
        assert.equal((await browser.get(at(path + query))).status, 400, query);
    }
    assert.equal((await browser.get(at(`/consents?after=${theirs.consent}`))).status, 404);
    const forged = await browser.send(pathOf(theirs.consent, '/stop'), 'POST', 'csrf=x&customer=user2');
    assert.ok([400, 403].includes(forged.status));
    assert.equal((await platform.rooms.consents.find('gobank', theirs.consent))?.state, 'Authorised');
    assert.ok(await alive(theirs.access));
  });

  test('N-238 the states are told apart, in the list, on the page, and by filter', async () => {
    const staff = { kind: 'staff', reference: 'test' } as const;
    const revoked = await connect(platform, party, client);
    await platform.rooms.consents.revoke('gobank', revoked.consent, staff);
    await platform.rooms.tokens.deny({ bank: 'gobank', consent: revoked.consent }, staff);
    const expired = await connect(platform, party, client);
    await platform.rooms.database.query('UPDATE consent.consents SET expires_at = $2 WHERE id = $1', [
      expired.consent,
      new Date(Date.now() - 1_000),
    ]);
    const browser = await signedIn();
    for (const [{ consent }, state, word] of [
      [revoked, 'Revoked', 'Stopped'],
      [expired, 'Expired', 'Expired'],
    ] as const) {
      const page = await browser.get(pathOf(consent));
      assert.ok(page.text.includes(`data-state="${state}">${word}`), state);
      assert.ok(!formsOf(page).some(({ action }) => action.endsWith('/stop')) && !page.text.includes('/stop"'));
      const list = await browser.get(at(`/consents?state=${state}`));
      assert.ok(list.text.includes(consent));
      assert.ok(!list.text.includes('data-state="Authorised"'));
    }
    const history = (await browser.get(pathOf(revoked.consent))).text;
    for (const words of ['Asked for</strong> by tpp-a Ltd', 'Allowed</strong> by you', 'Stopped</strong> by Go Bank'])
      assert.ok(history.includes(words), words);
  });

  test('a bank that cannot be asked keeps nobody from seeing and stopping', async () => {
    const { access, consent } = await connect(platform, party, client);
    const browser = await signedIn();
    platform.core.fail = true;
    try {
      const page = await browser.get(pathOf(consent));
      assert.deepEqual([page.status, page.text.includes('cannot be shown at the moment')], [200, true]);
      const ask = await browser.get(pathOf(consent, '/stop'));
      assert.equal((await browser.submit(ask, formOf(ask, '/stop'), {})).status, 200);
    } finally {
      platform.core.fail = false;
    }
    assert.ok(!(await alive(access)));
  });
});

/** A page without what differs between two answers to the same question. */
function blank(text: string, id: string): string {
  return text
    .replaceAll(id, '')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
    .replaceAll(/value="[^"]*"/g, '');
}
