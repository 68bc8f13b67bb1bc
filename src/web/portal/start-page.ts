import { html } from '../../platform/html.ts';
import type { PageContent } from '../layout.ts';
import type { Say } from '../messages/catalogue.ts';
import type { PageBank } from '../page-bank.ts';

/** Where the customer says which bank it is about. */
export function startView(say: Say, banks: readonly PageBank[]): PageContent {
  return {
    title: say('portal.start.title'),
    problem: false,
    languageChoice: true,
    body: html`<h1>${say('portal.start.title')}</h1>
<p class="lead">${say('portal.start.lead')}</p>
<ul class="choices">
${banks.map((bank) => html`<li><a href="/${bank.id}/">${say('portal.start.bank', { bank: bank.name })}</a></li>`)}
</ul>`,
  };
}
