import { type Html, html } from '../../platform/html.ts';
import { detailPath } from './detail-page.ts';
import type { News } from './news.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { nameOf } from './share.ts';
import { momentText, standingInWords } from './share-view.ts';

/** Sentences in plain sight; the others open on demand, so that the list is not pushed off the page. */
const IN_SIGHT = 3;

/** What there is to say, each in a sentence that leads to its consent; nothing when there is nothing. */
export function newsSection(visit: CustomerVisit, news: readonly News[]): Html | '' {
  if (news.length === 0) return '';
  const { say } = visit;
  const [first, rest] = [news.slice(0, IN_SIGHT), news.slice(IN_SIGHT)];
  const list = (some: readonly News[]) => html`<ul>${some.map((one) => item(visit, one))}</ul>`;
  return html`<section class="news" aria-labelledby="news"><h2 id="news">${say('portal.news.title')}</h2>
${list(first)}
${rest.length === 0 ? '' : html`<details><summary>${say('portal.news.more', { count: String(rest.length) })}</summary>${list(rest)}</details>`}
</section>`;
}

function item(visit: CustomerVisit, news: News): Html {
  const text = sentence(visit, news);
  if (news.kind === 'accounts-unknown') return html`<li>${text}</li>`;
  return html`<li><a href="${pathTo(visit, detailPath(news.share.consent.id))}">${text}</a></li>`;
}

function sentence(visit: CustomerVisit, news: News): string {
  const { say, site } = visit;
  const bank = site.bank.name;
  if (news.kind === 'accounts-unknown') return say('portal.news.accountsUnknown', { bank });
  const { kind, share } = news;
  const participant = nameOf(share);
  const { changedAt, expiresAt } = share.consent;
  switch (kind) {
    case 'revoking':
      return say('portal.news.revoking', { participant, bank });
    case 'paused':
    case 'barred':
      return standingInWords(visit, share, kind);
    case 'ending':
      return say('portal.news.ending', { participant, moment: momentText(visit, expiresAt) });
    case 'withdrawn':
      return say(`portal.news.withdrawn.${news.by}`, { participant, bank, moment: momentText(visit, changedAt) });
    default:
      throw new Error(`unhandled news ${kind satisfies never}`);
  }
}
