import type { Customer } from '../bank/index.ts';
import { sourceOf } from '../platform/rate-limit.ts';
import { Refusal } from '../platform/refusal.ts';
import {
  type EventPlace,
  signedIn,
  signInFailed,
  signInLocked,
  signInRefused,
  signInUnanswered,
  sourceRefused,
} from './events.ts';
import { knownBrowser, rememberBrowser } from './known-browser.ts';
import { canonicalUsername } from './lockout.ts';
import { MAXIMUM_CREDENTIAL_CHARACTERS } from './sign-in-view.ts';
import type { AttemptKey } from './store.ts';
import type { PageSite, PageVisit } from './visit.ts';

/** What became of an attempt to sign in. */
export type SignInOutcome =
  | { readonly customer: Customer; readonly lockedUntil?: undefined }
  | { readonly customer: undefined; readonly lockedUntil: Date | undefined };

/** Failures of one address that are counted where the bank's settings say nothing. */
const FAILURES_PER_SOURCE = 100;

/**
 * Tries the user name and password of a form at the bank, on whichever page it was asked for: one count for all of them, one
 * answer whatever is wrong, a lock after the fifth failure in a row (CLD-24). Failures of one address are counted as well, and
 * a browser in which the customer signed in before is counted apart, so that guessing elsewhere does not lock it out.
 * @throws Refusal `upstream_unavailable` 502 when the bank does not answer: the attempt does not count
 */
export async function tryCredentials(
  visit: Pick<PageVisit, 'request' | 'response'> & { readonly site: PageSite },
  place: EventPlace,
  form: URLSearchParams,
): Promise<SignInOutcome> {
  const { site } = visit;
  const credentials = readCredentials(form);
  if (credentials === undefined) return { customer: undefined, lockedUntil: undefined };
  const attempt = await attemptOf(visit, place, credentials);
  const bySource = await site.lockout.takeSource(
    attempt.source,
    site.bank.failedSignInsPerSource ?? FAILURES_PER_SOURCE,
  );
  if (!bySource.allowed) {
    await record(site, sourceRefused(place, attempt.subject));
    return { customer: undefined, lockedUntil: bySource.lockedUntil };
  }
  const byName = await site.lockout.take(attempt.key);
  if (!byName.allowed) {
    await record(site, signInRefused(place, attempt.subject));
    return { customer: undefined, lockedUntil: byName.lockedUntil };
  }
  const customer = await askBank(site, attempt);
  if (customer === undefined) {
    await recordFailure(site, attempt, byName);
    return { customer: undefined, lockedUntil: byName.lockedUntil };
  }
  await recordSuccess(site, attempt);
  await rememberBrowser(site, visit, attempt.subject, attempt.known);
  return { customer };
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** An attempt, and what it is counted under. */
interface Attempt extends Credentials {
  readonly place: EventPlace;
  /** The keyed hash of the user name. */
  readonly subject: string;
  /** The name, or the name in one known browser. */
  readonly key: AttemptKey;
  readonly source: AttemptKey;
  readonly known: string | undefined;
}

/** Undefined when a part is missing or longer than any real one: the bank is not asked. */
function readCredentials(form: URLSearchParams): Credentials | undefined {
  const username = form.get('username')?.trim() ?? '';
  const password = form.get('password') ?? '';
  const complete = username !== '' && password !== '';
  const credible = Math.max(username.length, password.length) <= MAXIMUM_CREDENTIAL_CHARACTERS;
  return complete && credible ? { username, password } : undefined;
}

async function attemptOf(
  visit: Pick<PageVisit, 'request'> & { readonly site: PageSite },
  place: EventPlace,
  credentials: Credentials,
): Promise<Attempt> {
  const { site, request } = visit;
  const bank = site.bank.id;
  const hash = await site.rooms.vault.hasher(bank, 'sign-in-name');
  const hashSource = await site.rooms.vault.hasher(bank, 'sign-in-source');
  const subject = hash(canonicalUsername(credentials.username));
  const known = await knownBrowser(site, visit, subject);
  return {
    ...credentials,
    place,
    subject,
    key: { bank, usernameHash: known === undefined ? subject : hash(JSON.stringify([subject, known])) },
    source: { bank, usernameHash: hashSource(sourceOf(request.socket.remoteAddress)) },
    known,
  };
}

/** A bank that does not answer has not judged the attempt: it is given back. */
async function askBank(site: PageSite, attempt: Attempt): Promise<Customer | undefined> {
  const { username, password, key, source, place, subject } = attempt;
  try {
    return await site.connector.signIn(username, password);
  } catch (cause) {
    if (cause instanceof Refusal) {
      await site.rooms.database.transaction(async (statements) => {
        await site.lockout.giveBack(statements, key);
        await site.lockout.giveBackSource(statements, source);
        await site.rooms.audit.record(statements, signInUnanswered(place, subject));
      });
    }
    throw cause;
  }
}

async function recordFailure(
  site: PageSite,
  { place, subject }: Attempt,
  { attempts, lockedUntil }: { readonly attempts: number; readonly lockedUntil: Date | undefined },
): Promise<void> {
  await record(site, signInFailed(place, subject, attempts));
  if (lockedUntil !== undefined) await record(site, signInLocked(place, subject, lockedUntil));
}

/** A success does not count for its address; the failures before it stay, or an attacker's own account would clear them. */
async function recordSuccess(site: PageSite, { place, subject, key, source }: Attempt): Promise<void> {
  const { database, audit } = site.rooms;
  await database.transaction(async (statements) => {
    await site.lockout.forget(statements, key);
    await site.lockout.giveBackSource(statements, source);
    await audit.record(statements, signedIn(place, subject));
  });
}

async function record(site: PageSite, event: ReturnType<typeof signedIn>): Promise<void> {
  const { database, audit } = site.rooms;
  await database.transaction((statements) => audit.record(statements, event));
}
