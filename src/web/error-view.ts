import { type Html, html } from '../platform/html.ts';
import type { Frame, PageContent } from './layout.ts';
import { isMessageKey, type MessageKey, type Say } from './messages/catalogue.ts';

/** What went wrong, as the page may tell. */
export interface Problem {
  /** OAuth error or reason code (acceptance.md §1.3). */
  readonly code: string;
  /** A sentence in English that is safe to show. */
  readonly description: string;
  readonly trace: string;
  readonly at: Date;
}

/** SCR-09: what happened in plain words, what to do next, and the facts a helper needs. `next` is the way on, if there is one. */
export function errorView({ site, say }: Frame, problem: Problem, next: Html | ''): PageContent {
  const bank = site.bank.name;
  return {
    title: say('error.title'),
    problem: true,
    languageChoice: false,
    body: html`<h1>${say('error.title')}</h1>
<div class="notice" role="alert"><p>${plainWords(say, problem.code, bank)}</p></div>
${next === '' ? html`<p>${say('error.restart')}</p>` : next}
${problemDetails({ site, say }, problem)}`,
  };
}

/** The facts a helper needs. */
export function problemDetails({ site, say }: Pick<Frame, 'site' | 'say'>, problem: Problem): Html {
  const { code, description, trace, at } = problem;
  return html`<section aria-labelledby="details"><h2 id="details">${say('error.details', { bank: site.bank.name })}</h2>
<dl>
<dt>${say('error.code')}</dt><dd>${code}</dd>
${description === '' ? '' : html`<dt>${say('error.description')}</dt><dd lang="en">${description}</dd>`}
<dt>${say('error.trace')}</dt><dd>${trace}</dd>
<dt>${say('error.time')}</dt><dd><time datetime="${at.toISOString()}">${at.toISOString()}</time></dd>
</dl></section>`;
}

type ProblemKey = Extract<MessageKey, `problem.${string}`>;

/** Codes that mean the same to a customer. */
const alike: ReadonlyMap<string, ProblemKey> = new Map([
  ['participant_not_approved', 'problem.participant_suspended'],
  ['participant_unknown', 'problem.participant_suspended'],
  ['server_error', 'problem.internal_error'],
  ['temporarily_unavailable', 'problem.internal_error'],
  ['unauthorized_client', 'problem.invalid_client'],
  ['invalid_request_object', 'problem.invalid_request'],
  ['invalid_request_uri', 'problem.invalid_request'],
  ['invalid_scope', 'problem.invalid_request'],
]);

function plainWords(say: Say, code: string, bank: string): string {
  const key = `problem.${code}`;
  return say(alike.get(code) ?? (isProblemKey(key) ? key : 'problem.other'), { bank });
}

function isProblemKey(key: string): key is ProblemKey {
  return key.startsWith('problem.') && isMessageKey(key);
}
