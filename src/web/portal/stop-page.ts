import type { Actor } from '../../audit/index.ts';
import { html } from '../../platform/html.ts';
import { revokeConsent } from '../management/operations.ts';
import { redirect, respond } from '../respond.ts';
import { detailPath, stopPath } from './detail-page.ts';
import { formField, takeForm } from './forms.ts';
import { leaveNotice } from './notice.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { loadOwn, nameOf, sharesOf } from './share.ts';
import { accountsOf } from './share-view.ts';
import { signOutForm } from './sign-in-page.ts';

/** Says what will stop, and changes nothing (CLD-47): the first of two steps. */
export async function askStop(visit: CustomerVisit, id: string): Promise<void> {
  const consent = await loadOwn(visit, id);
  const [share] = await sharesOf(visit, [consent]);
  if (share === undefined) throw new Error('a consent without its page');
  if (consent.state !== 'Authorised' && !share.revoking) return redirect(visit, pathTo(visit, detailPath(id)));
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
<section><dl><dt>${say('portal.accounts')}</dt><dd>${accountsOf(visit, share)}</dd></dl>
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
  const before = await loadOwn(visit, id);
  const { site } = visit;
  const { consent, tokens } = await revokeConsent(site.rooms, site.bank.id, id, await actorOf(visit));
  const again = before.state === 'Revoked' && tokens === 0;
  const stopped = again ? { kind: 'already' as const } : { kind: 'stopped' as const, tokens };
  await leaveNotice(visit, detailPath(id), consent.revoking === true ? { kind: 'revoking' } : stopped);
  redirect(visit, pathTo(visit, detailPath(id)));
}

/** The customer as the trail names them. */
async function actorOf({ site, customer, trace }: CustomerVisit): Promise<Actor> {
  const reference = await site.rooms.vault.hasher(site.bank.id, 'audit-subject');
  return { kind: 'customer', reference: reference(customer), interaction: trace };
}
