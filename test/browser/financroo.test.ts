import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { createBrowserClient } from '../support/browser-client.ts';
import { openChromium, openContext, type View } from '../support/chromium.ts';
import { type Customer, customerOf } from '../support/financroo-customer.ts';
import { openTestSandbox, type TestSandbox } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const DESKTOP: View = { width: 1440, colorScheme: 'light' };
/** Of the sandbox's customer `user`, by bank. */
const ALL = ['Everyday', 'Rainy day', 'Travel card', 'Household'];

const root = await temporaryDirectory();
let sandbox: TestSandbox;
let browser: Browser;
let origin: string;

before(async () => {
  sandbox = await openTestSandbox(root);
  origin = `https://localhost:${sandbox.ports.financroo}`;
  browser = await openChromium();
});
after(async () => {
  await browser?.close();
  await sandbox?.stop();
});

/** Runs in a browser of its own, signed in to Financroo; a script or style that was refused fails the test. */
async function asCustomer(work: (customer: Customer) => Promise<void>, user = 'robin'): Promise<void> {
  const context = await openContext(browser, DESKTOP);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (400|404|401|502)/.test(message.text()))
      complaints.push(message.text());
  });
  const customer = customerOf(page, origin);
  try {
    await customer.signIn(user);
    await work(customer);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, []);
}

/** Ends every connection, so that the next test begins without. */
async function leaveAll({ page }: Customer): Promise<void> {
  await page.goto(`${origin}/settings`);
  await page.getByRole('button', { name: 'Delete my data' }).click();
  await page.getByText('Everything is gone, and every bank confirmed it.').waitFor();
}

test('CLD-09 the start page answers 200 with a chain to the sandbox root', async () => {
  const client = createBrowserClient(sandbox.rootPem);
  const answer = await client.get(`${origin}/`);
  client.close();
  assert.equal(answer.status, 200);
  assert.match(String(answer.headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/);
});

test('CLD-16 CLD-17 every bank is ready, with a client of its own', async () => {
  await asCustomer(async ({ page }) => {
    await page.goto(`${origin}/banks`);
    const banks = await page.locator('section.bank').count();
    assert.ok(banks >= 2);
    assert.equal(await page.getByText('Financroo is registered here as').count(), banks);
  });
});

for (const [first, second, user] of [
  ['Go Bank', 'Hyperscale Bank', 'robin'],
  ['Hyperscale Bank', 'Go Bank', 'sam'],
] as const) {
  test(`CLD-30 ${first} first, then ${second}: exactly the ticked accounts appear`, async () => {
    const work = async (customer: Customer) => {
      await customer.connect(first, ['Everyday']);
      assert.deepEqual(await customer.accounts(), [`${first}: Everyday`]);
      await customer.connect(second);
      const expected = [`${first}: Everyday`, ...ALL.map((name) => `${second}: ${name}`)];
      assert.deepEqual((await customer.accounts()).toSorted(), expected.toSorted());
      await leaveAll(customer);
    };
    await asCustomer(work, user);
  });
}

test('SCR-29 under the hood: the whole way in order, bound to our certificate, without a secret', async () => {
  await asCustomer(async (customer) => {
    const { page } = customer;
    await customer.connect('Go Bank');
    await customer.permission();
    await page.getByRole('link', { name: 'Under the hood' }).click();
    const titles = await page.locator('ol.messages h2').allInnerTexts();
    const order = [
      'Discovery',
      'Registration',
      'The request is pushed',
      'The browser goes to the bank',
      'The browser comes back',
      'The code becomes tokens',
      'What is this token worth?',
      'The bank’s API: accounts',
    ].map((title) => titles.findIndex((text) => text.endsWith(title)));
    assert.ok(!order.includes(-1), titles.join());
    assert.deepEqual(
      order,
      order.toSorted((one, other) => one - other),
    );
    await page.getByText('bound to us', { exact: true }).first().waitFor();
    const signatures = (await page.locator('ul.signatures li').allInnerTexts()).join('\n');
    for (const name of ['software_statement', 'client_assertion', 'id_token']) {
      assert.match(signatures, new RegExp(`signature holds ${name}: (ES|PS)256 with key`), signatures);
    }
    assert.match(signatures, /id_token: .*keys at https:.*\/gobank\/jwks/);
    assert.doesNotMatch(signatures, /does not hold|not checked/);
    await page.locator('#certificates summary').click();
    await page.getByText('Portcullis Sandbox Authority (XX-SANDBOX)').waitFor();
    assert.match(await page.locator('#certificates').innerText(), /financroo: AISP, PISP, CBPII/);
    const arrows = await page.locator('svg.lanes a').count();
    assert.equal(arrows, titles.length);
    await page.locator('svg.lanes a').last().click();
    assert.match(page.url(), new RegExp(`#message-${titles.length}$`));
    await page.getByRole('link', { name: /^Through the browser/ }).click();
    await page.getByRole('heading', { name: 'Discovery' }).first().waitFor({ state: 'detached' });
    assert.equal(await page.locator('ol.messages h2').count(), 2);
    await page.getByRole('link', { name: /^All/ }).click();
    await page.getByRole('heading', { name: 'Discovery' }).first().waitFor();
    const text = String(await page.locator('main').textContent());
    assert.doesNotMatch(text, /eyJ[\w-]{10,}\.eyJ|Bearer [\w-]{20}|PRIVATE KEY/);
    assert.match(text, /"client_assertion": \{\s+"header"/);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download as JSON' }).click();
    assert.equal((await download).suggestedFilename(), 'financroo-gobank-messages.json');
    await page.locator('ol.messages summary').first().click();
    await page.getByRole('button', { name: 'Copy' }).first().waitFor();
    await page.getByRole('link', { name: 'Change one thing' }).click();
    await tryEverything(customer);
    await readRecord(customer);
    await page.goto(`${origin}/dashboard`);
    assert.equal((await customer.accounts()).length, ALL.length, 'experiments leave the connection as it was');
    await leaveAll(customer);
  });
});

/** Makes every experiment of the page; each is refused as it says, or taken. */
async function tryEverything({ page }: Customer): Promise<void> {
  const address = page.url();
  for (const [button, said] of EXPERIMENTS) {
    await page.goto(address);
    await page.getByRole('button', { name: button }).click();
    const last = page.locator('ol.messages > li').last();
    await last.getByText('on purpose').waitFor();
    assert.match(await last.innerText(), said, button);
  }
  const count = await page.locator('ol.messages > li').count();
  await page.reload();
  assert.equal(await page.locator('ol.messages > li').count(), count, 'a reload makes no experiment');
}

/** The token was sent with another's certificate: drawn on the page, and noted by the bank, whose staff would read it so. */
async function readRecord({ page }: Customer): Promise<void> {
  const experiment = page.locator('ol.messages > li').filter({ hasText: 'with the certificate of suspendedpay' });
  const drawing = experiment.getByRole('group', { name: 'Token and certificate' });
  assert.match(
    await drawing.innerText(),
    /certificate of financroo[\s\S]*not the same[\s\S]*certificate of suspendedpay/,
  );
  const [bound, shown] = await drawing.locator('code').allInnerTexts();
  assert.ok(bound !== undefined && shown !== undefined && bound !== shown);
  await experiment.getByRole('link', { name: 'The bank’s record' }).click();
  await page.getByText('In the sandbox only:').waitFor();
  const noted = await page.locator('main').innerText();
  for (const word of ['request.refused', 'certificate_not_bound', 'other_certificate', shown]) {
    assert.ok(noted.includes(word), word);
  }
  const row = page.getByRole('row', { name: /token-bound/ });
  assert.match(await row.innerText(), /RFC 8705 §3[\s\S]*refused certificate_not_bound/);
  assert.match(await page.getByRole('row', { name: /client-known/ }).innerText(), /not reached/);
}

const TRACED = 'Trace id\\s+[\\w-]{36}\\s+';
const EXPERIMENTS = [
  ['Send: a request without PKCE', new RegExp(`400\\s+Code\\s+invalid_request\\s+${TRACED}Sentence\\s+.*PKCE`)],
  ['Send: a request without nonce', /taken\s+Answered 201/],
  ['Send: a client assertion for somebody else', new RegExp(`401\\s+Code\\s+invalid_client\\s+${TRACED}Sentence`)],
  ['Send: the same client assertion twice', new RegExp(`401\\s+Code\\s+invalid_client\\s+${TRACED}Sentence`)],
  ['Send: the token with another certificate', new RegExp(`401\\s+Code\\s+certificate_not_bound\\s+${TRACED}Sentence`)],
  [
    'Send: the token without a certificate',
    /the connection ended, nothing was answered[\s\S]*The connection has no certificate/,
  ],
] as const;

test('SCR-27 pay: approved once though clicked twice, declined told apart', async () => {
  await asCustomer(async (customer) => {
    const { page } = customer;
    await customer.connect('Lab Bank', ['Everyday']);
    const pay = async (amount: string) => {
      await page.goto(`${origin}/pay`);
      await page.getByLabel('Amount').fill(amount);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('button', { name: /^Pay/ }).dblclick();
    };
    const balance = page.getByRole('table', { name: 'Accounts' }).locator('td').first();
    const before = await balance.innerText();
    await pay('1.23');
    await page.getByRole('heading', { name: 'Paid' }).waitFor();
    await page.goto(`${origin}/dashboard`);
    const cents = (text: string) => Math.round(Number(text.split('\n')[0]?.replaceAll(/[^\d.]/g, '')) * 100);
    assert.equal(cents(before) - cents(await balance.innerText()), 123);
    await pay('999999');
    await page.getByText('said no: insufficient funds').waitFor();
    await leaveAll(customer);
  });
});

test('SCR-26 search, filter, order and pages of transactions; charts follow currency and month', async () => {
  await asCustomer(async (customer) => {
    const { page } = customer;
    await customer.connect('Go Bank');
    const all = await page.getByText(/\d+ found, page 1 of/).innerText();
    await page.getByRole('link', { name: 'Next page' }).click();
    await page.getByText(/found, page 2 of/).waitFor();
    await page.getByLabel('Search').fill('salary');
    await page.locator('#transactions').getByRole('button', { name: 'Show' }).click();
    assert.notEqual(await page.getByText(/\d+ found/).innerText(), all);
    assert.ok((await page.getByRole('cell', { name: /Salary/ }).count()) > 5);
    await page.getByLabel('Currency').selectOption('USD');
    await page.locator('#spending').getByRole('button', { name: 'Show' }).click();
    await page.getByRole('img', { name: 'Spending by month in USD' }).waitFor();
    await leaveAll(customer);
  });
});

test('two tabs at once, back and forward, and a sign-out in between', async () => {
  await asCustomer(async (customer) => {
    const { page } = customer;
    const other = customerOf(await page.context().newPage(), origin);
    await customer.toBank('Go Bank');
    await other.toBank('Lab Bank');
    await customer.signInAtBank();
    await other.signInAtBank();
    await customer.agree(['Everyday']);
    await page.getByText('Go Bank is connected.').waitFor();
    await other.agree(['Household']);
    await other.page.getByText('Lab Bank is connected.').waitFor();
    await page.goto(`${origin}/dashboard`);
    assert.deepEqual(await customer.accounts(), ['Go Bank: Everyday', 'Lab Bank: Household']);
    await customer.toBank('Go Bank');
    await customer.signInAtBank();
    await other.page.getByRole('button', { name: 'Sign out' }).click();
    await other.page.getByRole('heading', { name: 'Sign in to Financroo' }).waitFor();
    await customer.agree(['Everyday']);
    await page.getByText('nobody is signed in to Financroo. Nothing was exchanged').waitFor();
    await customer.signIn();
    await leaveAll(customer);
  });
});
