import assert from 'node:assert/strict';
import { type Browser, createBrowser, formOf, type Page } from './browser.ts';
import { PASSWORD } from './journey.ts';
import type { TestPlatform } from './platform.ts';
import type { Registered, ThirdParty } from './third-party.ts';

/** A platform's portal, and a third party that is registered at its first bank. */
export interface Portal {
  readonly party: ThirdParty;
  readonly client: Registered;
  readonly origin: string;
  /** An address below a bank's part of the portal. */
  at(path: string, bank?: string): string;
  /** An address below a consent's page. */
  pathOf(consent: string, rest?: string): string;
  /** Gives the page that a sign-in leads to. */
  signIn(browser: Browser, username?: string, password?: string): Promise<Page>;
  /** The browser of a customer who is signed in. */
  signedIn(username?: string): Promise<Browser>;
  /** True while an access token opens the bank's API. */
  alive(access: string): Promise<boolean>;
}

/** The portal of a platform; registers the third party. */
export async function portalOf(platform: TestPlatform): Promise<Portal> {
  const party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  const client = await party.register('gobank');
  const origin = platform.settings.doors.portal?.origin ?? '';
  const at = (path: string, bank = 'gobank') => `${origin}/${bank}${path}`;

  async function signIn(browser: Browser, username = 'user', password = PASSWORD): Promise<Page> {
    const page = await browser.get(at('/'));
    return browser.submit(page, formOf(page, '/sign-in'), { username, password });
  }

  return {
    party,
    client,
    origin,
    at,
    pathOf: (consent, rest = '') => at(`/consents/${consent}${rest}`),
    signIn,
    signedIn: async (username = 'user') => {
      const browser = createBrowser(platform.browserAgent);
      const page = await signIn(browser, username);
      assert.equal(page.url, at('/consents'), page.text);
      return browser;
    },
    alive: async (access) => (await party.api('gobank', '/accounts', access)).status === 200,
  };
}
