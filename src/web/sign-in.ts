import type { Customer } from '../bank/index.ts';
import { Refusal } from '../platform/refusal.ts';
import { signedIn, signInFailed, signInLocked, signInRefused, signInUnanswered } from './events.ts';
import { endFormTokens, formToken } from './form-token.ts';
import { canonicalUsername } from './lockout.ts';
import { leaveNotice, takeNotice } from './notice.ts';
import { redirect, respond } from './respond.ts';
import { MAXIMUM_CREDENTIAL_CHARACTERS, signInView } from './sign-in-view.ts';
import type { AttemptKey } from './store.ts';
import { type AskedVisit, formTargets, placeOf } from './visit.ts';

/** Authentication context of a sign-in by user name and password, as `acr` in ID tokens. */
const PASSWORD_ACR = 'urn:portcullis:acr:password';
/** RFC 8176 §2. */
const PASSWORD_AMR = ['pwd'] as const;

/** The sign-in page. */
export async function showSignIn(visit: AskedVisit): Promise<void> {
  const token = await formToken(visit);
  const notice = await takeNotice(visit);
  respond(visit, 200, signInView(visit, token, notice), formTargets(visit));
}

/**
 * Takes user name and password. Whatever is wrong with them, the page comes back with one and the same sentence; the fifth
 * failure in a row locks the name for a while, whether the bank knows it or not (CLD-24).
 */
export async function takeSignIn(visit: AskedVisit, form: URLSearchParams): Promise<void> {
  if (visit.interaction.prompt !== 'sign-in') return redirect(visit, visit.path);
  const credentials = readCredentials(form);
  if (credentials === undefined) return sendBack(visit, undefined);
  const key = await attemptKey(visit, credentials.username);
  const attempt = await visit.site.lockout.take(key);
  if (!attempt.allowed) {
    await record(visit, signInRefused(placeOf(visit), key.usernameHash));
    return sendBack(visit, attempt.lockedUntil);
  }
  const customer = await askBank(visit, key, credentials);
  if (customer === undefined) {
    await recordFailure(visit, key, attempt);
    return sendBack(visit, attempt.lockedUntil);
  }
  await recordSuccess(visit, key);
  endFormTokens(visit);
  await visit.site.interactions.signedIn(visit.request, visit.response, {
    id: customer.id,
    acr: PASSWORD_ACR,
    amr: PASSWORD_AMR,
  });
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

async function attemptKey({ site }: AskedVisit, username: string): Promise<AttemptKey> {
  const hash = await site.rooms.vault.hasher(site.bank.id, 'sign-in-name');
  return { bank: site.bank.id, usernameHash: hash(canonicalUsername(username)) };
}

/** A bank that does not answer has not judged the attempt: it is given back. */
async function askBank(
  visit: AskedVisit,
  key: AttemptKey,
  { username, password }: Credentials,
): Promise<Customer | undefined> {
  try {
    return await visit.site.connector.signIn(username, password);
  } catch (cause) {
    if (cause instanceof Refusal) {
      await visit.site.rooms.database.transaction(async (statements) => {
        await visit.site.lockout.giveBack(statements, key);
        await visit.site.rooms.audit.record(statements, signInUnanswered(placeOf(visit), key.usernameHash));
      });
    }
    throw cause;
  }
}

async function recordFailure(
  visit: AskedVisit,
  { usernameHash }: AttemptKey,
  { attempts, lockedUntil }: { readonly attempts: number; readonly lockedUntil: Date | undefined },
): Promise<void> {
  await record(visit, signInFailed(placeOf(visit), usernameHash, attempts));
  if (lockedUntil !== undefined) await record(visit, signInLocked(placeOf(visit), usernameHash, lockedUntil));
}

async function recordSuccess(visit: AskedVisit, key: AttemptKey): Promise<void> {
  const { database, audit } = visit.site.rooms;
  await database.transaction(async (statements) => {
    await visit.site.lockout.forget(statements, key);
    await audit.record(statements, signedIn(placeOf(visit), key.usernameHash));
  });
}

async function record(visit: AskedVisit, event: ReturnType<typeof signedIn>): Promise<void> {
  const { database, audit } = visit.site.rooms;
  await database.transaction((statements) => audit.record(statements, event));
}

async function sendBack(visit: AskedVisit, lockedUntil: Date | undefined): Promise<void> {
  await leaveNotice(visit, lockedUntil === undefined ? { kind: 'failed' } : { kind: 'locked', until: lockedUntil });
  redirect(visit, visit.path);
}
