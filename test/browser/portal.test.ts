import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Refusal } from '../../src/platform/refusal.ts';
import { endUnused } from '../../src/web/index.ts';
import { portalRoutes } from '../../src/web/portal/routes.ts';
import { axeFindings, axeLooksAt } from '../support/axe.ts';
import { isTooWide, openChromium, openContext, type View } from '../support/chromium.ts';
import { connect, travel } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const SCREENSHOTS = join(import.meta.dirname, '..', '..', 'var', 'screenshots');
/** Paths that axe has looked at. */
const seen = new Set<string>();
const views: readonly View[] = [
  { width: 360, colorScheme: 'light' },
  { width: 360, colorScheme: 'dark', locale: 'de-DE' },
  { width: 1440, colorScheme: 'light' },
  { width: 1440, colorScheme: 'dark' },
];
const wide: View = { width: 1440, colorScheme: 'light' };

let platform: TestPlatform;
let party: ThirdParty;
let client: Registered;
let browser: Browser;
let origin: string;

before(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  platform = await startPlatform({
    banks: [
      {
        id: 'gobank',
        name: 'Go Bank',
        brand: { colour: '#0b6e4f' },
        accountChanges: true,
        reportProblem: 'mailto:help@gobank.example',
        testUsers: [{ username: 'user', password: 'p@ssword!' }],
      },
      { id: 'hyperscale', name: 'Hyperscale Bank', brand: { colour: '#ffd100' } },
    ],
  });
  party = await platform.thirdParty('financroo', ['AISP', 'PISP']);
  client = await party.register('gobank');
  origin = platform.settings.doors.portal?.origin ?? '';
  browser = await openChromium();
});
after(async () => {
  await browser.close();
  await platform.close();
});

/** Looks at a page as it stands: nothing too wide, no accessibility finding, one picture. */
async function look(page: Page, name: string, view: View): Promise<void> {
  const file = `portal-${name}-${view.width}-${view.colorScheme}.png`;
  await page.screenshot({ path: join(SCREENSHOTS, file), fullPage: true });
  assert.equal(await isTooWide(page), false, `${file} is too wide`);
  if (!axeLooksAt(view)) return;
  assert.deepEqual(await axeFindings(page), [], file);
  seen.add(new URL(page.url()).pathname);
}

async function signIn(page: Page, password = 'p@ssword!'): Promise<void> {
  await page.locator('#username').fill('user');
  await page.locator('#password').fill(password);
  await page.locator('form.panel button[type=submit]').click();
}

/** The colours of all text that shows, and of all grounds. */
const INKS = `(() => {
  const shown = [...document.body.querySelectorAll('*')].filter((one) => one.checkVisibility() && one.innerText?.trim());
  const styles = [document.documentElement, ...shown].map((one) => getComputedStyle(one));
  const clear = 'rgba(0, 0, 0, 0)';
  const grounds = styles.map(({ backgroundColor }) => backgroundColor).filter((ground) => ground !== clear);
  return [[...new Set(styles.map(({ color }) => color))], [...new Set(grounds)]];
})()`;

const staff = { kind: 'staff', reference: 'test' } as const;

/** Consents in every state a customer meets. */
async function variety(): Promise<string> {
  const revoked = await connect(platform, party, client, { accounts: ['joint'] });
  await platform.rooms.consents.revoke('gobank', revoked.consent, staff);
  await platform.rooms.tokens.deny({ bank: 'gobank', consent: revoked.consent }, staff);
  const expired = await connect(platform, party, client, { accounts: ['u1-savings'] });
  await platform.rooms.database.query('UPDATE consent.consents SET expires_at = $2 WHERE id = $1', [
    expired.consent,
    new Date(Date.now() - 1_000),
  ]);
  const { consent } = await connect(platform, party, client);
  return consent;
}

/** A consent that was revoked while its tokens live on, and one that ended because nobody took it up. */
async function unfinished(): Promise<{ readonly revoking: string; readonly unused: string }> {
  const { consents, database } = platform.rooms;
  const { consent } = await connect(platform, party, client);
  await consents.revoke('gobank', consent, staff);
  await travel(platform, await party.push(client));
  const [agreed] = await consents.list({ bank: 'gobank', client: client.id, limit: 1 });
  await database.query('UPDATE oauth.unredeemed SET look_at = $1', [new Date(0)]);
  await endUnused(platform.rooms, ['gobank']);
  return { revoking: consent, unused: agreed?.id ?? '' };
}

/** Does something while the bank's own consent store cannot be asked. */
async function storeAway(run: () => Promise<void>): Promise<void> {
  const { consents } = platform.rooms;
  const { find, revoke } = consents;
  const away = () => Promise.reject(new Refusal('consent_store_unavailable', 503, 'away', { detail: 'revoking' }));
  Object.assign(consents, { find: away, revoke: away });
  try {
    await run();
  } finally {
    Object.assign(consents, { find, revoke });
  }
}

for (const view of views) {
  test(`every page at ${view.width} px, ${view.colorScheme}: nothing too wide, no accessibility finding`, async () => {
    const consent = await variety();
    const context = await openContext(browser, view);
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await look(page, 'start', view);
    await page.goto(`${origin}/gobank/consents`);
    await look(page, 'sign-in', view);
    await signIn(page, 'wrong');
    await page.getByRole('alert').waitFor();
    await look(page, 'sign-in-failed', view);
    await signIn(page);
    await page.locator('ul.cards').waitFor();
    await look(page, 'list', view);
    await page.goto(`${origin}/gobank/consents?kind=payments&state=Rejected`);
    await look(page, 'list-empty', view);
    await page.goto(`${origin}/gobank/consents/${consent}`);
    await look(page, 'detail', view);
    await page.goto(`${origin}/gobank/consents/${consent}/accounts`);
    await page.locator('input[type=checkbox]').first().uncheck();
    await look(page, 'accounts', view);
    await page.locator('main button[type=submit]').click();
    await page.getByRole('status').waitFor();
    await look(page, 'accounts-changed', view);
    const { revoking, unused } = await unfinished();
    for (const [id, name] of [
      [revoking, 'revoking'],
      [unused, 'unused'],
    ] as const) {
      await page.goto(`${origin}/gobank/consents/${id}`);
      await page.locator(`[data-state=${name}]`).waitFor();
      await look(page, name, view);
    }
    await page.goto(`${origin}/gobank/consents/${consent}/stop`);
    await storeAway(async () => {
      await page.locator('button.stop').click();
      await page.getByRole('status').waitFor();
      await look(page, 'revoking-store-away', view);
    });
    await page.goto(`${origin}/gobank/consents/${consent}`);
    await page.locator('a.stop').click();
    await page.locator('button.stop').waitFor();
    await look(page, 'stop', view);
    await page.locator('button.stop').click();
    await page.locator('[data-state=Revoked]').waitFor();
    await look(page, 'stopped', view);
    await page.goto(`${origin}/gobank/consents/unknown`);
    await look(page, 'not-found', view);
    await page.goto(`${origin}/hyperscale/sign-in`);
    await look(page, 'hyperscale-sign-in', view);
    await context.close();
  });
}

test('SCR-10 SCR-11 SCR-12 axe has looked at every page of the portal', () => {
  // The first page leads on to another, and so does the way out.
  const pages = portalRoutes.filter(({ path, format }) => format === 'page' && path !== '/' && path !== '/sign-out');
  const unseen = pages.filter(({ path }) => {
    const pattern = new RegExp(`^/gobank${path.replace('{id}', '[^/]+')}$`);
    return ![...seen].some((looked) => pattern.test(looked));
  });
  assert.deepEqual(
    unseen.map(({ path }) => path),
    [],
  );
});

test('SCR-12 printed: the whole consent in black on white, and nothing to press or to follow', async () => {
  const consent = await variety();
  const context = await openContext(browser, { width: 1440, colorScheme: 'dark', scripts: false });
  const page = await context.newPage();
  await page.goto(`${origin}/gobank/`);
  await signIn(page);
  await page.goto(`${origin}/gobank/consents/${consent}`);
  await page.getByText('Print or save as PDF').click();
  assert.ok(await page.getByText('choose “Save as PDF” instead of a printer').isVisible());
  const steps = await page.locator('.history li').allInnerTexts();
  // The reader's dark colours stay, as some browsers keep them.
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await page.screenshot({ path: join(SCREENSHOTS, 'portal-detail-print.png'), fullPage: true });
  const paper = await page.locator('body').innerText();
  for (const words of ['Go Bank', 'financroo Ltd', 'Active', 'u1-current', consent, 'As it stood on', ...steps])
    assert.ok(paper.includes(words), words);
  const touchable = 'nav, button, input, select, summary, form, a[role=button], main a, header a';
  assert.equal(await page.locator(touchable).filter({ visible: true }).count(), 0);
  const inks = await page.evaluate(INKS);
  assert.deepEqual(inks, [['rgb(0, 0, 0)'], ['rgb(255, 255, 255)']]);
  const document = await page.pdf({ format: 'A4' });
  assert.equal(document.subarray(0, 5).toString('latin1'), '%PDF-');
  await context.close();
});

test('CLD-47 the whole way without scripts and by keyboard alone', async () => {
  const { consent, access } = await connect(platform, party, client);
  const context = await openContext(browser, { ...wide, scripts: false });
  const page = await context.newPage();
  await page.goto(`${origin}/gobank/`);
  await page.keyboard.press('Tab');
  assert.equal(await page.locator(':focus').textContent(), 'Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('user');
  await page.keyboard.press('Tab');
  await page.keyboard.type('p@ssword!');
  await page.keyboard.press('Enter');
  await page.locator('ul.cards').waitFor();
  const press = async (selector: string) => {
    for (let presses = 0; presses < 60 && (await page.locator(`${selector}:focus`).count()) === 0; presses += 1)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
  };
  await press(`a[href$="${consent}"]`);
  await page.locator('dd', { hasText: consent }).waitFor();
  await press('a.stop');
  await page.locator('button.stop').waitFor();
  await press('button.stop');
  await page.getByText('Sharing has stopped.').waitFor();
  assert.equal((await party.api('gobank', '/accounts', access)).status, 401);
  await context.close();
});

test('stop clicked twice, and back afterwards: one revocation, no error', async () => {
  const { consent } = await connect(platform, party, client);
  const context = await openContext(browser, { ...wide, width: 360 });
  const page = await context.newPage();
  await page.goto(`${origin}/gobank/`);
  await signIn(page);
  await page.goto(`${origin}/gobank/consents/${consent}/stop`);
  await page.getByRole('button', { name: 'Stop sharing now' }).dblclick();
  await page.locator('[data-state=Revoked]').waitFor();
  await page.goBack();
  await page.goto(`${origin}/gobank/consents/${consent}`);
  const steps = await page.locator('.history li').allTextContents();
  assert.equal(steps.filter((text) => text.startsWith('Stopped')).length, 1);
  await context.close();
});

test('signed out in one tab, the other asks to sign in and changes nothing', async () => {
  const { consent, access } = await connect(platform, party, client);
  const context = await openContext(browser, wide);
  const [one, two] = [await context.newPage(), await context.newPage()];
  await one.goto(`${origin}/gobank/`);
  await signIn(one);
  await two.goto(`${origin}/gobank/consents/${consent}/stop`);
  await one.getByRole('button', { name: 'Sign out' }).click();
  await one.getByText('You have signed out').waitFor();
  await two.getByRole('button', { name: 'Stop sharing now' }).click();
  await two.getByText('You are signed out, so nothing was changed').waitFor();
  assert.equal((await party.api('gobank', '/accounts', access)).status, 200);
  await context.close();
});
