import { CONSENT_STATES, type ConsentState } from '../../consent/index.ts';
import { type Html, html } from '../../platform/html.ts';
import { Refusal } from '../../platform/refusal.ts';
import { respond } from '../respond.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { loadOwn, nameOf, type Share, sharesOf } from './share.ts';
import { accountsOf, datesOf, permissionTitles, stateMark } from './share-view.ts';
import { HOME, signOutForm } from './sign-in-page.ts';

/** Consents of a page: a screenful or three. */
const PAGE = 20;
/** States a customer looks for. */
const FILTERS: readonly ConsentState[] = ['Authorised', 'Expired', 'Revoked', 'Rejected'];

/** The customer's consents, newest first, and nobody else's (CLD-46). */
export async function showList(visit: CustomerVisit, query: URLSearchParams): Promise<void> {
  const { shares, more } = await readPage(visit, query);
  const state = stateIn(query);
  const { say, site } = visit;
  respond(visit, 200, {
    title: say('portal.list.title'),
    problem: false,
    languageChoice: true,
    tools: await signOutForm(visit),
    body: html`<h1>${say('portal.list.title')}</h1>
<p class="lead">${say('portal.list.lead', { bank: site.bank.name })}</p>
${filters(visit, state)}
${shares.length === 0 ? emptiness(visit, state) : html`<ul class="cards">${shares.map((share) => card(visit, share))}</ul>`}
${more === undefined ? '' : html`<p><a href="${listPath(visit, state, more)}">${say('portal.list.older')}</a></p>`}
<p class="elsewhere"><a href="${pathTo(visit, '/consents.json')}">${say('portal.list.json')}</a></p>`,
  });
}

/** The same for machines (SCR-10). */
export async function tellList(visit: CustomerVisit, query: URLSearchParams): Promise<void> {
  const { shares, more } = await readPage(visit, query);
  const consents = shares.map((share) => {
    const { id, state, scopes, accounts, createdAt, changedAt, expiresAt, lastUsedAt } = share.consent;
    const participant = { id: share.consent.participant, name: nameOf(share) };
    const status = share.revoking ? 'Revoking' : state;
    return { id, participant, status, scopes, accounts, createdAt, changedAt, expiresAt, lastUsedAt };
  });
  const text = JSON.stringify({ consents, ...(more === undefined ? {} : { after: more }) });
  const { response } = visit;
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(visit.request.method === 'HEAD' ? undefined : text);
}

async function readPage(visit: CustomerVisit, query: URLSearchParams) {
  const { site, customer } = visit;
  const state = stateIn(query);
  const after = query.get('after');
  const last = after === null ? undefined : await loadOwn(visit, after);
  const found = await site.rooms.consents.list({
    bank: site.bank.id,
    customer,
    limit: PAGE + 1,
    ...(state === undefined ? {} : { state }),
    ...(last === undefined ? {} : { after: { createdAt: last.createdAt, id: last.id } }),
  });
  const own = found.filter((consent) => consent.customer === customer && consent.bank === site.bank.id);
  const page = own.slice(0, PAGE);
  return { shares: await sharesOf(visit, page), more: own.length > PAGE ? page.at(-1)?.id : undefined };
}

/** @throws Refusal `field_invalid` 400 for a state there is not */
function stateIn(query: URLSearchParams): ConsentState | undefined {
  const asked = query.get('state');
  if (asked === null) return undefined;
  const state = CONSENT_STATES.find((known) => known === asked);
  if (state === undefined) throw new Refusal('field_invalid', 400, 'state: there is no such state.');
  return state;
}

function listPath(visit: CustomerVisit, state: ConsentState | undefined, after?: string): string {
  const query = new URLSearchParams({
    ...(state === undefined ? {} : { state }),
    ...(after === undefined ? {} : { after }),
  }).toString();
  return pathTo(visit, `${HOME}${query === '' ? '' : `?${query}`}`);
}

function filters(visit: CustomerVisit, chosen: ConsentState | undefined): Html {
  const { say } = visit;
  const item = (state: ConsentState | undefined) => {
    const name = state === undefined ? say('portal.list.all') : say(`portal.state.${state}`);
    return state === chosen
      ? html`<li><a href="${listPath(visit, state)}" aria-current="page">${name}</a></li>`
      : html`<li><a href="${listPath(visit, state)}">${name}</a></li>`;
  };
  return html`<nav class="filters" aria-label="${say('portal.list.filter')}"><ul>${[undefined, ...FILTERS].map(item)}</ul></nav>`;
}

function emptiness({ say, site }: CustomerVisit, state: ConsentState | undefined): Html {
  const text = state === undefined ? say('portal.list.empty', { bank: site.bank.name }) : say('portal.list.emptyState');
  return html`<p class="panel">${text}</p>`;
}

function card(visit: CustomerVisit, share: Share): Html {
  const { say } = visit;
  const { id } = share.consent;
  return html`<li class="panel"><h2><a href="${pathTo(visit, `${HOME}/${encodeURIComponent(id)}`)}">${nameOf(share)}</a> ${stateMark(visit, share)}</h2>
<p>${permissionTitles(visit, share)}</p>
<dl>
<dt>${say('portal.accounts')}</dt><dd>${accountsOf(visit, share)}</dd>
${datesOf(visit, share, undefined)}
</dl></li>`;
}
