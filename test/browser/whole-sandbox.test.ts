import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { axeFindings } from '../support/axe.ts';
import { isTooWide, openChromium, openContext, type View } from '../support/chromium.ts';
import { type Customer, customerOf } from '../support/financroo-customer.ts';
import { press, type } from '../support/keyboard.ts';
import { portalCustomerOf } from '../support/portal-customer.ts';
import { openTestSandbox, type TestSandbox } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'var', 'screenshots');
const DESKTOP: View = { width: 1440, colorScheme: 'light' };
const VIEWS = [
  { width: 1440, colorScheme: 'light', axe: true },
  { width: 1440, colorScheme: 'dark', axe: false },
  { width: 360, colorScheme: 'light', axe: false },
  // Axe takes its time: these two views have every colour and every layout between them.
  { width: 360, colorScheme: 'dark', axe: true },
] as const;
/** One keeps its consents with the platform, the other in a service of its own. */
const BANKS = [
  { id: 'gobank', name: 'Go Bank' },
  { id: 'hyperscale', name: 'Hyperscale Bank' },
] as const;

const root = await temporaryDirectory();
let sandbox: TestSandbox;
let browser: Browser;
let origin: string;
let portal: string;

before(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  sandbox = await openTestSandbox(root);
  origin = `https://localhost:${sandbox.ports.financroo}`;
  portal = `https://localhost:${sandbox.ports.portal}`;
  browser = await openChromium();
});
after(async () => {
  await browser?.close();
  await sandbox?.stop();
});

/** Runs in a browser of its own. */
async function inBrowser(work: (page: Page) => Promise<void>, view: View = DESKTOP): Promise<void> {
  const context = await openContext(browser, view);
  try {
    await work(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Looks at a page that is there on the real platform alone: nothing too wide, no finding, four pictures. */
async function look(page: Page, name: string): Promise<void> {
  for (const { width, colorScheme, axe } of VIEWS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const file = `${name}-${width}-${colorScheme}.png`;
    await page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true });
    assert.equal(await isTooWide(page), false, `${file} is too wide`);
    if (axe) assert.deepEqual(await axeFindings(page), [], file);
  }
  await page.setViewportSize({ width: DESKTOP.width, height: 900 });
}

/** Forgets cookies whose name says so, as a browser does when their time is over. */
async function loseCookies(page: Page, name: RegExp): Promise<void> {
  const gone = (await page.context().cookies()).filter((cookie) => name.test(cookie.name));
  assert.ok(gone.length > 0, 'there was something to lose');
  await page.context().clearCookies({ name });
}

async function signInAtBank(page: Page, user: string, password: string): Promise<void> {
  await page.locator('#username').fill(user);
  await page.locator('#password').fill(password);
  await page.locator('form button[type=submit]').first().click();
}

async function isEmpty({ page }: Customer): Promise<void> {
  await page.goto(`${origin}/dashboard`);
  await page.getByText('No bank is connected yet').waitFor();
}

for (const { id, name } of BANKS) {
  test(`${name}: tick none, untick one, agree twice, back and forward: one consent of exactly what was ticked`, async () => {
    await inBrowser(async (page) => {
      const customer = customerOf(page, origin);
      await customer.signIn();
      await customer.toBank(name);
      await customer.signInAtBank();
      await page.getByRole('button', { name: 'Agree and share' }).click();
      await page.getByRole('alert').getByText('Tick at least one account').waitFor();
      await page.reload();
      for (const box of await page.locator('input[name=account]').all()) await box.check();
      await page.getByLabel('Household').uncheck();
      await page.getByRole('button', { name: 'Agree and share' }).dblclick();
      await page.getByText(`${name} is connected.`).waitFor();
      const own = ['Everyday', 'Rainy day', 'Travel card'].map((account) => `${name}: ${account}`);
      assert.deepEqual((await customer.accounts()).toSorted(), own.toSorted());

      await page.goBack();
      await page.getByText('You agreed to share data with Financroo').waitFor();
      // The page came twice: the second time with the sentence that nothing was ticked.
      for (const asked = page.url(); page.url() === asked; ) await page.goBack();
      await page.getByText('has been answered already. Nothing was changed by opening it.').waitFor();
      await page.getByText('Go back to the app or site you came from').waitFor();
      await page.goForward();
      await page.reload();
      await page.getByText('You agreed to share data with Financroo').waitFor();
      while (!page.url().startsWith(origin)) await page.goForward();
      await page.getByRole('heading', { name: 'Your money' }).waitFor();
      assert.deepEqual((await customer.accounts()).toSorted(), own.toSorted());

      const consent = await customer.permission();
      const bankSide = portalCustomerOf(await page.context().newPage(), portal, id);
      await bankSide.signIn();
      const active = (await bankSide.shares()).filter(({ state }) => state === 'Authorised');
      assert.deepEqual(active, [{ consent, state: 'Authorised' }]);
    });
  });

  test(`CLD-48 N-119 ${name}: stopped at 8084 Financroo notices; disconnected at Financroo 8084 notices`, async () => {
    await inBrowser(async (page) => {
      const customer = customerOf(page, origin);
      await customer.signIn();
      const first = await customer.permission();
      const bankSide = portalCustomerOf(await page.context().newPage(), portal, id);
      await bankSide.signIn();
      await bankSide.history(first);
      await bankSide.page.locator('a.stop').click();
      await bankSide.page.getByRole('button', { name: 'Stop sharing now' }).click();
      await bankSide.page.locator('[data-state=Revoked]').waitFor();

      await page.goto(`${origin}/dashboard`);
      await page.getByText('withdrawn', { exact: true }).waitFor();
      assert.deepEqual(await customer.accounts(), []);
      await page.getByRole('link', { name: 'Reconnect' }).click();
      await page.getByRole('button', { name: `Continue to ${name}` }).click();
      await customer.signInAtBank();
      await customer.agree(['Household']);
      await page.getByText(`${name} is connected.`).waitFor();
      assert.deepEqual(await customer.accounts(), [`${name}: Household`]);

      const second = await customer.permission();
      assert.notEqual(second, first);
      await page.getByRole('button', { name: `Disconnect ${name}` }).click();
      await page.getByText(`${name} is disconnected: the bank confirmed`).waitFor();
      await page.getByRole('link', { name: 'See how, under the hood' }).click();
      await page.getByRole('heading', { name: 'The token is given back' }).waitFor();
      const last = page.locator('ol.messages > li').last();
      await last.locator('summary').click();
      assert.match(await last.innerText(), /"active": false/);
      const states = new Map((await bankSide.shares()).map((share) => [share.consent, share.state]));
      assert.deepEqual([states.get(first), states.get(second)], ['Revoked', 'Revoked']);
      assert.match((await bankSide.history(second)).at(-1) ?? '', /^Stopped by Financroo/);
      assert.match((await bankSide.history(first)).at(-1) ?? '', /^Stopped by you/);
    });
  });

  test(`CLD-27 ${name}: cancelled before and after signing in: a sentence at Financroo, and nothing active at the bank`, async () => {
    await inBrowser(async (page) => {
      const customer = customerOf(page, origin);
      await customer.signIn('sam');
      await customer.toBank(name);
      await page.getByRole('button', { name: 'Cancel and go back' }).click();
      await page.getByRole('alert').getByText(`You cancelled at ${name}. Nothing was shared`).waitFor();
      await customer.toBank(name);
      await customer.signInAtBank();
      await customer.cancel();
      await page.getByRole('alert').getByText(`You cancelled at ${name}. Nothing was shared`).waitFor();
      await isEmpty(customer);
      const bankSide = portalCustomerOf(page, portal, id);
      await bankSide.signIn();
      const [latest, ...rest] = await bankSide.shares();
      assert.equal(latest?.state, 'Rejected');
      assert.ok(!rest.some(({ state }) => state === 'Authorised'));
    });
  });

  test(`${name}: the session is over in the middle: said what to do, nothing shared, the next try works`, async () => {
    await inBrowser(async (page) => {
      const customer = customerOf(page, origin);
      await customer.signIn('sam');
      await customer.toBank(name);
      await customer.signInAtBank();
      await page.getByLabel('Everyday').check();
      await loseCookies(page, /interaction/);
      await page.getByRole('button', { name: 'Agree and share' }).click();
      await page.getByText('Go back to the app or site you came from and start again there.').waitFor();
      await isEmpty(customer);

      await customer.toBank(name);
      await customer.signInAtBank();
      await loseCookies(page, /^__Host-financroo$/);
      await customer.agree(['Everyday']);
      await page.getByText('nobody is signed in to Financroo').waitFor();
      await page.getByRole('link', { name: 'Sign in to Financroo' }).click();
      await customer.signIn('sam');
      await isEmpty(customer);

      await customer.connect(name, ['Everyday']);
      assert.deepEqual(await customer.accounts(), [`${name}: Everyday`]);
      await customer.permission();
      await page.getByRole('button', { name: `Disconnect ${name}` }).click();
      await page.getByText(`${name} is disconnected: the bank confirmed`).waitFor();
    });
  });
}

test('CLD-24 five wrong passwords: the name is locked, at the pages and at 8084; another customer is not', async () => {
  await inBrowser(async (page) => {
    const customer = customerOf(page, origin);
    await customer.signIn('sam');
    await customer.toBank('Hyperscale Bank');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await signInAtBank(page, 'user2', `wrong ${attempt}`);
      const says = attempt < 5 ? 'That did not work. Check your user name' : 'There were too many attempts.';
      await page.getByRole('alert').getByText(says).waitFor();
    }
    await look(page, 'hyperscale-sign-in-locked');
    await signInAtBank(page, 'user2', 'p@ssword!');
    await page.getByText(/you cannot sign in until \d\d:\d\d UTC/).waitFor();
    assert.equal(await page.locator('input[name=account]').count(), 0);
    await customer.signInAtBank('user');
    await customer.cancel();
    await page.getByText('You cancelled at Hyperscale Bank.').waitFor();
    await page.goto(`${portal}/hyperscale/consents`);
    await signInAtBank(page, 'user2', 'p@ssword!');
    await page.getByText(/cannot sign in until/).waitFor();
  });
});

test('two tabs at the same bank: the later permission stands, the earlier one is given back', async () => {
  await inBrowser(async (page) => {
    const [one, two] = [customerOf(page, origin), customerOf(await page.context().newPage(), origin)];
    await one.signIn();
    await one.toBank('Hyperscale Bank');
    await two.toBank('Hyperscale Bank');
    await one.signInAtBank();
    await two.signInAtBank();
    await two.agree(['Everyday']);
    await two.page.getByText('Hyperscale Bank is connected.').waitFor();
    const earlier = await two.permission();
    await one.agree(['Travel card']);
    await page.getByText('Hyperscale Bank is connected.').waitFor();
    assert.deepEqual(await one.accounts(), ['Hyperscale Bank: Travel card']);
    const stands = await one.permission();
    const bankSide = portalCustomerOf(two.page, portal, 'hyperscale');
    await bankSide.signIn();
    const states = new Map((await bankSide.shares()).map(({ consent, state }) => [consent, state]));
    assert.deepEqual([states.get(earlier), states.get(stands)], ['Revoked', 'Authorised']);
  });
});

test('by keyboard alone and without scripts: connect, see, stop at 8084; every stop of the focus can be seen', async () => {
  const work = async (page: Page) => {
    const button = (name: string | RegExp) => page.getByRole('button', { name });
    await page.goto(origin);
    await type(page, page.getByLabel('User'), 'sam');
    await type(page, page.getByLabel('Password'), 'financroo');
    await page.keyboard.press('Enter');
    await press(page, button('Choose a bank'));
    await press(page, button('Connect').first());
    await press(page, button('Continue to Go Bank'));
    await page.locator('#username').waitFor();
    await type(page, page.locator('#username'), 'user');
    await type(page, page.locator('#password'), 'p@ssword!');
    await page.keyboard.press('Enter');
    await press(page, page.getByLabel('Household'), 'Space');
    await press(page, button('Agree and share'));
    await page.getByText('Go Bank is connected.').waitFor();
    assert.deepEqual(await customerOf(page, origin).accounts(), ['Go Bank: Household']);
    const consent = await customerOf(page, origin).permission();
    await page.goto(`${portal}/gobank/`);
    await type(page, page.locator('#username'), 'user');
    await type(page, page.locator('#password'), 'p@ssword!');
    await page.keyboard.press('Enter');
    await press(page, page.locator(`h2 a[href$="${consent}"]`));
    await press(page, page.locator('a.stop'));
    await press(page, button('Stop sharing now'));
    await page.locator('[data-state=Revoked]').waitFor();
    await page.goto(`${origin}/dashboard`);
    await page.getByText('withdrawn', { exact: true }).waitFor();
  };
  await inBrowser(work, { ...DESKTOP, scripts: false });
});

test('the engine’s own error pages say what happened and what to do, without a finding', async () => {
  await inBrowser(async (page) => {
    const issuer = `https://localhost:${sandbox.ports.issuer}`;
    await page.goto(`${issuer}/gobank/authorize?client_id=nobody&request_uri=urn:nothing`);
    await page.getByText('Go back to the app or site you came from and start again there.').waitFor();
    await look(page, 'gobank-request-refused');
    await page.goto(`${issuer}/hyperscale/interaction/unknown`);
    await page.getByText('Go back to the app or site you came from and start again there.').waitFor();
  });
});
