import type { ConsentState } from '../../consent/index.ts';
import { type Html, html } from '../../platform/html.ts';
import { respond } from '../respond.ts';
import { detailPath } from './detail-page.ts';
import {
  type ListQuery,
  listJsonPath,
  listPath,
  MAXIMUM_SEARCH,
  parametersOf,
  parseListQuery,
  SORTS,
} from './list-query.ts';
import { readPage, type SharePage } from './list-read.ts';
import { kindTabs } from './list-tabs.ts';
import { newsOf } from './news.ts';
import { newsSection } from './news-view.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { nameOf, type Share } from './share.ts';
import { accountsOf, accountsTerm, datesOf, permissionTitles, stateMark } from './share-view.ts';
import { HOME, signOutForm } from './sign-in-page.ts';

/** States a customer looks for. */
const FILTERS: readonly ConsentState[] = ['Authorised', 'Awaiting', 'Expired', 'Revoked', 'Rejected'];

/** The customer's consents, newest first unless asked otherwise, and nobody else's (CLD-46, SCR-10, SCR-11). */
export async function showList(visit: CustomerVisit, parameters: URLSearchParams): Promise<void> {
  const query = parseListQuery(parameters);
  const page = await readPage(visit, query);
  const { say, site } = visit;
  const bank = site.bank.name;
  // Payments stand here as consents only where somebody was asked for one: what else lets a company pay is said.
  const paymentsTab = query.kind === 'payments' && site.bank.paysByStandIn === true;
  // Whoever narrows the list is looking for something else.
  const news = isNarrow(query) ? [] : await newsOf(visit, page.newest);
  respond(visit, 200, {
    title: say('portal.list.title'),
    problem: false,
    languageChoice: true,
    parameters: parametersOf(query),
    tools: await signOutForm(visit),
    body: html`<h1>${say('portal.list.title')}</h1>
<p class="lead">${say('portal.list.lead', { bank })}</p>
${newsSection(visit, news)}
${page.newest.length === 0 && !isNarrow(query) ? '' : narrowing(visit, query, page)}
${paymentsTab ? html`<p class="panel">${say('portal.list.payments', { bank })}</p>` : ''}
${page.shares.length === 0 ? emptiness(visit, query, paymentsTab) : html`<ul class="cards">${page.shares.map((share) => card(visit, share))}</ul>`}
${page.cut ? html`<p class="elsewhere">${say('portal.list.cut')}</p>` : ''}
${onward(visit, query, page)}
<p class="elsewhere">${say(site.bank.ownConsentStore === true ? 'portal.list.ownStore' : 'portal.list.builtInStore', { bank })}
<a href="${listJsonPath(visit, query)}">${say('portal.list.json')}</a></p>`,
  });
}

function isNarrow({ kind, state, search, after }: ListQuery): boolean {
  return kind !== undefined || state !== undefined || search !== '' || after !== undefined;
}

function narrowing(visit: CustomerVisit, query: ListQuery, page: SharePage): Html {
  return html`${kindTabs(visit, query, page)}
${filters(visit, query)}
${searchForm(visit, query)}`;
}

function filters(visit: CustomerVisit, query: ListQuery): Html {
  const { say } = visit;
  const item = (state: ConsentState | undefined) => {
    const name = state === undefined ? say('portal.list.anyState') : say(`portal.state.${state}`);
    const href = listPath(visit, { ...query, state, after: undefined });
    return state === query.state
      ? html`<li><a href="${href}" aria-current="page">${name}</a></li>`
      : html`<li><a href="${href}">${name}</a></li>`;
  };
  return html`<nav class="filters" aria-label="${say('portal.list.filter')}"><ul>${[undefined, ...FILTERS].map(item)}</ul></nav>`;
}

function searchForm(visit: CustomerVisit, { kind, state, sort, search }: ListQuery): Html {
  const { say } = visit;
  const options = SORTS.map((known) => {
    const name = say(`portal.list.sort.${known}`);
    return known === sort
      ? html`<option value="${known}" selected>${name}</option>`
      : html`<option value="${known}">${name}</option>`;
  });
  return html`<search><form method="get" action="${pathTo(visit, HOME)}" class="narrow">
${kind === undefined ? '' : html`<input type="hidden" name="kind" value="${kind}">`}
${state === undefined ? '' : html`<input type="hidden" name="state" value="${state}">`}
<div><label for="search">${say('portal.list.search')}</label>
<input id="search" name="search" type="search" maxlength="${MAXIMUM_SEARCH}" autocomplete="off" value="${search}"></div>
<div><label for="sort">${say('portal.list.sort')}</label>
<select id="sort" name="sort">${options}</select></div>
<button type="submit" class="quiet">${say('portal.list.apply')}</button>
</form></search>`;
}

function emptiness(visit: CustomerVisit, { kind, state, search }: ListQuery, explained: boolean): Html | '' {
  const { say, site } = visit;
  if (search !== '')
    return html`<p class="panel">${say('portal.list.emptySearch', { search })} <a href="${listPath(visit, { kind, state })}">${say('portal.list.all')}</a></p>`;
  if (state === undefined && explained) return '';
  if (state !== undefined || kind !== undefined) return html`<p class="panel">${say('portal.list.emptyState')}</p>`;
  return html`<p class="panel">${say('portal.list.empty', { bank: site.bank.name })}</p>`;
}

/** The way to the next page and back to the first. */
function onward(visit: CustomerVisit, query: ListQuery, { more }: SharePage): Html {
  const { say } = visit;
  const next = say(query.sort === 'newest' ? 'portal.list.older' : 'portal.list.more');
  return html`${more === undefined ? '' : html`<p><a href="${listPath(visit, { ...query, after: more })}">${next}</a></p>`}
${query.after === undefined ? '' : html`<p><a href="${listPath(visit, { ...query, after: undefined })}">${say('portal.list.first')}</a></p>`}`;
}

function card(visit: CustomerVisit, share: Share): Html {
  const { say } = visit;
  const { id } = share.consent;
  return html`<li class="panel"><h2><a href="${pathTo(visit, detailPath(id))}">${nameOf(share)}</a> ${stateMark(visit, share)}</h2>
<p>${permissionTitles(visit, share)}</p>
<dl>
<dt>${accountsTerm(visit, share)}</dt><dd>${accountsOf(visit, share)}</dd>
${datesOf(visit, share, undefined)}
<dt>${say('portal.consent')}</dt><dd class="number">${id}</dd>
</dl></li>`;
}
