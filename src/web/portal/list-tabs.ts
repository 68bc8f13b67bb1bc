import { type Html, html } from '../../platform/html.ts';
import { CONSENT_KINDS, type ConsentKind } from '../page-bank.ts';
import { type ListQuery, listPath } from './list-query.ts';
import type { SharePage } from './list-read.ts';
import type { CustomerVisit } from './portal-visit.ts';
import { isAbout } from './share.ts';

/** The kinds of consents as tabs, each with how many there are; nothing where there is only one kind (SCR-11). */
export function kindTabs(visit: CustomerVisit, query: ListQuery, page: SharePage): Html | '' {
  const kinds = CONSENT_KINDS.filter((kind) => isOffered(visit, query, page, kind));
  if (kinds.length < 2) return '';
  const { say } = visit;
  const items = [undefined, ...kinds].map((kind) => {
    const title = say(kind === undefined ? 'portal.list.all' : `portal.kind.${kind}`);
    const name = html`${title} <small>${page.counts[kind ?? 'all']}${page.countsCut ? '+' : ''}</small>`;
    const href = listPath(visit, { ...query, kind, after: undefined });
    return kind === query.kind
      ? html`<li><a href="${href}" aria-current="page">${name}</a></li>`
      : html`<li><a href="${href}">${name}</a></li>`;
  });
  return html`<nav class="tabs" aria-label="${say('portal.kinds')}"><ul>${items}</ul></nav>`;
}

/** A kind has a tab where the customer was asked for it, where it is asked about now, and where the page has something to say of it. */
function isOffered(visit: CustomerVisit, query: ListQuery, { newest }: SharePage, kind: ConsentKind): boolean {
  if (kind === query.kind || kind === 'accounts') return true;
  if (kind === 'payments' && visit.site.bank.paysByStandIn === true) return true;
  return newest.some((share) => isAbout(visit, share, kind));
}
