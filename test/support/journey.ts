import { createBrowser, formOf, type Page } from './browser.ts';
import type { TestPlatform } from './platform.ts';
import type { Pushed, Registered, ThirdParty } from './third-party.ts';

/** How a customer goes through the pages. */
export interface Choices {
  readonly username?: string;
  readonly password?: string;
  /** Account ids; undefined: all. */
  readonly accounts?: readonly string[];
  /** What the third party asks for; undefined: `openid accounts`. */
  readonly scope?: string;
}

/** What a customer's journey ends in. */
export interface Arrived {
  readonly code: string;
  readonly consent: string;
}

/** Tokens of a finished journey. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string;
  readonly consent: string;
  readonly answer: Readonly<Record<string, unknown>>;
}

/** The password of every customer of the test banks. */
export const PASSWORD = 'p@ssword!';

/** Signs in on the page at hand and gives the consent page. */
export async function signIn(platform: TestPlatform, pushed: Pushed, choices: Choices = {}) {
  const browser = createBrowser(platform.browserAgent);
  const first = await browser.get(pushed.authorizationUrl);
  const { username = 'user', password = PASSWORD } = choices;
  const page = await browser.submit(first, formOf(first, '/sign-in'), { username, password });
  return { browser, first, page };
}

/** Agrees on a consent page, ticking the chosen accounts; gives the answer the browser ends at. */
export async function agree(
  browser: ReturnType<typeof createBrowser>,
  page: Page,
  choices: Choices = {},
): Promise<Page> {
  const target = formOf(page, '/consent');
  const [name, offered] = Object.entries(target.choices)[0] ?? ['account', []];
  return browser.submit(page, target, { [name]: choices.accounts ?? offered });
}

/** The whole way of a customer: sign-in, consent, back with a code. @throws Error when the journey ends elsewhere */
export async function travel(platform: TestPlatform, pushed: Pushed, choices: Choices = {}): Promise<URL> {
  const { browser, page } = await signIn(platform, pushed, choices);
  const last = await agree(browser, page, choices);
  if (last.headers.location === undefined)
    throw new Error(`the journey ended at ${last.url}: ${last.status} ${last.text.slice(0, 600)}`);
  return new URL(last.headers.location);
}

/** Everything from the push to tokens. */
export async function connect(
  platform: TestPlatform,
  party: ThirdParty,
  client: Registered,
  choices: Choices = {},
): Promise<Tokens> {
  const pushed = await party.push(client, choices.scope === undefined ? {} : { scope: choices.scope });
  if (pushed.answer.status !== 201) throw new Error(`push: ${pushed.answer.status} ${pushed.answer.text}`);
  const back = await travel(platform, pushed, choices);
  const answer = await party.exchange(client, back.searchParams.get('code') ?? '', pushed.verifier);
  if (answer.status !== 200) throw new Error(`exchange: ${answer.status} ${answer.text}`);
  const body = answer.json();
  const access = String(body.access_token);
  const [consent] = await platform.rooms.consents.list({ bank: client.bank, client: client.id, limit: 1 });
  return { access, refresh: String(body.refresh_token), consent: consent?.id ?? '', answer: body };
}
