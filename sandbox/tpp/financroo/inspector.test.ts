import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import type { BrowserClient } from '../../../test/support/browser-client.ts';
import { type FinancrooWorld, openFinancrooWorld, press } from '../../../test/support/financroo.ts';
import type { LyingBank } from '../../../test/support/lying-bank.ts';
import { temporaryDirectory } from '../../../test/support/temporary.ts';
import type { TrailRecord } from '../../bank/trail.ts';

const root = await temporaryDirectory();
let world: FinancrooWorld;
let bank: LyingBank;
let origin: string;

before(async () => {
  world = await openFinancrooWorld(root);
  const [first] = world.banks;
  assert.ok(first !== undefined);
  [bank, origin] = [first, world.financroo.origin];
});
after(() => world.close());
beforeEach(() => bank.honestAgain());

test('SCR-29 the export is a file of what the page shows, for this user alone, without a secret of the flow', async () => {
  const browser = await world.connected();
  const details = /\/connections\/[\w-]+/.exec((await browser.get(`${origin}/dashboard`)).body)?.[0];
  const file = await browser.get(`${origin}${details}/export`);
  assert.equal(file.status, 200);
  assert.equal(file.headers['content-disposition'], 'attachment; filename="financroo-one-messages.json"');
  assert.equal(file.headers['content-type'], 'application/json; charset=utf-8');
  assert.equal(file.headers['cache-control'], 'no-store');
  const { messages } = JSON.parse(file.body);
  const titles = messages.map(({ title }: { title: string }) => title);
  const page = (await browser.get(`${origin}${details}/messages`)).body;
  assert.equal(page.match(/<li id="message-/g)?.length, titles.length);
  for (const title of ['Registration', 'The browser comes back', 'The code becomes tokens']) {
    assert.ok(titles.includes(title), title);
  }
  const secrets = [...bank.secrets, ...browser.cookies().flatMap(({ value }) => value.split('.'))];
  // Assertions, code, verifier, access, refresh and ID token, registration token, software statement, cookie.
  assert.ok(secrets.length >= 9, String(secrets.length));
  const words = new Set(file.body.replaceAll('\\n', ' ').split(/[^\w-]+/));
  for (const secret of secrets) {
    // What is short may stand inside of other words.
    const found = words.has(secret) || (secret.length > 8 && file.body.includes(secret));
    assert.equal(found, false, 'a secret is in the export');
  }
  assert.doesNotMatch(file.body, /eyJ[\w-]+\.eyJ|PRIVATE KEY|"cookie"|set-cookie/i);
  for (const stranger of [await world.signedIn('sam'), world.browser()]) {
    const { status, body } = await stranger.get(`${origin}${details}/export`);
    assert.ok(status === 404 || status === 303, String(status));
    assert.doesNotMatch(body, /messages/);
    const flow = `connection:${details?.split('/').at(-1)}`;
    const compared = await stranger.get(`${origin}/compare?one=${flow}&other=bank:one`);
    assert.equal(compared.status, status);
    assert.doesNotMatch(compared.body, /<option value="connection:/);
  }
});

test('SCR-29 an experiment: sent once for a form of this user and session, never by a reload, marked and without a secret', async () => {
  const browser = await world.connected();
  const details = /\/connections\/[\w-]+/.exec((await browser.get(`${origin}/dashboard`)).body)?.[0];
  const path = `${details}/experiments`;
  const pushes = () => bank.calls.filter((call) => call === 'POST /par').length;
  bank.calls.length = 0;
  bank.revoked.length = 0;
  const sam = await world.signedIn('sam');
  const token = /name="form_token" value="([^"]+)"/.exec((await sam.get(`${origin}/settings`)).body)?.[1] ?? '';
  assert.equal((await sam.get(`${origin}${path}`)).status, 404);
  assert.equal((await sam.post(`${origin}${path}`, { form_token: token, experiment: 'replay' })).status, 404);
  assert.equal((await browser.post(`${origin}${path}`, { form_token: token, experiment: 'replay' })).status, 403);
  for (const experiment of ['', 'delete', 'toString', '__proto__']) {
    assert.equal((await press(browser, `${origin}${path}`, path, { experiment })).status, 400, experiment);
  }
  assert.equal(pushes(), 0);
  bank.lies.answers['/par'] = { status: 401, body: { error: 'invalid_client', error_description: '<b>no</b>' } };
  const sent = await press(browser, `${origin}${path}`, path, { experiment: 'replay' });
  assert.equal(sent.status, 303);
  const shown = await browser.follow(sent);
  assert.match(shown.body, /The same client assertion twice: Bank one refused\./);
  assert.match(shown.body, /Code<\/dt><dd><code>invalid_client[\s\S]*&lt;b&gt;no&lt;\/b&gt;/);
  await browser.get(shown.url);
  assert.equal(pushes(), 2);
  for (const secret of bank.secrets) assert.ok(secret.length < 16 || !shown.body.includes(secret));
  bank.lies.down = true;
  const down = await press(browser, `${origin}${path}`, path, { experiment: 'challenge' });
  assert.equal(down.status, 502);
  assert.match(down.body, /Bank one cannot be reached/);
  assert.deepEqual(bank.revoked, []);
});

test('SCR-29 the bank’s record: only of a message of this user’s own connection; nothing else is asked of the bank', async () => {
  const { trail } = world;
  const [browser, sam] = [await world.connected(), await world.signedIn('sam')];
  const own = await hoodOf(browser);
  await world.begin(sam);
  await sam.get(bank.callback());
  await sam.get(`${origin}/dashboard`);
  const theirs = await hoodOf(sam);
  const [mine = '', others = ''] = [interactionIn(own.body), interactionIn(theirs.body)];
  assert.notEqual(mine, others);
  trail.asked.length = 0;
  const refused: readonly (readonly [BrowserClient, string, number])[] = [
    [browser, `${own.path}/record`, 400],
    [browser, `${own.path}/record?interaction=`, 400],
    [browser, `${own.path}/record?interaction=${mine.toUpperCase()}x`, 400],
    [browser, `${own.path}/record?interaction=${mine}'%20or%20'1`, 400],
    [browser, `${own.path}/record?interaction=${mine}&interaction=${others}`, 400],
    [browser, `${own.path}/record?interaction=${randomUUID()}`, 404],
    [browser, `${own.path}/record?interaction=${others}`, 404],
    [browser, `${theirs.path}/record?interaction=${others}`, 404],
    [browser, `/banks/one/record?interaction=${mine}`, 404],
    [browser, `/banks/nobody/record?interaction=${mine}`, 404],
    [sam, `${own.path}/record?interaction=${mine}`, 404],
    [world.browser(), `${own.path}/record?interaction=${mine}`, 303],
  ];
  for (const [who, path, status] of refused) assert.equal((await who.get(`${origin}${path}`)).status, status, path);
  assert.deepEqual(trail.asked, []);
  trail.records = undefined;
  const down = await browser.get(`${origin}${own.path}/record?interaction=${mine}`);
  assert.equal(down.status, 502);
  assert.match(down.body, /cannot be asked at the moment/);
  assert.doesNotMatch(down.body, /503/);
  trail.records = [];
  assert.match((await browser.get(`${origin}${own.path}/record?interaction=${mine}`)).body, /No record/);
});

test('SCR-29 the bank’s record: labelled, escaped, and how far the checks came', async () => {
  const browser = await world.connected();
  const own = await hoodOf(browser);
  const interaction = interactionIn(own.body);
  const show = async (record: Partial<TrailRecord>) => {
    world.trail.records = [{ ...RECORD, ...record }];
    const { status, body } = await browser.get(`${origin}${own.path}/record?interaction=${interaction}`);
    assert.equal(status, 200);
    assert.match(body, /In the sandbox only:.*no third party ever sees it/);
    const rows = [...body.matchAll(/<tr><th scope="row">\d+\. ([\w-]+) <small>.*?<\/th><td>(.*?)<\/td>/g)];
    return { body, rows: rows.map(([, id, verdict = '']) => [id, verdict.replaceAll(/<[^>]+>/g, '')] as const) };
  };
  const facts = new Map<string, unknown>([
    ['check', 'token-bound'],
    ['route', '<b>'],
    ['role', null],
  ]);
  const refused = await show({ outcome: 'refused', action: 'request.refused', reason: 'certificate_not_bound', facts });
  assert.match(refused.body, /<code>&lt;b&gt;<\/code>/);
  const verdicts = new Map(refused.rows);
  assert.equal(verdicts.get('token-active'), 'passed');
  assert.equal(verdicts.get('token-bound'), 'refused certificate_not_bound');
  assert.equal(verdicts.get('client-known'), 'not reached');
  assert.equal(verdicts.get('trail-writable'), 'not reached');
  const passed = await show({});
  assert.equal(passed.rows.length, refused.rows.length);
  assert.ok(passed.rows.every(([, verdict]) => verdict.startsWith('passed')));
  assert.match(new Map(passed.rows).get('payment-body') ?? '', /or not asked/);
  // What is refused before the gateway knows the route has no check to its name, and none may look as if it passed.
  assert.deepEqual((await show({ outcome: 'refused', action: 'request.refused' })).rows, []);
  assert.deepEqual((await show({ family: 'token', action: 'token.answered' })).rows, []);
});

const RECORD: TrailRecord = {
  ...{ at: '2026-05-15T12:00:00.123Z', family: 'gateway', action: 'request.forwarded', outcome: 'allowed' },
  ...{ reason: undefined, detail: undefined, participant: 'financroo', client: 'client-1', consent: 'consent-1' },
  ...{ facts: new Map<string, unknown>([['check', null]]), chain: 'chain-1', sequence: 7, hash: 'hash-1' },
};

/** The messages of this user's first connection, and the path of it. */
async function hoodOf(browser: BrowserClient) {
  const path = /\/connections\/[\w-]+/.exec((await browser.get(`${origin}/dashboard`)).body)?.[0];
  return { path, body: (await browser.get(`${origin}${path}/messages`)).body };
}

function interactionIn(body: string): string {
  return /record\?interaction=([\w-]+)/.exec(body)?.[1] ?? '';
}

test('SCR-29 under the hood: a signature of an unpublished key, and a token bound to somebody else, look like what they are', async () => {
  const browser = await world.signedIn('sam');
  await world.begin(browser);
  bank.lies.foreignKey = true;
  bank.lies.answers['/introspect'] = { status: 200, body: { active: true, cnf: { 'x5t#S256': 'A'.repeat(43) } } };
  await browser.get(bank.callback());
  const flow = /<option value="(connection:[\w-]+)"/.exec((await browser.get(`${origin}/compare`)).body)?.[1];
  const path = flow?.replace(':', 's/').replace('connections', '/connections');
  const page = (await browser.get(`${origin}${path}/messages`)).body;
  assert.match(page, /signature does not hold<\/span> <code>id_token<\/code>: PS256 with key <code>one<\/code>/);
  assert.match(page, /signature holds<\/span> <code>client_assertion<\/code>/);
  bank.lies.foreignKey = false;
  await world.begin(browser);
  await browser.get(bank.callback());
  const { body } = await hoodOf(browser);
  assert.match(body, /signature holds<\/span> <code>id_token<\/code>/);
  assert.match(body, /bound to <code>A{43}<\/code>[\s\S]*not the same[\s\S]*of the certificate of financroo/);
});
