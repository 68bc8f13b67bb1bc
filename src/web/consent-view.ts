import type { Account } from '../bank/index.ts';
import type { Consent } from '../consent/index.ts';
import { type Html, html } from '../platform/html.ts';
import { FORM_TOKEN_FIELD } from './form-token.ts';
import { dateInWords } from './language.ts';
import type { PageContent } from './layout.ts';
import type { Language } from './messages/catalogue.ts';
import { type Notice, noticeText } from './notice.ts';
import type { Words } from './page-bank.ts';
import { findWords } from './scope-words.ts';
import { type AskedVisit, returnHost } from './visit.ts';

/** What the page shows, from the stored consent, the bank and the directory; nothing of it comes back from the form. */
export interface ConsentFacts {
  readonly consent: Consent;
  readonly accounts: readonly Account[];
  readonly expiresAt: Date;
  readonly token: string;
  readonly notice: Notice | undefined;
}

/** SCR-03: who, what, which accounts, until when, how to stop; nothing is ticked beforehand. */
export function consentView(visit: AskedVisit, facts: ConsentFacts): PageContent {
  const { say, path, asker } = visit;
  const participant = asker.name;
  const { token, notice, accounts } = facts;
  const host = returnHost(visit);
  return {
    title: say('consent.title', { participant }),
    problem: notice !== undefined,
    languageChoice: true,
    body: html`<h1>${say('consent.title', { participant })}</h1>
${notice === undefined ? '' : html`<div class="notice" id="notice" role="alert"><p>${noticeText(visit, notice)}</p></div>`}
<p class="lead">${say('consent.intro')}</p>
${whoIsAsking(visit)}
<form method="post" action="${path}/consent">
<input type="hidden" name="${FORM_TOKEN_FIELD}" value="${token}">
${whatIsAsked(visit, facts.consent)}
${accountList(visit, facts)}
${howLong(visit, facts.expiresAt)}
<p>${say('consent.return', { participant, host })}</p>
<div class="actions">
${accounts.length === 0 ? '' : html`<button type="submit">${say('consent.agree')}</button>`}
<button type="submit" form="cancel" class="quiet">${say('consent.cancel')}</button>
</div>
</form>
<form method="post" action="${path}/cancel" id="cancel">
<input type="hidden" name="${FORM_TOKEN_FIELD}" value="${token}">
</form>`,
  };
}

function whoIsAsking({ say, asker }: AskedVisit): Html {
  return html`<section aria-labelledby="who"><h2 id="who">${say('consent.who')}</h2>
<dl>
<dt>${say('consent.participantName')}</dt><dd>${asker.name}</dd>
<dt>${say('consent.registrationNumber')}</dt><dd>${asker.registrationNumber}</dd>
<dt>${say('consent.standing')}</dt><dd>${say('consent.approved')}</dd>
</dl></section>`;
}

/** Exactly what was asked for, each scope with its own items (N-228). */
function whatIsAsked({ say, asker, site, language }: AskedVisit, { scopes }: Consent): Html {
  const groups = scopes.map((scope) => {
    const { title, items } = wordsOf(site.bank.words, scope, language);
    return html`<h3>${title}</h3><ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
  });
  const heading = say('consent.what', { participant: asker.name });
  return html`<section aria-labelledby="what"><h2 id="what">${heading}</h2>${groups}</section>`;
}

/** @throws Error when the regime has no words for the scope: what cannot be explained is not asked for. */
function wordsOf(words: Readonly<Record<string, Words>>, scope: string, language: Language) {
  const found = findWords(words, scope, language);
  if (found === undefined) throw new Error(`the regime has no words for the scope ${scope}`);
  return found;
}

function accountList(visit: AskedVisit, { accounts, notice }: ConsentFacts): Html {
  const { say, asker, site } = visit;
  const participant = asker.name;
  const bank = site.bank.name;
  const hint =
    accounts.length === 0
      ? say('consent.noAccounts', { bank, participant })
      : say('consent.accountsHint', { participant });
  return html`<fieldset aria-describedby="accounts-hint${notice === undefined ? '' : ' notice'}"><legend>${say('consent.accounts')}</legend>
<p id="accounts-hint">${hint}</p>
${accounts.map(accountChoice)}
</fieldset>`;
}

function accountChoice({ id, name, type, maskedNumber, currency }: Account): Html {
  return html`<label class="account"><input type="checkbox" name="account" value="${id}"><span><strong>${name}</strong><small>${type} · ${maskedNumber} · ${currency}</small></span></label>
`;
}

function howLong({ say, site, language }: AskedVisit, expiresAt: Date): Html {
  const { name: bank, consentDays, portalUrl, timeZone = 'UTC' } = site.bank;
  const date = `${dateInWords(expiresAt, language, timeZone)} (${timeZone})`;
  const stop =
    portalUrl === undefined
      ? html`<p>${say('consent.withdrawBank', { bank })}</p>`
      : html`<p>${say('consent.withdrawPortal')} <a href="${portalUrl}" target="_blank" rel="noopener noreferrer">${say('consent.portal', { bank })}</a></p>`;
  return html`<section aria-labelledby="how-long"><h2 id="how-long">${say('consent.howLong')}</h2>
<p>${say('consent.until', { days: String(consentDays), date })}</p>
<h3>${say('consent.withdraw')}</h3>
${stop}</section>`;
}
