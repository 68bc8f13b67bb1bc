import { html } from '../../platform/html.ts';
import { Refusal } from '../../platform/refusal.ts';
import { problemDetails } from '../error-view.ts';
import type { Frame } from '../layout.ts';
import { isMessageKey, type MessageKey, type Say } from '../messages/catalogue.ts';
import { respond } from '../respond.ts';
import type { PageRooms, PageVisit } from '../visit.ts';

/** What a problem is answered with. */
export interface ProblemVisit extends Frame, Pick<PageVisit, 'request' | 'response' | 'trace'> {
  readonly rooms: Pick<PageRooms, 'log' | 'clock'>;
  readonly format: 'page' | 'json';
  /** Where the way on begins. */
  readonly home: string;
}

/** Answers with what was thrown: a refusal with its code and in plain words, a defect without any detail. */
export function answerPortalProblem(visit: ProblemVisit, cause: unknown): void {
  const { response, rooms, site, trace } = visit;
  const refusal = cause instanceof Refusal ? cause : new Refusal('internal_error', 500, '', { cause });
  if (refusal.status >= 500) rooms.log.error({ err: cause, bank: site.bank.id, trace }, 'a page of the portal failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  if (visit.format === 'json') answerJson(visit, refusal);
  else answerPage(visit, refusal);
}

function answerPage(visit: ProblemVisit, { status, code, message }: Refusal): void {
  const { rooms, site, say, trace } = visit;
  const bank = site.bank.name;
  const problem = { code, description: message, trace, at: rooms.clock.now() };
  respond(visit, status, {
    title: say('error.title'),
    problem: true,
    languageChoice: false,
    body: html`<h1>${say('error.title')}</h1>
<div class="notice" role="alert"><p>${plainWords(say, code, bank)}</p></div>
<p><a href="${visit.home}">${say('portal.back')}</a></p>
${problemDetails(visit, problem)}`,
  });
}

function answerJson({ response, trace }: ProblemVisit, { status, code, message }: Refusal): void {
  const text = JSON.stringify({ error: { reason: code, message, traceId: trace } });
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(text);
}

type ProblemKey = Extract<MessageKey, `portal.problem.${string}`>;

/** Codes that mean the same to a customer. */
const ALIKE: ReadonlyMap<string, ProblemKey> = new Map([
  ['consent_missing', 'portal.problem.not_found'],
  ['field_repeated', 'portal.problem.field_invalid'],
  ['body_malformed', 'portal.problem.field_invalid'],
  ['unsupported_media_type', 'portal.problem.field_invalid'],
  ['body_too_large', 'portal.problem.field_invalid'],
  ['token_store_unavailable', 'portal.problem.consent_store_unavailable'],
]);

function plainWords(say: Say, code: string, bank: string): string {
  const key = `portal.problem.${code}`;
  return say(ALIKE.get(code) ?? (isProblemKey(key) ? key : 'portal.problem.other'), { bank });
}

function isProblemKey(key: string): key is ProblemKey {
  return key.startsWith('portal.problem.') && isMessageKey(key);
}
