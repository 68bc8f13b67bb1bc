import { randomToken } from '../platform/random.ts';
import { addCookie, readCookie } from './cookies.ts';
import type { PageSite, PageVisit } from './visit.ts';

const COOKIE = '__Secure-portcullis-known';
/** Half a year: as long as a consent lasts. */
const SECONDS = 180 * 86_400;
const DEVICE = /^[A-Za-z0-9_-]{43}$/;

type Exchange = Pick<PageVisit, 'request' | 'response'>;

/**
 * The mark of a browser in which this customer has signed in before; undefined for every other. Failures are counted apart for
 * it, so that whoever guesses at a customer's name elsewhere does not lock the customer out of their own browser.
 */
export async function knownBrowser(
  site: PageSite,
  { request }: Pick<Exchange, 'request'>,
  usernameHash: string,
): Promise<string | undefined> {
  const [device = '', mark] = (readCookie(request, COOKIE) ?? '').split('.');
  return DEVICE.test(device) && mark === (await seal(site, usernameHash, device)) ? device : undefined;
}

/** Marks the browser: the customer has signed in here. It opens nothing by itself. */
export async function rememberBrowser(
  site: PageSite,
  { response }: Pick<Exchange, 'response'>,
  usernameHash: string,
  known: string | undefined,
): Promise<void> {
  const device = known ?? randomToken();
  const value = `${device}.${await seal(site, usernameHash, device)}`;
  addCookie(response, { name: COOKIE, value, path: `/${site.bank.id}`, seconds: SECONDS });
}

async function seal(site: PageSite, usernameHash: string, device: string): Promise<string> {
  const hash = await site.rooms.vault.hasher(site.bank.id, 'sign-in-device');
  return hash(JSON.stringify([usernameHash, device]));
}
