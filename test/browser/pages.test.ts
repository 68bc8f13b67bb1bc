import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Refusal } from '../../src/platform/refusal.ts';
import { axeFindings, axeLooksAt } from '../support/axe.ts';
import { isTooWide, openChromium, openContext, type View } from '../support/chromium.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { openPages, type PageWorld, pageBank } from '../support/pages.ts';

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'var', 'screenshots');
const views: readonly View[] = [
  { width: 360, colorScheme: 'light' },
  { width: 360, colorScheme: 'dark', locale: 'de-DE' },
  { width: 1440, colorScheme: 'light' },
  { width: 1440, colorScheme: 'dark' },
];

let database: TestDatabase;
let world: PageWorld;
let browser: Browser;

before(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  database = await openTestDatabase();
  world = await openPages(database, [
    pageBank(),
    pageBank({ id: 'hyperscale', name: 'Hyperscale Bank', colour: '#ffd100', showTestUsers: undefined }),
  ]);
  browser = await openChromium();
});
after(async () => {
  await browser.close();
  await world.close();
  await database.close();
});

/** Looks at a page as it stands: nothing too wide, no accessibility finding, one picture. */
async function look(page: Page, name: string, view: View): Promise<void> {
  const file = `${name}-${view.width}-${view.colorScheme}.png`;
  await page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true });
  assert.equal(await isTooWide(page), false, `${file} is too wide`);
  if (axeLooksAt(view)) assert.deepEqual(await axeFindings(page), [], file);
}

async function signIn(page: Page, password = 'p@ssword!'): Promise<void> {
  await page.locator('#username').fill('user');
  await page.locator('#password').fill(password);
  await page.locator('form button[type=submit]').first().click();
}

/** The page lies open until its request is over, and is looked at again (N-109). */
async function runOut(page: Page): Promise<void> {
  const opened = world.now;
  world.forget();
  world.now = new Date(opened.getTime() + 601_000);
  await page.reload();
  await page.locator('main a[role=button]').waitFor();
  world.now = opened;
}

for (const view of views) {
  test(`every page at ${view.width} px, ${view.colorScheme}: nothing too wide, no accessibility finding`, async () => {
    for (const bank of ['gobank', 'hyperscale']) {
      const context = await openContext(browser, view);
      const page = await context.newPage();
      await page.goto(world.start({}, bank));
      await look(page, `${bank}-sign-in`, view);
      await signIn(page, 'wrong');
      await page.getByRole('alert').waitFor();
      await look(page, `${bank}-sign-in-failed`, view);
      await signIn(page);
      await page.locator('input[name=account]').first().waitFor();
      await look(page, `${bank}-consent`, view);
      await page.locator('form button[type=submit]').first().click();
      await page.getByRole('alert').waitFor();
      await page.getByLabel('Rainy days').check();
      await look(page, `${bank}-consent-none-ticked`, view);
      const address = page.url();
      await page.locator('form button[type=submit]').first().click();
      await page.waitForURL(`${world.tpp}/callback?code=c`);
      await page.goto(address);
      await look(page, `${bank}-decided`, view);
      if (bank === 'gobank') {
        await page.goto(`${world.origin}/${bank}/interaction/unknown`);
        await look(page, `${bank}-expired`, view);
      } else {
        await page.goto(world.start({}, bank));
        await runOut(page);
        await look(page, `${bank}-timed-out`, view);
      }
      await context.close();
    }
  });
}

test('a bank that is down, with a way on', async () => {
  const view: View = { width: 1440, colorScheme: 'light' };
  const context = await openContext(browser, view);
  const page = await context.newPage();
  await page.goto(world.start());
  world.bankRefusal = new Refusal('upstream_unavailable', 502, 'The bank behind us gave no usable answer.');
  await signIn(page);
  await page.getByRole('alert').waitFor();
  await look(page, 'gobank-bank-down', view);
  world.bankRefusal = undefined;
  await page.getByRole('link', { name: 'Try again' }).click();
  await signIn(page);
  await page.getByText('Accounts to share').waitFor();
  await context.close();
});

test('the whole way without scripts and by keyboard alone', async () => {
  const context = await openContext(browser, { width: 1440, colorScheme: 'light', scripts: false });
  const page = await context.newPage();
  await page.goto(world.start());
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('user');
  await page.keyboard.press('Tab');
  await page.keyboard.type('p@ssword!');
  await page.keyboard.press('Enter');
  await page.getByText('Accounts to share').waitFor();
  for (let presses = 0; presses < 20 && (await page.locator('input:focus').count()) === 0; presses += 1)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  for (let presses = 0; presses < 20 && (await page.locator('button:focus').count()) === 0; presses += 1)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${world.tpp}/callback?code=c`);
  assert.deepEqual(world.decisions.at(-1)?.accounts, ['22289']);
  await context.close();
});

test('N-225 agree clicked twice leads back to the third party with one decision', async () => {
  const context = await openContext(browser, { width: 360, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(world.start());
  await signIn(page);
  await page.getByLabel('Everyday').check();
  const before = world.decisions.length;
  // The second click breaks off the first one's navigation: what counts is where the browser ends up.
  const arrived = page.waitForEvent('framenavigated', (frame) => frame.url() === `${world.tpp}/callback?code=c`);
  await page.getByRole('button', { name: 'Agree and share' }).dblclick();
  await arrived;
  assert.equal(world.decisions.length, before + 1);
  await context.close();
});

test('back after the decision shows what was decided, cancel leads back too', async () => {
  const context = await openContext(browser, { width: 360, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(world.start());
  await signIn(page);
  await page.getByRole('button', { name: 'Cancel, share nothing' }).click();
  await page.waitForURL(`${world.tpp}/callback?error=access_denied`);
  await page.goBack();
  await page.getByText('You declined. Financroo Ltd was given nothing.').waitFor();
  await context.close();
});

test('N-218 another site cannot frame the consent page', async () => {
  const context = await openContext(browser, { width: 1440, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(`${world.tpp}/`);
  const start = world.start();
  await page.evaluate(`document.body.innerHTML = '<iframe src="${start}"></iframe>'`);
  await page.waitForTimeout(500);
  const texts = await Promise.all(page.frames().map((frame) => frame.locator('body').textContent()));
  assert.ok(!texts.some((text) => text?.includes('Sign in')));
  await context.close();
});
