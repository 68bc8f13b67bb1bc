import { type Html, html } from '../../platform/html.ts';
import type { PortalVisit } from './portal-visit.ts';
import type { Share } from './share.ts';

/** Where something is not right: what the customer can do, and the way to the bank where its configuration names one (SCR-12). */
export function reportOf(visit: PortalVisit, share: Share): Html {
  const { say, site } = visit;
  const { id: consent, state } = share.consent;
  const bank = site.bank.name;
  const title = say('portal.report.title');
  const advice = say(state === 'Authorised' ? 'portal.report.text' : 'portal.report.textEnded', { bank, consent });
  const address = addressOf(visit, consent);
  if (address === undefined) return html`<details><summary>${title}</summary><p>${advice}</p></details>`;
  return html`<details open><summary>${title}</summary><p>${advice}</p>
<p><a class="report" href="${address}">${say('portal.report.link', { bank, consent, trace: visit.trace })}</a></p></details>`;
}

/** It carries the number of the consent and of this page's answer, and nothing personal. */
function addressOf({ say, site, trace }: PortalVisit, consent: string): string | undefined {
  const { reportProblem } = site.bank;
  if (reportProblem === undefined) return undefined;
  const address = new URL(reportProblem);
  if (address.protocol === 'mailto:') {
    const subject = encodeURIComponent(say('portal.report.subject', { consent }));
    const text = encodeURIComponent(say('portal.report.mail', { consent, trace }));
    return `${address.href}?subject=${subject}&body=${text}`;
  }
  address.searchParams.set('consent', consent);
  address.searchParams.set('trace', trace);
  return address.href;
}
