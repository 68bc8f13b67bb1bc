import { PASSWORD_ACR } from '../authorization/index.ts';
import { tryCredentials } from './credentials.ts';
import { endFormTokens, formToken } from './form-token.ts';
import { leaveNotice, takeNotice } from './notice.ts';
import { redirect, respond } from './respond.ts';
import { signInView } from './sign-in-view.ts';
import { type AskedVisit, formTargets, placeOf } from './visit.ts';
import { forgetWayBack, rememberWayBack } from './way-back.ts';

/** RFC 8176 §2. */
const PASSWORD_AMR = ['pwd'] as const;

/** The sign-in page. */
export async function showSignIn(visit: AskedVisit): Promise<void> {
  const token = await formToken(visit);
  await rememberWayBack(visit);
  const notice = await takeNotice(visit);
  respond(visit, 200, signInView(visit, token, notice), formTargets(visit));
}

/**
 * Takes user name and password. Whatever is wrong with them, the page comes back with one and the same sentence; the fifth
 * failure in a row locks the name for a while, whether the bank knows it or not (CLD-24).
 */
export async function takeSignIn(visit: AskedVisit, form: URLSearchParams): Promise<void> {
  if (visit.interaction.prompt !== 'sign-in') return redirect(visit, visit.path);
  const { customer, lockedUntil } = await tryCredentials(visit, placeOf(visit), form);
  if (customer === undefined) return sendBack(visit, lockedUntil);
  endFormTokens(visit);
  forgetWayBack(visit);
  await visit.site.interactions.signedIn(visit.request, visit.response, {
    id: customer.id,
    acr: PASSWORD_ACR,
    amr: PASSWORD_AMR,
  });
}

async function sendBack(visit: AskedVisit, lockedUntil: Date | undefined): Promise<void> {
  await leaveNotice(visit, lockedUntil === undefined ? { kind: 'failed' } : { kind: 'locked', until: lockedUntil });
  redirect(visit, visit.path);
}
