import type { Customer } from '../bank/index.ts';
import { Refusal } from '../platform/refusal.ts';
import { type EventPlace, signedIn, signInFailed, signInLocked, signInRefused, signInUnanswered } from './events.ts';
import { canonicalUsername } from './lockout.ts';
import { MAXIMUM_CREDENTIAL_CHARACTERS } from './sign-in-view.ts';
import type { AttemptKey } from './store.ts';
import type { PageSite } from './visit.ts';

/** What became of an attempt to sign in. */
export type SignInOutcome =
  | { readonly customer: Customer; readonly lockedUntil?: undefined }
  | { readonly customer: undefined; readonly lockedUntil: Date | undefined };

/**
 * Tries the user name and password of a form at the bank, on whichever page it was asked for: one count for all of them, one
 * answer whatever is wrong, a lock after the fifth failure in a row (CLD-24).
 * @throws Refusal `upstream_unavailable` 502 when the bank does not answer: the attempt does not count
 */
export async function tryCredentials(site: PageSite, place: EventPlace, form: URLSearchParams): Promise<SignInOutcome> {
  const credentials = readCredentials(form);
  if (credentials === undefined) return { customer: undefined, lockedUntil: undefined };
  const key = await attemptKey(site, credentials.username);
  const attempt = await site.lockout.take(key);
  if (!attempt.allowed) {
    await record(site, signInRefused(place, key.usernameHash));
    return { customer: undefined, lockedUntil: attempt.lockedUntil };
  }
  const customer = await askBank(site, place, key, credentials);
  if (customer === undefined) {
    await recordFailure(site, place, key, attempt);
    return { customer: undefined, lockedUntil: attempt.lockedUntil };
  }
  await recordSuccess(site, place, key);
  return { customer };
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Undefined when a part is missing or longer than any real one: the bank is not asked. */
function readCredentials(form: URLSearchParams): Credentials | undefined {
  const username = form.get('username')?.trim() ?? '';
  const password = form.get('password') ?? '';
  const complete = username !== '' && password !== '';
  const credible = Math.max(username.length, password.length) <= MAXIMUM_CREDENTIAL_CHARACTERS;
  return complete && credible ? { username, password } : undefined;
}

async function attemptKey(site: PageSite, username: string): Promise<AttemptKey> {
  const hash = await site.rooms.vault.hasher(site.bank.id, 'sign-in-name');
  return { bank: site.bank.id, usernameHash: hash(canonicalUsername(username)) };
}

/** A bank that does not answer has not judged the attempt: it is given back. */
async function askBank(
  site: PageSite,
  place: EventPlace,
  key: AttemptKey,
  { username, password }: Credentials,
): Promise<Customer | undefined> {
  try {
    return await site.connector.signIn(username, password);
  } catch (cause) {
    if (cause instanceof Refusal) {
      await site.rooms.database.transaction(async (statements) => {
        await site.lockout.giveBack(statements, key);
        await site.rooms.audit.record(statements, signInUnanswered(place, key.usernameHash));
      });
    }
    throw cause;
  }
}

async function recordFailure(
  site: PageSite,
  place: EventPlace,
  { usernameHash }: AttemptKey,
  { attempts, lockedUntil }: { readonly attempts: number; readonly lockedUntil: Date | undefined },
): Promise<void> {
  await record(site, signInFailed(place, usernameHash, attempts));
  if (lockedUntil !== undefined) await record(site, signInLocked(place, usernameHash, lockedUntil));
}

async function recordSuccess(site: PageSite, place: EventPlace, key: AttemptKey): Promise<void> {
  const { database, audit } = site.rooms;
  await database.transaction(async (statements) => {
    await site.lockout.forget(statements, key);
    await audit.record(statements, signedIn(place, key.usernameHash));
  });
}

async function record(site: PageSite, event: ReturnType<typeof signedIn>): Promise<void> {
  const { database, audit } = site.rooms;
  await database.transaction((statements) => audit.record(statements, event));
}
