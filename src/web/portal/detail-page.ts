import type { ConsentStep } from '../../consent/index.ts';
import { type Html, html } from '../../platform/html.ts';
import { respond } from '../respond.ts';
import { formField } from './forms.ts';
import { type PortalNotice, takeNotice } from './notice.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { reportOf } from './report.ts';
import { isAbout, loadOwn, nameOf, type Share, shareOf } from './share.ts';
import {
  accountsOf,
  accountsTerm,
  datesOf,
  momentInWords,
  momentText,
  permissionsOf,
  standingInWords,
  stateMark,
  stateOf,
} from './share-view.ts';
import { HOME, signOutForm } from './sign-in-page.ts';

/** Address of a consent's page, below the bank's. */
export function detailPath(id: string): string {
  return `${HOME}/${encodeURIComponent(id)}`;
}

/** Address of the page that asks before it stops. */
export function stopPath(id: string): string {
  return `${detailPath(id)}/stop`;
}

/** Address of the page that changes the accounts. */
export function accountsPath(id: string): string {
  return `${detailPath(id)}/accounts`;
}

/** A consent with its history and number (SCR-12). */
export async function showDetail(visit: CustomerVisit, id: string): Promise<void> {
  const consent = await loadOwn(visit, id);
  const share = await shareOf(visit, consent);
  const history = await visit.site.rooms.consents.history(visit.site.bank.id, id);
  const notice = await takeNotice(visit, detailPath(id));
  respond(visit, 200, {
    title: nameOf(share),
    problem: false,
    languageChoice: true,
    tools: await signOutForm(visit),
    body: body(visit, share, { history, notice, again: share.revoking ? await againForm(visit, id) : undefined }),
  });
}

/** What is stopped already needs no second question, only another attempt (N-201). */
async function againForm(visit: CustomerVisit, id: string): Promise<Html> {
  const { say } = visit;
  return html`<form class="onward" method="post" action="${pathTo(visit, stopPath(id))}">${await formField(visit, stopPath(id))}
<div class="actions"><button type="submit" class="quiet">${say('portal.stop.again')}</button>
<a role="button" class="quiet" href="${pathTo(visit, detailPath(id))}">${say('portal.lookAgain')}</a></div></form>`;
}

interface Around {
  readonly history: readonly ConsentStep[];
  readonly notice: PortalNotice | undefined;
  readonly again: Html | undefined;
}

function body(visit: CustomerVisit, share: Share, { history, notice, again }: Around): Html {
  const { say, site } = visit;
  const { consent, participant } = share;
  const active = consent.state === 'Authorised';
  const standing = stateOf(share);
  const granted = history.find(({ action }) => action === 'authorise')?.at;
  return html`<p class="onward"><a href="${pathTo(visit, HOME)}">${say('portal.back')}</a></p>
<h1>${nameOf(share)} ${stateMark(visit, share)}</h1>
${notice === undefined && !share.revoking ? '' : html`<div class="notice calm" role="status"><p>${noticeText(visit, share, notice)}</p></div>`}
${standing === 'paused' || standing === 'barred' ? html`<div class="notice calm"><p>${standingInWords(visit, share, standing)}</p></div>` : ''}
<section aria-labelledby="details"><h2 id="details">${say('portal.details')}</h2>
<dl>
${participant === undefined ? '' : html`<dt>${say('consent.registrationNumber')}</dt><dd>${participant.registrationNumber}</dd>`}
<dt>${accountsTerm(visit, share)}</dt><dd>${accountsOf(visit, share)}</dd>
${granted !== undefined && isAbout(visit, share, 'accounts') ? html`<dt>${say('portal.period')}</dt><dd>${say('portal.period.unlimited')}</dd>` : ''}
${datesOf(visit, share, granted)}
<dt>${say('portal.consent')}</dt><dd class="number">${consent.id}</dd>
</dl></section>
<section aria-labelledby="what"><h2 id="what">${say(titleOfPermissions(active, granted))}</h2>
${permissionsOf(visit, share)}</section>
${active ? html`<p class="actions">${site.bank.accountChanges === true ? html`<a role="button" class="quiet" href="${pathTo(visit, accountsPath(consent.id))}">${say('portal.accounts.change')}</a>` : ''}<a role="button" class="stop" href="${pathTo(visit, stopPath(consent.id))}">${say('portal.stop.button')}</a></p>` : ''}
${again}
<section aria-labelledby="history"><h2 id="history">${say('portal.history.title')}</h2>
<ol class="plain history">${history.map((step) => stepInWords(visit, share, step))}</ol></section>
${reportOf(visit, share)}
<details><summary>${say('portal.print.title')}</summary><p>${say('portal.print.text')}</p></details>
<p class="elsewhere"><a href="${pathTo(visit, `${detailPath(consent.id)}/record.json`)}">${say('portal.list.json')}</a></p>
<p class="paper">${onPaper(visit, consent.id)}</p>`;
}

/** When it was so and where it can be looked up: on a screen both are in plain sight. */
function onPaper(visit: CustomerVisit, id: string): string {
  const { say, site } = visit;
  const moment = momentText(visit, site.rooms.clock.now());
  return say('portal.print.asOf', { moment, address: `${site.origin}${pathTo(visit, detailPath(id))}` });
}

function titleOfPermissions(active: boolean, granted: Date | undefined) {
  if (active) return 'portal.allowed';
  return granted === undefined ? 'portal.wasAsked' : 'portal.wasAllowed';
}

function stepInWords(visit: CustomerVisit, share: Share, { at, action, actor, accounts }: ConsentStep): Html {
  const { say, site } = visit;
  const who = {
    customer: () => say('portal.by.customer'),
    participant: () => say('portal.by.participant', { participant: nameOf(share) }),
    staff: () => say('portal.by.staff', { bank: site.bank.name }),
    system: () => say('portal.by.system'),
  }[actor]();
  const what = action === 'revoke' && share.revoking ? 'revoking' : action;
  return html`<li><strong>${say(`portal.history.${what}`)}</strong> ${who}${accounts && html`<small>${say('portal.history.accounts', { before: namesOf(visit, share, accounts.before), after: namesOf(visit, share, accounts.after) })}</small>`}<small>${momentInWords(visit, at)}</small></li>`;
}

/** Accounts by name and masked number, in a line. */
function namesOf({ say }: CustomerVisit, { accounts = [] }: Share, ids: readonly string[]): string {
  const names = ids.map((id) => {
    const account = accounts.find((own) => own.id === id);
    return account === undefined ? say('portal.accountGone') : `${account.name} ${account.maskedNumber}`;
  });
  return names.join(', ');
}

function noticeText({ say, site }: CustomerVisit, share: Share, notice: PortalNotice | undefined): string {
  const participant = nameOf(share);
  if (share.revoking) return say('portal.stopped.revoking', { participant, bank: site.bank.name });
  if (notice?.kind === 'changed') return say('portal.accounts.changed', { participant });
  if (notice?.kind !== 'stopped') return say('portal.stopped.already', { participant });
  return `${say('portal.stopped.title')} ${tokensInWords(say, participant, notice.tokens)}`;
}

function tokensInWords(say: CustomerVisit['say'], participant: string, tokens: number): string {
  if (tokens === 0) return say('portal.stopped.none', { participant });
  if (tokens === 1) return say('portal.stopped.one', { participant });
  return say('portal.stopped.many', { participant, count: String(tokens) });
}
