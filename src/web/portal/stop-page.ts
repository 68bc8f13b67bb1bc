import type { Actor } from '../../audit/index.ts';
import type { Consent } from '../../consent/index.ts';
import { html } from '../../platform/html.ts';
import { Refusal } from '../../platform/refusal.ts';
import { isRevoking, revokeConsent } from '../management/operations.ts';
import { redirect, respond } from '../respond.ts';
import { detailPath, stopPath } from './detail-page.ts';
import { formField, takeForm } from './forms.ts';
import { leaveNotice } from './notice.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { loadOwn, nameOf, shareOf } from './share.ts';
import { accountsOf, accountsTerm } from './share-view.ts';
import { HOME, signOutForm } from './sign-in-page.ts';

/** Says what will stop, and changes nothing (CLD-47): the first of two steps. */
export async function askStop(visit: CustomerVisit, id: string): Promise<void> {
  const consent = await loadOwn(visit, id);
  const share = await shareOf(visit, consent);
  if (consent.state !== 'Authorised') return redirect(visit, pathTo(visit, detailPath(id)));
  const { say, site } = visit;
  const participant = nameOf(share);
  const title = say('portal.stop.title', { participant });
  respond(visit, 200, {
    title,
    problem: false,
    languageChoice: true,
    tools: await signOutForm(visit),
    body: html`<h1>${title}</h1>
<p class="lead">${say('portal.stop.lead')}</p>
<section><dl><dt>${accountsTerm(visit, share)}</dt><dd>${accountsOf(visit, share)}</dd></dl>
<ul>
<li>${say('portal.stop.access', { participant })}</li>
<li>${say('portal.stop.keys', { participant })}</li>
<li>${say('portal.stop.services', { participant })}</li>
<li>${say('portal.stop.kept', { participant })}</li>
<li>${say('portal.stop.others', { bank: site.bank.name })}</li>
</ul></section>
<form method="post" action="${pathTo(visit, stopPath(id))}">${await formField(visit, stopPath(id))}
<div class="actions">
<button type="submit" class="stop">${say('portal.stop.confirm')}</button>
<a role="button" class="quiet" href="${pathTo(visit, detailPath(id))}">${say('portal.stop.keep')}</a>
</div></form>`,
  });
}

/**
 * The second step: consent and tokens end, and the page after it says what ended. Again is the same answer (CLD-47, CLD-48).
 * @throws Refusal `not_found` 404, `consent_status_invalid` 400 for what ended otherwise (N-202)
 */
export async function takeStop(visit: CustomerVisit, id: string): Promise<void> {
  await takeForm(visit, stopPath(id), []);
  const { site } = visit;
  const before = await loadOwn(visit, id).catch(unlessAway);
  try {
    const { consent, tokens } = await revokeConsent(site.rooms, site.bank.id, id, await actorOf(visit));
    await tell(visit, consent, tokens, before?.state === 'Revoked');
  } catch (cause) {
    if (!isRevoking(cause)) throw cause;
    await showRevoking(visit, id);
  }
}

/** The form's token fits only the browser session that was shown this consent's own page: without its store that is the proof. */
function unlessAway(cause: unknown): undefined {
  if (!(cause instanceof Refusal && cause.code === 'consent_store_unavailable')) throw cause;
}

async function tell(visit: CustomerVisit, consent: Consent, tokens: number, before: boolean): Promise<void> {
  const again = before && tokens === 0;
  const stopped = again ? { kind: 'already' as const } : { kind: 'stopped' as const, tokens };
  const path = detailPath(consent.id);
  await leaveNotice(visit, path, consent.revoking === true ? { kind: 'revoking' } : stopped);
  redirect(visit, pathTo(visit, path));
}

/** In force here, and the page of the consent cannot be shown: its store does not answer (N-201). */
async function showRevoking(visit: CustomerVisit, id: string): Promise<void> {
  const { say, site } = visit;
  const title = say('portal.state.revoking');
  respond(visit, 202, {
    title,
    problem: false,
    languageChoice: true,
    tools: await signOutForm(visit),
    body: html`<h1>${title}</h1>
<div class="notice calm" role="status"><p>${say('portal.stopped.blindly', { bank: site.bank.name })}</p></div>
<section><dl><dt>${say('portal.consent')}</dt><dd class="number">${id}</dd></dl></section>
<p><a href="${pathTo(visit, detailPath(id))}">${say('portal.lookAgain')}</a></p>
<p><a href="${pathTo(visit, HOME)}">${say('portal.back')}</a></p>`,
  });
}

/** The customer as the trail names them. */
export async function actorOf({ site, customer, trace }: CustomerVisit): Promise<Actor> {
  const reference = await site.rooms.vault.hasher(site.bank.id, 'audit-subject');
  return { kind: 'customer', reference: reference(customer), interaction: trace };
}
