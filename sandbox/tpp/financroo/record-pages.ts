import { EVERY_ROUTE, type GatewayCheck, readGatewayChecks } from '../../bank/gateway-checks.ts';
import type { TrailRecord } from '../../bank/trail.ts';
import { type App, bankName } from './app.ts';
import { notThere } from './connection-pages.ts';
import { page, problemPage } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { interactionOf, type Message } from './messages.ts';
import { findHood } from './messages-pages.ts';
import type { Session } from './sessions.ts';
import type { Reply, Visit } from './visit.ts';

/** Ids of interactions are UUIDs (FAPI 1.0 Part 1 §6.2.1 number 11); nothing else is asked for. */
const INTERACTION = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `GET /connections/{id}/record`: what the bank noted of a message of this connection, of nobody else's (SCR-29). */
export function showRecord(app: App, visit: Visit, session: Session, id: string): Reply | Promise<Reply> {
  const hood = findHood(app, session, id);
  if (hood === undefined) return notThere(app, session);
  const back = `/connections/${id}/messages`;
  return recordPage(app, visit, session, { bank: hood.bank, messages: [...hood.setup, ...hood.own], back });
}

/** `GET /banks/{id}/record`: the same for discovery and registration, which belong to no connection. */
export function showBankRecord(app: App, visit: Visit, session: Session, id: string): Reply | Promise<Reply> {
  const client = app.clientOf(id);
  if (client === undefined) return problemPage(app, session, 404, 'Unknown bank', 'Financroo does not know this bank.');
  return recordPage(app, visit, session, { bank: id, messages: client.log, back: `/banks/${id}/messages` });
}

interface Subject {
  readonly bank: string;
  readonly messages: readonly Message[];
  readonly back: string;
}

/** Asks the bank's own service, and only for a message that the caller has before them already. */
async function recordPage(app: App, { url }: Visit, session: Session, subject: Subject): Promise<Reply> {
  const { bank, messages, back } = subject;
  const way = { to: back, text: 'Back to the messages' };
  const [interaction = '', ...more] = url.searchParams.getAll('interaction');
  if (more.length > 0 || !INTERACTION.test(interaction)) {
    return problemPage(app, session, 400, 'Not asked', 'This is no id of an interaction.', way);
  }
  const number = messages.findIndex((message) => interactionOf(message) === interaction) + 1;
  const message = messages[number - 1];
  if (message === undefined) {
    return problemPage(app, session, 404, 'Not there', 'No message on that page has this id, or not any more.', way);
  }
  const name = bankName(app, bank);
  if (app.trail?.has(bank) !== true) {
    return problemPage(app, session, 404, 'Not there', `${name} shows nobody here what it noted.`, way);
  }
  const asked = await askBank(app.trail.recordsOf(bank, interaction));
  if (asked === undefined) {
    return problemPage(app, session, 502, 'Not now', `${name}’s own service cannot be asked at the moment.`, way);
  }
  const body = html`<h1>What ${name} noted of message ${number}</h1>
<div class="notice problem"><p><strong>In the sandbox only:</strong> this is what the staff of ${name} see. It was read by the bank’s own service, with the bank’s client and certificate and the scope <code>management.audit</code>, at the management API, and the sandbox puts it on this page. Financroo’s own client and certificate open nothing there, and in real life no third party ever sees it.</p></div>
<dl><dt>Message</dt><dd>${message.title}: <code>${message.sent.line.slice(0, 120)}</code></dd>
<dt>Answer</dt><dd>${message.answered?.line ?? 'none'}</dd>
<dt>Interaction id</dt><dd><code>${interaction}</code></dd></dl>
${asked.records.length === 0 ? nothing : asked.records.map((record) => recordView(record, asked.checks))}
<p><a href="${back}#message-${number}">Back to the message</a></p>`;
  return page(app, session, { title: `What ${name} noted`, body });
}

const nothing = html`<section><h2>No record</h2><p>The bank decided nothing here: what it tells everybody, such as where its endpoints are and which keys it signs with, it does not note.</p></section>`;

/** Undefined when the bank cannot be asked; why is for whoever runs the sandbox. */
async function askBank(asking: Promise<readonly TrailRecord[]>) {
  try {
    const [records, checks] = await Promise.all([asking, readGatewayChecks()]);
    return { records, checks };
  } catch (cause) {
    console.error('financroo: a bank’s record:', cause);
    return undefined;
  }
}

function recordView(record: TrailRecord, checks: readonly GatewayCheck[]): Markup {
  const { at, action, outcome, family, reason, detail, participant, client, consent, facts } = record;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Reason', reason],
    ['Detail', detail],
    ['Third party', participant],
    ['Client', client],
    ['Consent', consent],
    ...[...facts].map(([name, value]) => [name, value === null ? undefined : String(value)] as const),
    ['Place in the trail', `number ${record.sequence} of chain ${record.chain}, hash ${record.hash}`],
  ];
  return html`<section><h2>${action} <span class="badge ${outcome === 'refused' || outcome === 'failed' ? 'problem' : 'good'}">${outcome}</span></h2>
<p class="hint">${family} · <time datetime="${at}">${at.slice(0, 10)} ${at.slice(11, 23)} UTC</time></p>
<dl>${rows.map(([name, value]) => value !== undefined && html`<dt>${name}</dt><dd><code>${value}</code></dd>`)}</dl>
${checksView(record, checks)}</section>`;
}

/** The gateway notes how far it came: what stands before that passed, what stands behind it did not run (N-37). */
function checksView({ family, action, outcome, reason, facts }: TrailRecord, checks: readonly GatewayCheck[]): Markup {
  if (family !== 'gateway' || !['request.forwarded', 'request.refused'].includes(action)) return html``;
  const refusing = checks.findIndex(({ id }) => id === facts.get('check'));
  if (outcome === 'refused' && refusing < 0) {
    return html`<p>None of the gateway’s checks said no: the request was refused before or after them.</p>`;
  }
  const reached = refusing < 0 ? checks.length : refusing;
  const verdict = (index: number, { guards }: GatewayCheck): Markup => {
    if (index === refusing) return html`<span class="badge problem">refused</span> <code>${reason ?? ''}</code>`;
    if (index > reached) return html`not reached`;
    if (guards === EVERY_ROUTE) return html`<span class="badge good">passed</span>`;
    return html`<span class="badge">passed or not asked</span> <small>for ${guards} alone</small>`;
  };
  return html`<h3>The checks, in their order</h3>
<table class="checks" aria-label="Checks of the gateway"><thead><tr><th scope="col">Check, and what it serves</th><th scope="col">Verdict</th></tr></thead>
<tbody>${checks.map(
    (check, index) =>
      html`<tr><th scope="row">${index + 1}. ${check.id} <small>${check.clause}</small></th><td>${verdict(index, check)}</td></tr>`,
  )}</tbody></table>`;
}
