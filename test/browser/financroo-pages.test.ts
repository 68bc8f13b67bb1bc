import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { pagePaths } from '../../sandbox/tpp/financroo/routes.ts';
import { axeFindings } from '../support/axe.ts';
import { isTooWide, openChromium, openContext } from '../support/chromium.ts';
import { customerOf } from '../support/financroo-customer.ts';
import { openTestSandbox, type TestSandbox } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'var', 'screenshots');
const VIEWS = [
  { width: 1440, colorScheme: 'light', axe: true },
  { width: 1440, colorScheme: 'dark', axe: false },
  { width: 360, colorScheme: 'light', axe: false },
  // Axe takes its time: these two views have every colour and every layout between them.
  { width: 360, colorScheme: 'dark', axe: true },
] as const;
type View = (typeof VIEWS)[number];

const root = await temporaryDirectory();
let sandbox: TestSandbox;
let browser: Browser;
let origin: string;
/** Paths that axe has looked at. */
const seen = new Set<string>();

before(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  sandbox = await openTestSandbox(root);
  origin = `https://localhost:${sandbox.ports.financroo}`;
  browser = await openChromium();
});
after(async () => {
  await browser?.close();
  await sandbox?.stop();
});

/** Looks at a page on phone and desktop, light and dark: nothing too wide, no accessibility finding, a picture of each. */
async function look(page: Page, name: string, prepare = async () => {}, views: readonly View[] = VIEWS): Promise<void> {
  for (const { width, colorScheme, axe } of views) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    // Loaded anew, as a customer with these settings would see it: a change under way leaves colours half changed.
    await page.reload();
    await prepare();
    const file = `financroo-${name}-${width}-${colorScheme}.png`;
    await page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true });
    assert.equal(await isTooWide(page), false, `${file} is too wide`);
    if (axe) seen.add(new URL(page.url()).pathname);
    if (axe) assert.deepEqual(await axeFindings(page), [], file);
  }
}

test('SCR-24 SCR-25 SCR-26 SCR-27 SCR-28 SCR-29 every page on phone and desktop, light and dark: nothing too wide, no accessibility finding', async () => {
  const context = await openContext(browser, { width: 1440, colorScheme: 'light' });
  const page = await context.newPage();
  const customer = customerOf(page, origin);
  const see = async (path: string, name: string) => {
    await page.goto(`${origin}${path}`);
    await look(page, name);
  };
  await see('/', 'start');
  await customer.signIn();
  await look(page, 'empty');
  await see('/banks', 'banks');
  await see('/banks/gobank', 'asking');
  await see('/banks/gobank/messages', 'registration');
  await page.getByRole('link', { name: 'The bank’s record' }).nth(1).click();
  // The same page as that of a connection's message, which is looked at in every view.
  await look(page, 'record-registration', undefined, VIEWS.slice(-1));
  await customer.connect('Go Bank');
  await customer.connect('Lab Bank', ['Everyday', 'Travel card']);
  await see('/dashboard', 'dashboard');
  const consent = await customer.permission();
  await look(page, 'connection');
  await page.getByRole('link', { name: 'Under the hood' }).click();
  await look(page, 'messages', async () => {
    for (const summary of (await page.locator('summary').all()).slice(0, 7)) await summary.click();
  });
  const hood = page.url();
  await page.getByRole('link', { name: 'The bank’s record' }).last().click();
  await look(page, 'record');
  await page.goto(hood);
  await page.getByRole('link', { name: 'Change one thing' }).click();
  await look(page, 'experiments');
  await page.getByRole('button', { name: 'Send: a request without PKCE' }).click();
  await look(page, 'experiment');
  await page.goto(hood);
  await page.getByRole('link', { name: 'Compare with another' }).click();
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByText('only in').first().waitFor();
  await look(page, 'compare');
  await see('/pay', 'pay');
  await page.getByLabel('Amount').fill('999999');
  await page.getByRole('button', { name: 'Continue' }).click();
  await look(page, 'pay-summary');
  await page.getByRole('button', { name: /^Pay/ }).click();
  await look(page, 'pay-declined');
  await see('/settings', 'settings');
  await see('/callback?state=unknown&code=c', 'refused');
  await sandbox.command('consent', 'revoke', 'gobank', consent);
  await see('/dashboard', 'withdrawn');
  await see('/nothing-here', 'not-found');
  await context.close();
  const patterns = pagePaths.map((path) => [path, new RegExp(`^${path.replaceAll('*', '[\\w-]+')}$`)] as const);
  const unseen = patterns.filter(([, pattern]) => ![...seen].some((path) => pattern.test(path)));
  assert.deepEqual(
    unseen.map(([path]) => path),
    [],
    'axe looks at every page there is',
  );
});
