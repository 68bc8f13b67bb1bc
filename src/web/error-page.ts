import { type Html, html } from '../platform/html.ts';
import { Refusal } from '../platform/refusal.ts';
import { errorView, type Problem } from './error-view.ts';
import { pageRefused } from './events.ts';
import { chooseLanguage } from './language.ts';
import { layout } from './layout.ts';
import { pageHeaders } from './page-headers.ts';
import { respond } from './respond.ts';
import { interactionPath, type Site, type Visit } from './visit.ts';

/** An error of the authorization endpoint, as the engine tells it. */
export interface EngineProblem {
  /** OAuth error code. */
  readonly code: string;
  readonly description: string;
  readonly trace: string;
  /** The browser's `Accept-Language`. */
  readonly language: string;
}

/** A page for somebody else to send. */
export interface ErrorPage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Nothing is gained by asking again. */
const FINAL = new Set([
  'interaction_expired',
  'not_found',
  'method_not_allowed',
  'consent_missing',
  'participant_suspended',
]);

/** Addresses that nobody was sent to say nothing of anybody; a form that is not ours has a record of its own. */
const UNRECORDED = new Set(['not_found', 'method_not_allowed', 'csrf_invalid', 'audit_unavailable']);

/** The page for an error of the authorization endpoint (SCR-09). */
export function errorPage(site: Site, { code, description, trace, language: accepted }: EngineProblem): ErrorPage {
  const language = chooseLanguage(undefined, [], accepted);
  const frame = { site, language, say: site.texts(language) };
  const problem: Problem = { code, description, trace, at: site.rooms.clock.now() };
  return { html: layout(frame, errorView(frame, problem, '')).toString(), headers: pageHeaders(language, []) };
}

/** Puts on record what a page is about to refuse; what is to be answered: the refusal, or the one of a trail that cannot be written. */
export function recordProblem({ site, trace }: Visit, cause: unknown): unknown {
  const { code, status } = cause instanceof Refusal ? cause : { code: 'internal_error', status: 500 };
  if (UNRECORDED.has(code)) return cause;
  try {
    site.rooms.audit.enqueue(pageRefused(site.bank.id, trace, code, status));
    return cause;
  } catch (failure) {
    return failure;
  }
}

/** Answers with a page for what was thrown: a refusal with its code and sentence, a defect without any detail. */
export function answerProblem(visit: Visit, cause: unknown, uid: string | undefined): void {
  const { site, response, trace } = visit;
  const refusal = cause instanceof Refusal ? cause : defect(visit, cause);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  const problem: Problem = { code: refusal.code, description: refusal.message, trace, at: site.rooms.clock.now() };
  respond(visit, refusal.status, errorView(visit, problem, wayOn(visit, refusal, uid)));
}

function defect({ site, trace }: Visit, cause: unknown): Refusal {
  site.rooms.log.error({ err: cause, bank: site.bank.id, trace }, 'a page failed');
  return new Refusal('internal_error', 500, '');
}

/** While the request still waits, its page is the way on: there the customer can also cancel. */
function wayOn({ site, say }: Visit, { code }: Refusal, uid: string | undefined): Html | '' {
  if (uid === undefined || FINAL.has(code)) return '';
  return html`<p><a href="${interactionPath(site.bank.id, uid)}">${say('error.retry')}</a></p>`;
}
