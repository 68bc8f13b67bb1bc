import type { Consent } from '../consent/index.ts';
import { addCookie, readCookie } from './cookies.ts';
import { type AskedVisit, interactionPath, type Visit } from './visit.ts';

const CONSENT_COOKIE = '__Secure-portcullis-consent';
/** What may stand in a cookie's value; other ids are simply not remembered. */
const COOKIE_SAFE = /^[A-Za-z0-9_:-]{1,200}$/;

/** Remembers in the browser which consent its page was about, signed, for when the engine has forgotten the request. */
export async function rememberConsent(visit: AskedVisit, consent: string): Promise<void> {
  if (!COOKIE_SAFE.test(consent)) return;
  const value = `${consent}.${await seal(visit, visit.interaction.uid, consent)}`;
  addCookie(visit.response, { name: CONSENT_COOKIE, value, path: visit.path });
}

/** The consent this browser's page was about; undefined when there was none or the cookie is not ours. */
export async function findRemembered(visit: Visit, uid: string): Promise<Consent | undefined> {
  const value = readCookie(visit.request, CONSENT_COOKIE) ?? '';
  const end = value.lastIndexOf('.');
  const consent = value.slice(0, Math.max(end, 0));
  if (consent === '' || value.slice(end + 1) !== (await seal(visit, uid, consent))) return undefined;
  return visit.site.rooms.consents.find(visit.site.bank.id, consent);
}

async function seal({ site }: Visit, uid: string, consent: string): Promise<string> {
  const hash = await site.rooms.vault.hasher(site.bank.id, 'page-consent');
  return hash(JSON.stringify([interactionPath(site.bank.id, uid), consent]));
}
