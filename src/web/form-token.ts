import type { IncomingMessage } from 'node:http';
import { randomToken } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import { addCookie, dropCookie, readCookie } from './cookies.ts';
import { formRefused } from './events.ts';
import { type AskedVisit, type PageVisit, placeOf } from './visit.ts';

const FORM_COOKIE = '__Secure-portcullis-form';
const FORM_COOKIE_VALUE = /^[A-Za-z0-9_-]{43}$/;

/** The name of the hidden field. */
export const FORM_TOKEN_FIELD = 'csrf';

/**
 * The token a form of this page carries: a keyed hash over the interaction, the step that is due, the customer and a random
 * cookie. So it fits this browser, this request and this step alone; signing in makes new ones (N-215, N-217).
 */
export async function formToken(visit: AskedVisit): Promise<string> {
  const known = readCookie(visit.request, FORM_COOKIE);
  if (known !== undefined && FORM_COOKIE_VALUE.test(known)) return tokenFor(visit, known);
  const fresh = randomToken();
  addCookie(visit.response, { name: FORM_COOKIE, value: fresh, path: visit.path });
  return tokenFor(visit, fresh);
}

/** @throws Refusal `csrf_invalid` 403 unless the form carries the token of this browser's page; the refusal is on record. */
export async function checkFormToken(visit: AskedVisit, form: URLSearchParams): Promise<void> {
  const cookie = readCookie(visit.request, FORM_COOKIE) ?? '';
  const sent = form.getAll(FORM_TOKEN_FIELD);
  const hash = await visit.site.rooms.vault.hasher(visit.site.bank.id, 'csrf');
  const expected = await tokenFor(visit, cookie);
  // Compared by their keyed hashes: how long the comparison takes says nothing about the token.
  const matches = sent.length === 1 && hash(sent[0] ?? '') === hash(expected);
  if (FORM_COOKIE_VALUE.test(cookie) && matches) return;
  visit.site.rooms.audit.enqueue(formRefused(placeOf(visit), 'csrf_invalid'));
  throw new Refusal('csrf_invalid', 403, 'The form does not carry the token of the page this browser was given.');
}

/** Ends the tokens of this step: the cookie they hang on is gone. */
export function endFormTokens(visit: AskedVisit): void {
  dropCookie(visit.response, FORM_COOKIE, visit.path);
}

async function tokenFor(visit: AskedVisit, cookie: string): Promise<string> {
  const { bank } = visit.site;
  const { uid, prompt, customer } = visit.interaction;
  const hash = await visit.site.rooms.vault.hasher(bank.id, 'csrf');
  return hash(JSON.stringify([uid, prompt, customer ?? null, cookie]));
}

/**
 * Forms come from our own pages: `Sec-Fetch-Site` and `Origin` say so where the browser sends them; the token must match in
 * any case. @throws Refusal `csrf_invalid` 403
 */
export function checkSameOrigin({ request, site }: PageVisit): void {
  if (isSameOrigin(request, site.origin)) return;
  throw new Refusal('csrf_invalid', 403, 'The form was sent from another site.', { detail: 'origin' });
}

function isSameOrigin({ headers }: IncomingMessage, own: string): boolean {
  const fetchSite = headers['sec-fetch-site'];
  if (fetchSite !== undefined && fetchSite !== 'same-origin') return false;
  if (headers.origin === undefined || headers.origin === own) return true;
  // A page under `Referrer-Policy: no-referrer` sends `null`; then the browser's own word must vouch for it.
  return headers.origin === 'null' && fetchSite === 'same-origin';
}
