import { secondsAfter } from '../platform/clock.ts';
import { addCookie, dropCookie, readCookie } from './cookies.ts';
import { type AskedVisit, interactionPath, type Visit } from './visit.ts';

const RETURN_COOKIE = '__Secure-portcullis-return';
/** How long after its end a request may still be answered with a no: who comes later than an hour has left the third party too. */
const RETURN_SECONDS = 3_600;
/** Browsers keep 4,096 characters of a cookie, its name and path included; a longer address is not remembered. */
const MAXIMUM_CHARACTERS = 3_500;

/** Where the customer of a request that ended unanswered goes, and to whom. */
export interface WayBack {
  /** The third party's address with `access_denied`, as the engine made it from the pushed request. */
  readonly uri: string;
  readonly participant: string;
}

/**
 * Remembers in the browser, signed and bound to this request's path, where its customer goes back to when nobody answers in time
 * (N-109): by then the engine has forgotten the request. The address comes from the engine alone, so nobody is ever sent elsewhere.
 */
export async function rememberWayBack(visit: AskedVisit): Promise<void> {
  const { unanswered, participant, expiresAt, uid } = visit.interaction;
  if (unanswered === undefined) return;
  const content = Buffer.from(JSON.stringify([unanswered, participant.id, expiresAt.getTime()])).toString('base64url');
  const value = `${content}.${await seal(visit, uid, content)}`;
  if (value.length > MAXIMUM_CHARACTERS) return;
  const left = Math.ceil((expiresAt.getTime() - visit.site.rooms.clock.now().getTime()) / 1_000);
  addCookie(visit.response, { name: RETURN_COOKIE, value, path: visit.path, seconds: left + RETURN_SECONDS });
}

/** Forgets the way back: the request has its answer, or goes on under another address. */
export function forgetWayBack(visit: AskedVisit): void {
  dropCookie(visit.response, RETURN_COOKIE, visit.path);
}

/** The way back of a request that this browser saw and that is over; undefined before its end, or long after it. */
export async function findWayBack(visit: Visit, uid: string): Promise<WayBack | undefined> {
  const [content = '', signature] = (readCookie(visit.request, RETURN_COOKIE) ?? '').split('.');
  if (content === '' || signature !== (await seal(visit, uid, content))) return undefined;
  const parts: unknown = JSON.parse(Buffer.from(content, 'base64url').toString());
  const [uri, participant, end]: readonly unknown[] = Array.isArray(parts) ? parts : [];
  if (typeof uri !== 'string' || typeof participant !== 'string' || typeof end !== 'number') return undefined;
  const now = visit.site.rooms.clock.now();
  const isOver = now.getTime() >= end && now < secondsAfter(new Date(end), RETURN_SECONDS);
  return isOver ? { uri, participant } : undefined;
}

async function seal({ site }: Visit, uid: string, content: string): Promise<string> {
  const hash = await site.rooms.vault.hasher(site.bank.id, 'page-return');
  return hash(JSON.stringify([interactionPath(site.bank.id, uid), content]));
}
