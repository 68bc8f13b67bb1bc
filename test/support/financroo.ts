import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRegister } from '../../sandbox/authority/register.ts';
import type { TrailRecord } from '../../sandbox/bank/trail.ts';
import { type Places, placesOf } from '../../sandbox/places.ts';
import type { Bank } from '../../sandbox/tpp/financroo/bank-list.ts';
import { type Financroo, openFinancroo } from '../../sandbox/tpp/financroo/financroo.ts';
import { type BrowserClient, createBrowserClient, fieldOf } from './browser-client.ts';
import { type LyingBank, startLyingBank } from './lying-bank.ts';
import { freePorts } from './ports.ts';

/** Financroo before banks that can be told to lie. */
export interface FinancrooWorld {
  readonly places: Places;
  readonly financroo: Financroo;
  readonly banks: readonly LyingBank[];
  readonly said: readonly string[];
  /** What the bank `one` noted of any message, and which ones it was asked for; undefined: it cannot be asked. */
  readonly trail: { records: readonly TrailRecord[] | undefined; readonly asked: string[] };
  /** Another browser. */
  browser(): BrowserClient;
  /** A browser that is signed in. */
  signedIn(user?: string): Promise<BrowserClient>;
  /** Begins a connection at a bank and gives the answer that sends the browser there. */
  begin(browser: BrowserClient, bank?: string): ReturnType<typeof press>;
  /** A browser that is signed in and connected to the bank `one`. */
  connected(): Promise<BrowserClient>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Makes a sandbox's certificates below a directory, starts two lying banks, `one` and `other`, and Financroo; `other` as told. */
export async function openFinancrooWorld(root: string, other: Partial<Bank> = {}): Promise<FinancrooWorld> {
  const places = placesOf(root);
  const [port = 0, ...bankPorts] = await freePorts(3);
  await openRegister(places, [], new Date(), `https://localhost:${port}/callback`);
  const read = (path: string) => readFile(join(places.platform, path), 'utf8');
  const server = { certificate: await read('server.pem'), key: await read('server.key') };
  const banks = await Promise.all(bankPorts.map((bankPort) => startLyingBank(server, bankPort)));
  const list = banks.map(({ issuer }, index) =>
    index === 0 ? bankOf('one', issuer) : { ...bankOf('other', issuer), ...other },
  );
  const rootPem = await readFile(join(places.authority, 'root.pem'), 'utf8');
  const said: string[] = [];
  const noted: FinancrooWorld['trail'] = { records: [], asked: [] };
  const trail = {
    has: (bank: string) => bank === 'one',
    recordsOf: async (bank: string, interaction: string) => {
      noted.asked.push(`${bank} ${interaction}`);
      if (noted.records === undefined) throw new Error('the management API answered 503, as a test told it to');
      return noted.records;
    },
    close: async () => undefined,
  };
  const open = () => openFinancroo({ places, port, banks: list, say: (line) => said.push(line), trail });
  let financroo = await open();
  await financroo.tried;
  const browser = () => createBrowserClient(rootPem);
  const signedIn = async (user = 'robin') => {
    const client = browser();
    await client.post(`${financroo.origin}/sign-in`, { user, password: 'financroo' });
    return client;
  };
  const begin = (client: BrowserClient, bank = 'one') =>
    press(client, `${financroo.origin}/banks/${bank}`, `/banks/${bank}/connect`);
  return {
    places,
    banks,
    said,
    trail: noted,
    browser,
    get financroo() {
      return financroo;
    },
    signedIn,
    begin,
    connected: async () => {
      const client = await signedIn();
      await begin(client);
      const back = await client.get(banks[0]?.callback() ?? '');
      assert.equal(back.headers.location, '/dashboard', back.body);
      return client;
    },
    restart: async () => {
      await financroo.close();
      financroo = await open();
      await financroo.tried;
    },
    close: async () => {
      await financroo.close();
      await Promise.all(banks.map((bank) => bank.close()));
    },
  };
}

function bankOf(id: string, issuer: string): Bank {
  const bases = { issuer, mtlsBase: issuer, resourceBase: issuer };
  return { id, name: `Bank ${id}`, ...bases, enableDcr: true, clientId: undefined };
}

/** Sends a form of a page, with the token the page has for it. */
export async function press(browser: BrowserClient, page: string, action: string, fields = {}) {
  const { origin } = new URL(page);
  const { body } = await browser.get(page);
  return browser.post(`${origin}${action}`, { form_token: fieldOf(body, action, 'form_token'), ...fields });
}
