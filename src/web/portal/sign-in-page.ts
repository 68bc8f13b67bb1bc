import { type Html, html } from '../../platform/html.ts';
import { tryCredentials } from '../credentials.ts';
import { timeInWords } from '../language.ts';
import type { PageContent } from '../layout.ts';
import { redirect, respond } from '../respond.ts';
import { MAXIMUM_CREDENTIAL_CHARACTERS, testUsers } from '../sign-in-view.ts';
import { formField, takeForm } from './forms.ts';
import { leaveNotice, type PortalNotice, takeNotice } from './notice.ts';
import { type CustomerVisit, type PortalVisit, pathTo } from './portal-visit.ts';
import { IDLE_MINUTES } from './session.ts';

/** The page's address below the bank's. */
export const SIGN_IN = '/sign-in';
/** Where a customer who signed in begins. */
export const HOME = '/consents';
/** The address of the way out. */
export const SIGN_OUT = '/sign-out';

/** The way in: to the list for whoever is signed in, else to the sign-in page. */
export async function enter(visit: PortalVisit): Promise<void> {
  const customer = await visit.site.sessions.find(visit.browser);
  redirect(visit, pathTo(visit, customer === undefined ? SIGN_IN : HOME));
}

/** The sign-in page. */
export async function showSignIn(visit: PortalVisit): Promise<void> {
  const notice = await takeNotice(visit, SIGN_IN);
  respond(visit, 200, signInView(visit, await formField(visit, SIGN_IN), notice));
}

/** Takes user name and password; counts and locks together with the bank's sign-in page (CLD-24). */
export async function takeSignIn(visit: PortalVisit): Promise<void> {
  const form = await takeForm(visit, SIGN_IN, ['username', 'password']);
  const { site, trace } = visit;
  const place = { bank: site.bank.id, participant: undefined, client: undefined, interaction: trace };
  const { customer, lockedUntil } = await tryCredentials(visit, place, form);
  if (customer === undefined) {
    const notice =
      lockedUntil === undefined ? { kind: 'failed' as const } : { kind: 'locked' as const, until: lockedUntil };
    await leaveNotice(visit, SIGN_IN, notice);
    return redirect(visit, pathTo(visit, SIGN_IN));
  }
  await site.sessions.begin(visit.response, visit.browser, customer.id);
  redirect(visit, pathTo(visit, HOME));
}

/** Ends the session. */
export async function takeSignOut(visit: CustomerVisit): Promise<void> {
  await takeForm(visit, SIGN_OUT, []);
  await visit.site.sessions.end(visit.response, visit.browser);
  await leaveNotice(visit, SIGN_IN, { kind: 'signed-out' });
  redirect(visit, pathTo(visit, SIGN_IN));
}

/** Sends somebody who is not signed in, or no longer, to the sign-in page. */
export async function askToSignIn(visit: PortalVisit): Promise<void> {
  await leaveNotice(visit, SIGN_IN, { kind: 'sign-in-needed' });
  redirect(visit, pathTo(visit, SIGN_IN));
}

/** The way out, for the bank's bar of every page of a signed-in customer. */
export async function signOutForm(visit: CustomerVisit): Promise<Html> {
  return html`<form method="post" action="${pathTo(visit, SIGN_OUT)}" class="tool">${await formField(visit, SIGN_OUT)}
<button type="submit">${visit.say('portal.signOut')}</button></form>`;
}

function signInView(visit: PortalVisit, field: Html, notice: PortalNotice | undefined): PageContent {
  const { say, site } = visit;
  const bank = site.bank.name;
  const wrong = notice?.kind === 'failed' || notice?.kind === 'locked';
  const described = notice === undefined ? '' : html` aria-describedby="notice"`;
  const maximum = MAXIMUM_CREDENTIAL_CHARACTERS;
  return {
    title: say('signIn.title', { bank }),
    problem: wrong,
    languageChoice: true,
    body: html`<h1>${say('signIn.title', { bank })}</h1>
${notice === undefined ? '' : noticeBox(visit, notice, wrong)}
<p class="lead">${say('portal.signIn.lead')}</p>
<form method="post" action="${pathTo(visit, SIGN_IN)}" class="panel">
${field}
<label for="username">${say('signIn.username')}</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="${maximum}"${described}>
<label for="password">${say('signIn.password')}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="${maximum}"${described}>
<div class="actions"><button type="submit">${say('signIn.submit')}</button></div>
</form>
${testUsers(visit)}
<details><summary>${say('signIn.forgotten')}</summary><p>${say('portal.signIn.forgottenText', { bank })}</p></details>
${site.oneOfSeveral ? html`<p class="elsewhere"><a href="/">${say('portal.otherBank')}</a></p>` : ''}`,
  };
}

function noticeBox(visit: PortalVisit, notice: PortalNotice, wrong: boolean): Html {
  const text = noticeText(visit, notice);
  if (wrong) return html`<div class="notice" id="notice" role="alert"><p>${text}</p></div>`;
  return html`<div class="notice calm" id="notice" role="status"><p>${text}</p></div>`;
}

function noticeText({ say, language, site }: PortalVisit, notice: PortalNotice): string {
  switch (notice.kind) {
    case 'locked':
      return say('signIn.locked', { time: timeInWords(notice.until, language, site.bank.timeZone ?? 'UTC') });
    case 'signed-out':
      return say('portal.signIn.out');
    case 'failed':
      return say('signIn.failed');
    default:
      return say('portal.signIn.needed', { minutes: String(IDLE_MINUTES) });
  }
}
