import type { Consent } from '../../consent/index.ts';
import { type Html, html } from '../../platform/html.ts';
import { dateInWords, timeInWords } from '../language.ts';
import { findWords } from '../scope-words.ts';
import type { PortalVisit } from './portal-visit.ts';
import { nameOf, type Share } from './share.ts';

const DAY_MILLISECONDS = 86_400_000;

/** A state as the customer sees it: `paused` and `barred` stand, and the gateway refuses who should use them. */
export type SeenState = Consent['state'] | 'revoking' | 'unused' | 'paused' | 'barred';

/** The state as the customer sees it. */
export function stateOf({ consent, participant, revoking, takenUp }: Share): SeenState {
  if (revoking) return 'revoking';
  if (consent.state === 'Revoked' && !takenUp) return 'unused';
  if (consent.state !== 'Authorised' || participant?.status === 'approved') return consent.state;
  return participant?.status === 'suspended' ? 'paused' : 'barred';
}

/** What keeps the company from what it is allowed, by `stateOf`. */
export function standingInWords({ say, site }: PortalVisit, share: Share, standing: 'paused' | 'barred'): string {
  return say(`portal.news.${standing}`, { participant: nameOf(share), bank: site.bank.name });
}

/** The state in a word, told apart by words first and colour second (N-238). */
export function stateMark({ say }: PortalVisit, share: Share): Html {
  const state = stateOf(share);
  return html`<span class="state" data-state="${state}">${say(`portal.state.${state}`)}</span>`;
}

/** A moment, to the minute, in the bank's time zone. */
export function momentInWords(visit: PortalVisit, at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${momentText(visit, at)}</time>`;
}

/** The same as plain text. */
export function momentText({ language, site }: PortalVisit, at: Date): string {
  const zone = site.bank.timeZone ?? 'UTC';
  return `${dateInWords(at, language, zone)}, ${timeInWords(at, language, zone)}`;
}

/** Since when and until when, last used: rows of a list of terms. `grantedAt` is when the customer agreed, where it is known. */
export function datesOf(visit: PortalVisit, share: Share, grantedAt: Date | undefined): Html {
  const { say } = visit;
  const { consent } = share;
  const row = (term: string, at: Date) => html`<dt>${term}</dt><dd>${momentInWords(visit, at)}</dd>`;
  // Where accounts can be changed, the last change need not be the agreement.
  const agreedLast = consent.state === 'Authorised' && visit.site.bank.accountChanges !== true;
  const granted = grantedAt ?? (agreedLast ? consent.changedAt : undefined);
  const used =
    consent.lastUsedAt === undefined
      ? html`<dt>${say('portal.lastUsed')}</dt><dd>${say(neverUsed(share))}</dd>`
      : row(say('portal.lastUsed'), consent.lastUsedAt);
  return html`${granted === undefined ? row(say('portal.asked'), consent.createdAt) : row(say('portal.since'), granted)}
${endOf(visit, share, row)}
${used}`;
}

/** How long a consent goes on, in whole days (ASK-10). */
function timeLeft({ say, site }: PortalVisit, end: Date): string {
  const days = Math.floor((end.getTime() - site.rooms.clock.now().getTime()) / DAY_MILLISECONDS);
  if (days < 1) return say('portal.left.hours');
  return days === 1 ? say('portal.left.day') : say('portal.left.days', { days: String(days) });
}

function neverUsed({ consent, takenUp }: Share) {
  if (takenUp) return 'portal.neverUsed';
  return consent.state === 'Authorised' ? 'portal.notTakenUp' : 'portal.neverTakenUp';
}

function endOf(visit: PortalVisit, { consent, revoking }: Share, row: (term: string, at: Date) => Html): Html {
  const { say } = visit;
  switch (consent.state) {
    case 'Awaiting':
      return row(say('portal.answerBefore'), consent.expiresAt);
    case 'Authorised':
      return html`<dt>${say('portal.until')}</dt><dd>${momentInWords(visit, consent.expiresAt)} <small>${timeLeft(visit, consent.expiresAt)}</small></dd>`;
    default:
      return row(say(revoking ? 'portal.endingSince' : 'portal.ended'), consent.changedAt);
  }
}

/** What the accounts stand under: how many there are. */
export function accountsTerm({ say }: PortalVisit, { consent }: Share): string {
  return `${say('portal.accounts')} (${consent.accounts.length})`;
}

/** The consent's own accounts, by name and masked number (N-239). */
export function accountsOf({ say }: PortalVisit, { consent, accounts }: Share): Html {
  if (consent.accounts.length === 0) return html`${say('portal.noAccounts')}`;
  if (accounts === undefined) return html`${say('portal.accountsUnknown', { count: String(consent.accounts.length) })}`;
  const items = consent.accounts.map((id) => {
    const account = accounts.find((own) => own.id === id);
    return account === undefined
      ? html`<li>${say('portal.accountGone')}</li>`
      : html`<li>${account.name} <small>${account.maskedNumber} · ${account.currency}</small></li>`;
  });
  return html`<ul class="plain">${items}</ul>`;
}

/** What a scope allows, in the regime's words; a scope that has none any more is named as it is. */
export function permissionsOf({ site, language }: PortalVisit, { consent }: Share): Html {
  const groups = consent.scopes.map((scope) => {
    const { title, items } = findWords(site.bank.words, scope, language) ?? { title: scope, items: [] };
    return html`<h3>${title}</h3>${items.length === 0 ? '' : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`}`;
  });
  return html`${groups}`;
}

/** The same in a line. */
export function permissionTitles({ site, language }: PortalVisit, { consent }: Share): string {
  return consent.scopes.map((scope) => findWords(site.bank.words, scope, language)?.title ?? scope).join(' · ');
}
