import type { Locator, Page } from 'playwright-core';

/** A customer in a browser: what people do at Financroo and at a bank. */
export interface Customer {
  readonly page: Page;
  signIn(user?: string): Promise<void>;
  /** From Financroo to the bank's first page. */
  toBank(bank: string): Promise<void>;
  /** Signs in at the bank; ends at the consent page. */
  signInAtBank(user?: string): Promise<void>;
  /** Ticks accounts whose label begins so, all when none is named, and agrees. */
  agree(accounts?: readonly string[]): Promise<void>;
  cancel(): Promise<void>;
  /** All of it; ends at the dashboard, with the accounts there. */
  connect(bank: string, accounts?: readonly string[], user?: string): Promise<void>;
  /** Names of accounts with the bank, as the dashboard lists them. */
  accounts(): Promise<readonly string[]>;
  /** Opens the first connection's details; gives the bank's id of its permission. */
  permission(): Promise<string>;
}

/** A customer of the Financroo at this origin. */
export function customerOf(page: Page, origin: string): Customer {
  const customer: Customer = {
    page,
    signIn: async (user = 'robin') => {
      await page.goto(origin);
      await page.getByLabel('User').fill(user);
      await page.getByLabel('Password').fill('financroo');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Your money' }).waitFor();
    },
    toBank: async (bank) => {
      await page.goto(`${origin}/banks`);
      const section = page.locator('section.bank').filter({ hasText: bank });
      await section.getByRole('button', { name: /^Connect/ }).click();
      await page.getByRole('button', { name: `Continue to ${bank}` }).click();
      await page.locator('#username').waitFor();
    },
    signInAtBank: async (user = 'user') => {
      await page.locator('#username').fill(user);
      await page.locator('#password').fill('p@ssword!');
      await page.locator('form button[type=submit]').first().click();
      await page.locator('input[name=account]').first().waitFor();
    },
    agree: async (accounts) => {
      for (const box of await page.locator('label.account').all()) await choose(box, accounts);
      await page.getByRole('button', { name: 'Agree and share' }).click();
    },
    cancel: () => page.getByRole('button', { name: /^Cancel/ }).click(),
    connect: async (bank, accounts, user) => {
      await customer.toBank(bank);
      await customer.signInAtBank(user);
      await customer.agree(accounts);
      await page.getByText(`${bank} is connected.`).waitFor();
      await page.getByText('Fetching accounts').waitFor({ state: 'detached' });
    },
    accounts: async () => {
      const rows = page.getByRole('table', { name: 'Accounts' }).getByRole('rowheader');
      const texts = await rows.allInnerTexts();
      return texts.map((text) => {
        const [name = '', rest = ''] = text.split('\n');
        return `${rest.split(' · ')[0]}: ${name}`;
      });
    },
    permission: async () => {
      await page.goto(`${origin}/dashboard`);
      await page.getByRole('link', { name: 'Details' }).first().click();
      return page.locator('dt:has-text("Permission at the bank") + dd').innerText();
    },
  };
  return customer;
}

async function choose(label: Locator, accounts: readonly string[] | undefined): Promise<void> {
  const name = (await label.locator('strong').innerText()).trim();
  await label.locator('input').setChecked(accounts === undefined || accounts.includes(name));
}
