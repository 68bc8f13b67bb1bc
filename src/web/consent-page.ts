import type { Account } from '../bank/index.ts';
import type { Consent } from '../consent/index.ts';
import { secondsAfter } from '../platform/clock.ts';
import { Refusal } from '../platform/refusal.ts';
import { consentView } from './consent-view.ts';
import { findRemembered, rememberConsent } from './decided.ts';
import { decidedView } from './decided-view.ts';
import { formRefused } from './events.ts';
import { endFormTokens, formToken } from './form-token.ts';
import { leaveNotice, takeNotice } from './notice.ts';
import { redirect, respond } from './respond.ts';
import { type AskedVisit, formTargets, placeOf, type Visit } from './visit.ts';
import { forgetWayBack, rememberWayBack } from './way-back.ts';

const SECONDS_PER_DAY = 86_400;

/** The consent page; or, when the answer was given already, what became of it. */
export async function showConsent(visit: AskedVisit): Promise<void> {
  const consent = await loadConsent(visit);
  // The engine keeps a request for some seconds longer than the store keeps its consent open.
  if (hasRunOut(consent)) throw new Refusal('interaction_expired', 400, 'The time for this request is over.');
  if (consent.state !== 'Awaiting') return respond(visit, 200, decidedView(visit, consent, visit.asker.name));
  const accounts = await visit.site.connector.accounts(customerOf(visit));
  await rememberConsent(visit, consent.id);
  await rememberWayBack(visit);
  const token = await formToken(visit);
  const notice = await takeNotice(visit);
  const facts = { consent, accounts, expiresAt: endOf(visit, consent), token, notice };
  respond(visit, 200, consentView(visit, facts), formTargets(visit));
}

/**
 * Takes the customer's agreement. Only the ticks are read from the form; what is shared, with whom and until when is in
 * the stored consent (N-219).
 * @throws Refusal `field_invalid` 400 when an account is not the customer's (N-195): nothing is authorised
 */
export async function takeConsent(visit: AskedVisit, form: URLSearchParams): Promise<void> {
  if (visit.interaction.prompt !== 'consent') return redirect(visit, visit.path);
  const consent = await loadConsent(visit);
  if (consent.state !== 'Awaiting') return redirect(visit, visit.path);
  const ticked = new Set(form.getAll('account'));
  if (ticked.size === 0) {
    await leaveNotice(visit, { kind: 'none-ticked' });
    return redirect(visit, visit.path);
  }
  const accounts = chosen(visit, await visit.site.connector.accounts(customerOf(visit)), ticked);
  endFormTokens(visit);
  forgetWayBack(visit);
  await answer(visit, () =>
    visit.site.interactions.agreed(visit.request, visit.response, { accounts, expiresAt: endOf(visit, consent) }),
  );
}

/** Takes the customer's no, before or after signing in (CLD-27). */
export async function takeCancel(visit: AskedVisit): Promise<void> {
  endFormTokens(visit);
  forgetWayBack(visit);
  await answer(visit, () => visit.site.interactions.cancelled(visit.request, visit.response));
}

/**
 * What became of a request that this browser answered and that is over for the engine: the second of two tabs, or the way
 * back. False when this browser has no part in it.
 */
export async function showDecided(visit: Visit, uid: string): Promise<boolean> {
  const consent = await findRemembered(visit, uid);
  // A page that was left open until its request was over: nobody answered, and only the third party can ask again.
  if (consent === undefined || consent.state === 'Awaiting' || hasRunOut(consent)) return false;
  const asker = await visit.site.rooms.directory.findParticipant(consent.participant);
  if (asker === undefined) return false;
  respond(visit, 200, decidedView(visit, consent, asker.name));
  return true;
}

/** Rejected because nobody answered in time, which is not what the customer said (N-109). */
function hasRunOut({ state, changedAt, expiresAt }: Consent): boolean {
  return state === 'Rejected' && changedAt.getTime() >= expiresAt.getTime();
}

/** The first answer counts; who comes second is shown what it was (N-225). */
async function answer(visit: AskedVisit, decide: () => Promise<void>): Promise<void> {
  try {
    await decide();
  } catch (cause) {
    const late = cause instanceof Refusal && cause.code === 'consent_status_invalid';
    if (!late || visit.response.headersSent) throw cause;
    redirect(visit, visit.path);
  }
}

/** @throws Refusal `consent_missing` 403 unless the stored consent is the one this customer was asked for */
async function loadConsent({ site, interaction }: AskedVisit): Promise<Consent> {
  const { consent: id, client, customer } = interaction;
  const consent = id === undefined ? undefined : await site.rooms.consents.find(site.bank.id, id);
  const matches = consent?.client === client && (consent.customer ?? customer) === customer;
  if (consent === undefined || !matches)
    throw new Refusal('consent_missing', 403, 'There is no consent that waits for this customer.');
  return consent;
}

/** @throws Refusal `interaction_expired` 400 when nobody signed in */
function customerOf({ interaction }: AskedVisit): string {
  if (interaction.customer !== undefined) return interaction.customer;
  throw new Refusal('interaction_expired', 400, 'Nobody has signed in for this request.');
}

/** Counted from the moment the consent was asked for, so that the page and the decision name the same end. */
function endOf({ site }: AskedVisit, consent: Consent): Date {
  return secondsAfter(consent.createdAt, site.bank.consentDays * SECONDS_PER_DAY);
}

function chosen(visit: AskedVisit, own: readonly Account[], ticked: ReadonlySet<string>): readonly string[] {
  const accounts = own.map((account) => account.id).filter((id) => ticked.has(id));
  if (accounts.length === ticked.size) return accounts;
  visit.site.rooms.audit.enqueue(formRefused(placeOf(visit), 'field_invalid'));
  throw new Refusal('field_invalid', 400, 'account: one of the chosen accounts is not yours.');
}
