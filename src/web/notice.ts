import { addCookie, dropCookie, readCookie } from './cookies.ts';
import { timeInWords } from './language.ts';
import type { AskedVisit } from './visit.ts';

/** What a page has to say about the form before it: every form is answered with a redirect, so it travels in a cookie. */
export type Notice =
  | { readonly kind: 'failed' }
  | { readonly kind: 'none-ticked' }
  | { readonly kind: 'locked'; readonly until: Date };

const NOTICE_COOKIE = '__Secure-portcullis-notice';
/** The redirect follows at once. */
const NOTICE_SECONDS = 60;

/** Leaves a notice for the page that is asked for next; signed, so that nobody else puts words on our pages. */
export async function leaveNotice(visit: AskedVisit, notice: Notice): Promise<void> {
  const text = notice.kind === 'locked' ? `locked.${notice.until.getTime()}` : notice.kind;
  const value = `${text}.${await seal(visit, text)}`;
  addCookie(visit.response, { name: NOTICE_COOKIE, value, path: visit.path, seconds: NOTICE_SECONDS });
}

/** Takes the notice left for this page, once. */
export async function takeNotice(visit: AskedVisit): Promise<Notice | undefined> {
  const value = readCookie(visit.request, NOTICE_COOKIE);
  if (value === undefined) return undefined;
  dropCookie(visit.response, NOTICE_COOKIE, visit.path);
  const end = value.lastIndexOf('.');
  const text = value.slice(0, Math.max(end, 0));
  return value.slice(end + 1) === (await seal(visit, text)) ? parse(text) : undefined;
}

function parse(text: string): Notice | undefined {
  if (text === 'failed' || text === 'none-ticked') return { kind: text };
  const [kind, time] = text.split('.');
  const until = new Date(Number(time));
  return kind === 'locked' && !Number.isNaN(until.getTime()) ? { kind, until } : undefined;
}

/** The notice in words. */
export function noticeText(visit: AskedVisit, notice: Notice): string {
  if (notice.kind === 'failed') return visit.say('signIn.failed');
  if (notice.kind === 'none-ticked') return visit.say('consent.noneTicked');
  const time = timeInWords(notice.until, visit.language, visit.site.bank.timeZone ?? 'UTC');
  return visit.say('signIn.locked', { time });
}

async function seal({ site, interaction }: AskedVisit, text: string): Promise<string> {
  const hash = await site.rooms.vault.hasher(site.bank.id, 'page-notice');
  return hash(JSON.stringify([interaction.uid, text]));
}
