import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { secondsAfter } from '../../src/platform/clock.ts';
import { endUnused } from '../../src/web/index.ts';
import { formOf } from '../support/browser.ts';
import { connect, travel } from '../support/journey.ts';
import { startPlatform } from '../support/platform.ts';
import { portalOf } from '../support/portal.ts';

const BANKS = ['gobank'];
const REPORTS = 'https://help.example/form?topic=consent';
const STAFF = { kind: 'staff', reference: 'test' } as const;

const platform = await startPlatform({
  banks: [{ id: 'gobank', name: 'Go Bank', reportProblem: REPORTS, accountChanges: true }],
});
after(() => platform.close());
const { party, client, at, signedIn } = await portalOf(platform);
const browser = await signedIn();

const list = (query: string) => browser.get(at(`/consents${query}`));

/** What a consent in the store has that others have not. */
interface Kept {
  readonly customer?: string;
  readonly participant?: string;
  readonly scopes?: readonly string[];
  readonly accounts?: readonly string[];
  readonly days?: number;
}

/** A consent straight in the store: lists are about what is kept, not about how it came to be. */
async function kept(id: string, changes: Kept = {}) {
  const { customer = 'user', participant = 'tpp-a', scopes = ['accounts'], accounts = ['joint'], days = 10 } = changes;
  const now = new Date();
  const asked = {
    id,
    bank: 'gobank',
    participant,
    client: client.id,
    customer,
    scopes,
    authorizationDetails: [],
    decideBefore: secondsAfter(now, 600),
  };
  await platform.rooms.consents.create(asked, STAFF);
  const expiresAt = secondsAfter(now, days * 86_400);
  await platform.rooms.consents.authorise('gobank', id, { customer, scopes, accounts, expiresAt }, STAFF);
}

/** The consents of a list in its order. */
async function idsOf(query: string): Promise<readonly string[]> {
  const { consents } = (await browser.get(at(`/consents.json${query}`))).json();
  assert.ok(Array.isArray(consents));
  return consents.map(({ id }: { id: string }) => id);
}

describe('the list of consents', () => {
  test('SCR-11 wrong orders, searches and cursors are refused or find nothing; markup stays text (N-227)', async () => {
    for (const query of [
      '?kind=x',
      '?kind=accounts&kind=funds',
      '?Kind=funds',
      '?kind=constructor',
      '?sort=x',
      '?sort=name&sort=used',
      '?search=%00',
      `?search=${'a'.repeat(101)}`,
      '?order=name',
    ])
      for (const path of ['', '.json']) assert.equal((await list(path + query)).status, 400, query);
    assert.equal((await list('?sort=name&after=consent-unknown')).status, 404);
    const page = await list(`?search=${encodeURIComponent('"><script>alert(1)</script>')}`);
    assert.deepEqual([page.status, page.text.includes('<script')], [200, false]);
    assert.match(page.text, /Nothing here matches/);
    assert.deepEqual(await idsOf('?search=zzz'), []);
  });

  test('N-232 the other holder’s consent for a joint account is not listed, found, or read', async () => {
    await kept('consent-of-user2', { customer: 'user2', accounts: ['joint'] });
    for (const query of ['', '?search=consent-of-user2', '?search=joint', '?sort=name', '?state=Authorised'])
      assert.ok(!(await idsOf(query)).includes('consent-of-user2'), query);
    for (const rest of ['', '/stop', '/record.json'])
      assert.equal((await list(`/consent-of-user2${rest}`)).status, 404, rest);
    assert.equal((await list('?after=consent-of-user2&sort=name')).status, 404);
  });

  test('SCR-10 SCR-11 searched by company, account and number; put in order; page by page; the store is named', async () => {
    await kept('consent-b', { days: 30 });
    await kept('consent-a', { days: 20, accounts: ['u1-savings', 'joint'] });
    assert.deepEqual(await idsOf('?search=u1-SAVINGS'), ['consent-a']);
    assert.deepEqual(await idsOf('?search=consent-b&sort=newest&state='), ['consent-b']);
    assert.deepEqual((await idsOf('?search=TPP-A')).length, 2);
    assert.deepEqual(await idsOf('?sort=ending'), ['consent-a', 'consent-b']);
    await platform.rooms.database.query('UPDATE consent.consents SET last_used_at = $1 WHERE id = $2', [
      new Date(),
      'consent-b',
    ]);
    assert.deepEqual(await idsOf('?sort=used'), ['consent-b', 'consent-a']);
    const page = await list('?search=consent-a');
    assert.match(page.text, /Accounts \(2\)/);
    assert.match(page.text, /keeps these records in the store of its open banking platform/);
    const told = (await list('.json')).json();
    assert.equal(told.store, 'built-in');
    const record = (await list('/consent-a/record.json')).json();
    assert.deepEqual(Object.keys(record), ['store', 'consent', 'history']);
    assert.ok(!JSON.stringify(record).includes('"reference"'));
    for (let more = 0; more < 21; more += 1) await kept(`consent-more-${more}`);
    for (const sort of ['newest', 'name', 'ending']) {
      const first = await idsOf(`?sort=${sort}`);
      const second = await idsOf(`?sort=${sort}&after=${first.at(-1)}`);
      assert.equal(first.length, 20);
      assert.equal(new Set([...first, ...second]).size, 23, sort);
    }
  });
});

/** Everything a customer reads on a page, in one line. */
const wordsOf = (text: string) => text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

describe('what stands above the list', () => {
  const theirs = 'consent-notices';
  const long = () =>
    platform.rooms.database.query('UPDATE consent.consents SET created_at = $1 WHERE id = $2', [new Date(0), theirs]);

  test('SCR-11 N-231 notices are about the customer’s own consents alone, and there are none without a reason', async () => {
    const other = await signedIn('user2');
    const page = async (query = '') => (await other.get(at(`/consents${query}`))).text;
    await kept(theirs, { days: 3 });
    await long();
    assert.match((await list('')).text, /id="news".*href="[^"]*consent-notices">What you allow tpp-a Ltd ends on/s);
    assert.doesNotMatch(await page(), /id="news"|consent-notices/);
    await platform.thirdParty('tpp-n', ['AISP']);
    await kept('consent-paused', { customer: 'user2', participant: 'tpp-n' });
    assert.doesNotMatch(await page(), /id="news"/);
    await platform.rooms.directory.changeStatus('tpp-n', 'suspended', STAFF);
    const paused = /href="\/gobank\/consents\/consent-paused">tpp-n Ltd is suspended: until that is lifted/;
    assert.match(await page(), paused);
    // Who narrows the list looks for something else.
    for (const query of ['?search=tpp', '?kind=accounts', '?state=Authorised'])
      assert.doesNotMatch(await page(query), /id="news"/);
    const detail = await page('/consent-paused');
    assert.match(detail, /data-state="paused">Access paused.*tpp-n Ltd is suspended.*consent-paused\/stop"/s);
    assert.match((await other.get(at('/consents/consent-paused/record.json'))).text, /"status":"Paused"/);
    assert.match(await page('?lang=de'), /Hinweise.*tpp-n Ltd ist gesperrt.*data-state="paused">Zugriff ausgesetzt/s);
    await page('?lang=en');
    await platform.rooms.directory.changeStatus('tpp-n', 'approved', STAFF);
    assert.doesNotMatch(await page(), /id="news"/);
    await platform.rooms.consents.revoke('gobank', 'consent-paused', STAFF);
    assert.match(await page(), /consent-paused">Go Bank stopped what you had allowed tpp-n Ltd, on /);
    platform.core.fail = true;
    try {
      assert.match(await page(), /Go Bank cannot name your accounts at the moment/);
    } finally {
      platform.core.fail = false;
    }
  });

  test('SCR-11 tabs by kind, with counts, together with state, search, order, language and JSON by address alone', async () => {
    const funds = { scopes: ['fundsconfirmations'] };
    assert.doesNotMatch((await list('')).text, /kind=funds/);
    await kept('consent-funds', funds);
    await kept('consent-both', { scopes: ['accounts', 'fundsconfirmations'] });
    await kept('consent-funds-of-user2', { ...funds, customer: 'user2' });
    const tabs = async (query: string) =>
      wordsOf(/<nav class="tabs".*?<\/nav>/s.exec((await list(query)).text)?.[0] ?? '').trim();
    assert.match(await tabs(''), /^All \d+ Accounts \d+ Payments 0 Confirmation of funds 2$/);
    assert.equal(await tabs('?search=consent-both'), 'All 1 Accounts 1 Payments 0 Confirmation of funds 1');
    assert.equal(await tabs('?state=Rejected'), 'All 0 Accounts 0 Payments 0 Confirmation of funds 0');
    assert.deepEqual(await idsOf('?kind=funds'), ['consent-both', 'consent-funds']);
    assert.deepEqual(await idsOf('?kind=funds&sort=ending'), ['consent-funds', 'consent-both']);
    assert.deepEqual(await idsOf('?kind=funds&search=both'), ['consent-both']);
    assert.deepEqual(await idsOf('?kind=funds&state=Revoked'), []);
    assert.ok(!(await idsOf('?kind=accounts&search=consent-funds')).includes('consent-funds'));
    assert.deepEqual(await idsOf('?kind=funds&after=consent-both'), ['consent-funds']);
    const page = (await list('?kind=funds&state=Authorised&sort=name&search=tpp')).text.replaceAll('&amp;', '&');
    for (const part of [
      'href="?kind=funds&state=Authorised&sort=name&search=tpp&lang=de"',
      'href="/gobank/consents.json?kind=funds&state=Authorised&sort=name&search=tpp"',
      'href="/gobank/consents?kind=funds&state=Expired&sort=name&search=tpp"',
      'href="/gobank/consents?kind=accounts&state=Authorised&sort=name&search=tpp"',
      '<input type="hidden" name="kind" value="funds">',
    ])
      assert.ok(page.includes(part), part);
    const german = await (await signedIn()).get(at('/consents?kind=funds&lang=de'));
    assert.equal(german.url, at('/consents?kind=funds'));
    assert.match(wordsOf(german.text), /Deckungsabfragen 2/);
  });

  test('SCR-11 the tab of payments says what is true of them here, and shows no consent that is none', async () => {
    const page = (await list('?kind=payments')).text;
    assert.match(page, /keeps no consents for single payments/);
    assert.doesNotMatch(page, /class="cards"|You have none of these/);
    assert.match((await list('?kind=payments&state=Expired')).text, /You have none of these/);
    assert.deepEqual(await idsOf('?kind=payments'), []);
  });

  test('SCR-11 of more than five hundred the oldest are found all the same, and what is not counted is said', async () => {
    await platform.rooms.database.query(
      `INSERT INTO consent.consents (bank, id, participant, client, customer, state, scopes, accounts, authorization_details,
         created_at, changed_at, expires_at)
       SELECT bank, 'old-' || number, participant, client, 'user2', state, scopes, accounts, authorization_details,
              created_at - number * interval '1 second', changed_at, expires_at
         FROM consent.consents, generate_series(1, 510) AS number WHERE id = 'consent-b'`,
      [],
    );
    const other = await signedIn('user2');
    const read = async (query: string) => (await other.get(at(`/consents${query}`))).text;
    assert.match(wordsOf(await read('')), / All 500\+ Accounts 499\+ Payments 0\+ Confirmation of funds 1\+ /);
    const oldest = await read('?after=old-495');
    assert.match(oldest, />old-496<.*>old-510</s);
    assert.match(oldest, /href="\/gobank\/consents">Back to the first ones/);
    assert.match(await read('?kind=accounts'), /Only your latest 500 are searched/);
    // The oldest that was shown has another state since: its place in time counts.
    assert.match(await read('?state=Revoked'), /consent-paused/);
    assert.doesNotMatch(await read('?state=Revoked&after=old-1'), /class="cards"/);
  });

  test('SCR-12 ASK-10 a consent tells how long it goes on and which period its data are from', async () => {
    const page = wordsOf((await list('/consent-b')).text);
    assert.match(page, /Period of the data Not limited: also from before you agreed/);
    assert.match(page, /Until [^(]* 29 days left/);
    assert.doesNotMatch(wordsOf((await list('/consent-funds')).text), /Period of the data/);
    assert.match(wordsOf((await list('/consent-notices')).text), /2 days left/);
  });
});

test('SCR-12 where the bank names a place for problems, the page leads there with two numbers and nothing personal', async () => {
  await kept('consent-&"<odd>');
  const path = `/${encodeURIComponent('consent-&"<odd>')}`;
  for (const [language, words] of [
    ['en', 'Report a problem to Go Bank'],
    ['de', 'Ein Problem an Go Bank melden'],
  ]) {
    browser.cookies.set('language', { name: '__Secure-portcullis-language', value: language ?? '', path: '/' });
    const page = await list(path);
    const [, href = '', text = ''] = /<a class="report" href="([^"]*)">([^<]*)</.exec(page.text) ?? [];
    const trace = String(page.headers['x-fapi-interaction-id']);
    assert.match(trace, /^[0-9a-f-]{36}$/);
    const expected = new URLSearchParams({ topic: 'consent', consent: 'consent-&"<odd>', trace });
    assert.equal(href.replaceAll('&amp;', '&'), `https://help.example/form?${expected}`);
    for (const part of [words, 'consent-&amp;&quot;&lt;odd&gt;', trace]) assert.ok(text.includes(part ?? ''), part);
  }
  browser.cookies.delete('language');
});

describe('the accounts of a consent that stands', () => {
  const reasonAt = async (account: string, access: string) => {
    const answer = await party.api('gobank', `/accounts/${account}`, access);
    return answer.status === 200 ? 'allowed' : (answer.text.match(/account_not_in_consent/)?.[0] ?? answer.text);
  };

  test('N-207 what was removed is refused on the next call, what was added is allowed, with the tokens there are', async () => {
    const { consent, access } = await connect(platform, party, client, { accounts: ['u1-current', 'joint'] });
    const allowed = () =>
      Promise.all(['u1-current', 'u1-savings', 'joint'].map((account) => reasonAt(account, access)));
    assert.deepEqual(await allowed(), ['allowed', 'account_not_in_consent', 'allowed']);
    assert.match((await list(`/${consent}`)).text, new RegExp(`href="/gobank/consents/${consent}/accounts"`));
    const ask = await list(`/${consent}/accounts`);
    const ticked = [...ask.text.matchAll(/name="account" value="([^"]*)" checked/g)].map(([, id]) => id);
    assert.deepEqual(ticked.sort(), ['joint', 'u1-current']);
    const form = formOf(ask, '/accounts');
    assert.match((await browser.submit(ask, form, { account: [] })).text, /role="alert"><p>Tick at least one/);
    for (const account of ['u2-current', 'unknown', '']) {
      const refused = await browser.submit(ask, form, { account: ['joint', account] });
      assert.deepEqual([refused.status, refused.text.includes('field_invalid')], [400, true], account);
    }
    assert.equal((await browser.submit(ask, form, { account: 'joint', customer: 'user2' })).status, 400);
    assert.equal((await browser.submit(ask, form, { account: 'joint', csrf: 'x' })).status, 403);
    assert.deepEqual(await allowed(), ['allowed', 'account_not_in_consent', 'allowed']);
    for (let round = 0; round < 2; round += 1) {
      const done = await browser.submit(ask, form, { account: ['u1-savings', 'joint'] });
      assert.equal(done.url, at(`/consents/${consent}`), done.text);
      assert.match(
        done.text,
        /Accounts changed<\/strong> by you<small>Before: .*u1-current.*joint.*Since then: .*u1-savings.*joint/,
      );
      assert.deepEqual(await allowed(), ['account_not_in_consent', 'allowed', 'allowed']);
      const { accounts } = (await party.api('gobank', '/accounts', access)).json();
      assert.deepEqual(accounts, [{ id: 'u1-savings' }, { id: 'joint' }]);
    }
    const { history } = (await list(`/${consent}/record.json`)).json();
    assert.ok(Array.isArray(history));
    const changes = history.filter(({ action }: { action: string }) => action === 'change');
    assert.deepEqual(
      changes.map(({ accounts }: { accounts: unknown }) => accounts),
      [{ before: ['u1-current', 'joint'], after: ['u1-savings', 'joint'] }],
    );
    await platform.rooms.audit.flush();
    const records = await platform.rooms.audit.search({ consent, action: 'consent.accounts-changed' });
    assert.deepEqual(
      records.map(({ facts }) => [facts?.actor, facts?.actorReference]),
      [['customer', null]],
    );
  });

  test('N-207 N-231 another customer’s consent, and one that is over: nothing changes', async () => {
    const theirs = await connect(platform, party, client, { username: 'user2', accounts: ['joint'] });
    assert.equal((await list(`/${theirs.consent}/accounts`)).status, 404);
    const { consent } = await connect(platform, party, client, { accounts: ['joint'] });
    const ask = await list(`/${consent}/accounts`);
    const other = { ...formOf(ask, '/accounts'), action: `/gobank/consents/${theirs.consent}/accounts` };
    assert.equal((await browser.submit(ask, other, { account: 'u1-current' })).status, 403);
    await platform.rooms.consents.revoke('gobank', consent, STAFF);
    const late = await browser.submit(ask, formOf(ask, '/accounts'), { account: 'u1-current' });
    assert.deepEqual([late.status, late.text.includes('consent_status_invalid')], [400, true]);
    assert.equal((await list(`/${consent}/accounts`)).url, at(`/consents/${consent}`));
    for (const id of [consent, theirs.consent])
      assert.deepEqual((await platform.rooms.consents.find('gobank', id))?.accounts, ['joint']);
  });
});

describe('a consent that nobody takes up', () => {
  const late = () => platform.rooms.database.query('UPDATE oauth.unredeemed SET look_at = $1', [new Date(0)]);

  test('N-208 the code is never redeemed: told as such, then ended, and the code is worth nothing', async () => {
    const pushed = await party.push(client);
    const back = await travel(platform, pushed);
    const [consent] = await platform.rooms.consents.list({ bank: 'gobank', client: client.id, limit: 1 });
    const id = consent?.id ?? '';
    assert.match((await list(`/${id}`)).text, /has not completed the connection/);
    // Not before its time, not for a bank that is not asked about.
    assert.equal(await endUnused(platform.rooms, BANKS), 0);
    await late();
    assert.equal(await endUnused(platform.rooms, []), 0);
    assert.equal(await endUnused(platform.rooms, BANKS), 1);
    assert.equal(await endUnused(platform.rooms, BANKS), 0);
    const page = await list(`/${id}`);
    assert.match(page.text, /data-state="unused">Never taken up/);
    assert.match(page.text, /Stopped<\/strong> automatically/);
    assert.match(page.text, /did not complete the connection, so your permission ended by itself/);
    assert.doesNotMatch(page.text, /stop it\. Then/);
    const answer = await party.exchange(client, back.searchParams.get('code') ?? '', pushed.verifier);
    assert.equal(answer.json().error, 'invalid_grant');
    assert.deepEqual(await platform.rooms.tokens.list({ bank: 'gobank', consent: id }), []);
  });

  test('N-208 what was redeemed, or ended in another way, is left alone', async () => {
    const used = await connect(platform, party, client);
    await travel(platform, await party.push(client));
    const [consent] = await platform.rooms.consents.list({ bank: 'gobank', client: client.id, limit: 1 });
    await platform.rooms.consents.revoke('gobank', consent?.id ?? '', STAFF);
    await late();
    assert.equal(await endUnused(platform.rooms, BANKS), 0);
    assert.equal((await platform.rooms.consents.find('gobank', used.consent))?.state, 'Authorised');
    assert.ok(!(await list(`/${used.consent}`)).text.includes('has not completed'));
    assert.match((await list(`/${consent?.id}`)).text, /data-state="Revoked">Stopped/);
  });
});
