import { addCookie, dropCookie, readCookie } from '../cookies.ts';
import { type PortalVisit, pathTo } from './portal-visit.ts';

/** What a page has to say about the form before it: every form is answered with a redirect, so it travels in a cookie. */
export type PortalNotice =
  | { readonly kind: 'failed' | 'sign-in-needed' | 'signed-out' | 'already' | 'revoking' | 'none-ticked' | 'changed' }
  | { readonly kind: 'locked'; readonly until: Date }
  | { readonly kind: 'stopped'; readonly tokens: number };

const COOKIE = '__Secure-portcullis-portal-notice';
/** The redirect follows at once. */
const SECONDS = 60;
const PLAIN = ['failed', 'sign-in-needed', 'signed-out', 'already', 'revoking', 'none-ticked', 'changed'] as const;

/** Leaves a notice for the page at `path`, in this browser; signed, so that nobody else puts words on our pages. */
export async function leaveNotice(visit: PortalVisit, path: string, notice: PortalNotice): Promise<void> {
  const text = textOf(notice);
  const value = `${text}.${await seal(visit, path, text)}`;
  addCookie(visit.response, { name: COOKIE, value, path: pathTo(visit, ''), seconds: SECONDS });
}

/** Takes the notice left for this page, once. */
export async function takeNotice(visit: PortalVisit, path: string): Promise<PortalNotice | undefined> {
  const value = readCookie(visit.request, COOKIE);
  if (value === undefined) return undefined;
  dropCookie(visit.response, COOKIE, pathTo(visit, ''));
  const end = value.lastIndexOf('.');
  const text = value.slice(0, Math.max(end, 0));
  return value.slice(end + 1) === (await seal(visit, path, text)) ? parse(text) : undefined;
}

function textOf(notice: PortalNotice): string {
  switch (notice.kind) {
    case 'locked':
      return `locked.${notice.until.getTime()}`;
    case 'stopped':
      return `stopped.${notice.tokens}`;
    default:
      return notice.kind;
  }
}

function parse(text: string): PortalNotice | undefined {
  const plain = PLAIN.find((kind) => kind === text);
  if (plain !== undefined) return { kind: plain };
  const [kind, value] = text.split('.');
  const number = Number(value);
  if (!Number.isSafeInteger(number)) return undefined;
  if (kind === 'locked') return { kind, until: new Date(number) };
  return kind === 'stopped' ? { kind, tokens: number } : undefined;
}

async function seal({ site }: PortalVisit, path: string, text: string): Promise<string> {
  const hash = await site.rooms.vault.hasher(site.bank.id, 'portal-notice');
  return hash(JSON.stringify([path, text]));
}
