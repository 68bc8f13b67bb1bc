import { html } from '../platform/html.ts';
import type { Refusal } from '../platform/refusal.ts';
import { recordProblem } from './error-page.ts';
import { problemDetails } from './error-view.ts';
import type { PageContent } from './layout.ts';
import { respond } from './respond.ts';
import type { Visit } from './visit.ts';
import { findWayBack } from './way-back.ts';

/**
 * The page of a request whose time is over, with the way back to who asked (N-109). A link, not a redirect: the customer sees whom
 * it leads to. False when this browser has no part in the request, or the third party may not ask for anything any more.
 */
export async function showExpired(visit: Visit, uid: string, cause: Refusal): Promise<boolean> {
  const back = await findWayBack(visit, uid);
  if (back === undefined) return false;
  const asker = await visit.site.rooms.directory.findParticipant(back.participant);
  if (asker?.status !== 'approved') return false;
  const told = recordProblem(visit, cause);
  if (told !== cause) throw told;
  respond(visit, cause.status, expiredView(visit, cause, asker.name, back.uri));
  return true;
}

function expiredView({ say, site, trace }: Visit, cause: Refusal, participant: string, uri: string): PageContent {
  const { code, message: description } = cause;
  const problem = { code, description, trace, at: site.rooms.clock.now() };
  return {
    title: say('expired.title'),
    problem: true,
    languageChoice: true,
    body: html`<h1>${say('expired.title')}</h1>
<div class="notice" role="alert"><p>${say('expired.text', { bank: site.bank.name, participant })}</p></div>
<p>${say('expired.next', { participant })}</p>
<div class="actions"><a role="button" href="${uri}">${say('expired.return', { participant })}</a></div>
${problemDetails({ site, say }, problem)}`,
  };
}
