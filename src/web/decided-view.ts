import type { Consent } from '../consent/index.ts';
import { html } from '../platform/html.ts';
import { dateInWords } from './language.ts';
import type { PageContent } from './layout.ts';
import type { Visit } from './visit.ts';

/** The final state of a request that was answered, here or in another tab (N-225). */
export function decidedView(visit: Visit, consent: Consent, participant: string): PageContent {
  const { say } = visit;
  return {
    title: say('decided.title'),
    problem: false,
    languageChoice: true,
    body: html`<h1>${say('decided.title')}</h1>
<p class="lead">${stateInWords(visit, consent, participant)}</p>
<p>${say('decided.next')}</p>`,
  };
}

function stateInWords({ say, site, language }: Visit, consent: Consent, participant: string): string {
  switch (consent.state) {
    case 'Awaiting':
      throw new Error('a request that waits for its answer has no final state');
    case 'Authorised': {
      const date = dateInWords(consent.expiresAt, language, site.bank.timeZone ?? 'UTC');
      return say('decided.Authorised', { participant, date });
    }
    case 'Consumed':
      return say('decided.Consumed', { participant });
    case 'Rejected':
      return say('decided.Rejected', { participant });
    case 'Revoked':
      return say('decided.Revoked', { participant });
    case 'Expired':
      return say('decided.Expired');
    default:
      return neverState(consent.state);
  }
}

function neverState(state: never): never {
  throw new Error(`no words for the consent state ${String(state)}`);
}
