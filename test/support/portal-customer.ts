import type { Page } from 'playwright-core';

/** A bank's customer at the portal, in a browser. */
export interface PortalCustomer {
  readonly page: Page;
  /** Ends at the list of what is shared. */
  signIn(user?: string): Promise<void>;
  /** Everything shared at this bank, the latest first: the consent's id and its state. */
  shares(): Promise<readonly { readonly consent: string; readonly state: string }[]>;
  /** Opens a consent's details; gives the lines of its history, the oldest first. */
  history(consent: string): Promise<readonly string[]>;
}

/** A customer of one bank, at the portal of this origin. */
export function portalCustomerOf(page: Page, origin: string, bank: string): PortalCustomer {
  const home = `${origin}/${bank}/consents`;
  return {
    page,
    signIn: async (user = 'user') => {
      await page.goto(home);
      await page.locator('#username').fill(user);
      await page.locator('#password').fill('p@ssword!');
      await page.locator('form.panel button[type=submit]').click();
      await page.waitForURL(home);
    },
    shares: async () => {
      await page.goto(home);
      const cards = await page.locator('ul.cards > li').all();
      return Promise.all(
        cards.map(async (card) => ({
          consent: (await card.locator('h2 a').getAttribute('href'))?.split('/').at(-1) ?? '',
          state: (await card.locator('[data-state]').getAttribute('data-state')) ?? '',
        })),
      );
    },
    history: async (consent) => {
      await page.goto(`${home}/${consent}`);
      return page.locator('.history li').allInnerTexts();
    },
  };
}
