import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { addressesOf, ownPorts } from '../../sandbox/configuration.ts';
import { openChromium } from '../support/chromium.ts';
import { customerOf } from '../support/financroo-customer.ts';
import { portalCustomerOf } from '../support/portal-customer.ts';

const TARGET = join(import.meta.dirname, '..', '..', 'docs', 'pictures');
/** Pictures are so wide, in pixels; a page that needs more room is drawn smaller. */
const WIDTH = 760;
/** Financroo's dashboard puts things side by side from here on. */
const DASHBOARD_WIDTH = 1_140;
/** Uses of a consent are written every ten seconds, in milliseconds. */
const USE_WRITTEN = 11_000;

/** The README's pictures, taken from the sandbox that runs: `npm start`, then `node_modules/.bin/node test/browser/pictures.ts`. */
async function takePictures(): Promise<void> {
  await mkdir(TARGET, { recursive: true });
  const { financroo, portal } = addressesOf(ownPorts());
  const browser = await openChromium();
  try {
    const page = await openPage(browser, DASHBOARD_WIDTH);
    const customer = customerOf(page, financroo);
    await customer.signIn();
    await customer.connect('Hyperscale Bank', ['Everyday', 'Travel card']);
    await customer.toBank('Go Bank');
    await customer.signInAtBank();
    await take(page, 'consent', 1_460);
    await customer.agree();
    await page.getByText('Go Bank is connected.').waitFor();
    await page.getByText('Fetching accounts').waitFor({ state: 'detached' });
    await page.goto(`${financroo}/dashboard`);
    await take(page, 'financroo', 1_560);
    const bankSide = portalCustomerOf(await openPage(browser, WIDTH), portal, 'gobank');
    await bankSide.signIn();
    const [latest] = await bankSide.shares();
    if (latest === undefined) throw new Error('the portal shows no consent');
    await bankSide.page.waitForTimeout(USE_WRITTEN);
    await bankSide.history(latest.consent);
    await take(bankSide.page, 'portal', 980);
  } finally {
    await browser.close();
  }
}

function openPage(browser: Browser, width: number): Promise<Page> {
  return browser.newPage({
    viewport: { width, height: 900 },
    deviceScaleFactor: WIDTH / width,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    ignoreHTTPSErrors: true,
  });
}

/** The upper part of a page. */
async function take(page: Page, name: string, height: number): Promise<void> {
  const { width } = page.viewportSize() ?? { width: WIDTH };
  const clip = { x: 0, y: 0, width, height };
  await page.screenshot({ path: join(TARGET, `${name}.png`), fullPage: true, clip });
}

await takePictures();
