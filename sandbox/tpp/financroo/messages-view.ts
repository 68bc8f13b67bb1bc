import type { App } from './app.ts';
import type { CertificateFields } from './certificate.ts';
import { isRefused, laneDiagram, type Numbered } from './lanes.ts';
import { page } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { interactionOf, isApi, type Message, type Side } from './messages.ts';
import { anchorOf, certificatesView, proofView } from './proof-view.ts';
import { refusalView } from './refusal-view.ts';
import type { Session } from './sessions.ts';
import type { Reply, Visit } from './visit.ts';

/** What of a log may be picked out; the first is everything. */
const PICKS: readonly (readonly [name: string, text: string, fits: (message: Message) => boolean])[] = [
  ['all', 'All', () => true],
  ['browser', 'Through the browser', ({ actor }) => actor === 'browser'],
  ['machines', 'Between machines', ({ actor, title }) => actor === 'Financroo' && !isApi(title)],
  ['api', 'The bank’s API', ({ title }) => isApi(title)],
  ['refused', 'Refused', isRefused],
  ['experiments', 'Experiments', ({ experiment }) => experiment !== undefined],
];

/** What a page of messages is about. */
export interface Subject {
  readonly title: string;
  readonly bank: string;
  readonly log: readonly Message[];
  /** The connection or flow they belong to; without one there is nothing to do with them but read. */
  readonly connection?: string;
  /** Where the bank's records of these messages are shown; only in the sandbox, and only for its own banks. */
  readonly records?: string | undefined;
}

/** Every message in order, as a diagram and decoded and explained; `show` in the query picks some out (SCR-29). */
export function messagesPage(
  app: App,
  { url }: Visit,
  session: Session,
  { title, bank, log, connection, records }: Subject,
): Reply {
  const picked = PICKS.find(([name]) => name === url.searchParams.get('show')) ?? PICKS[0];
  const numbered = log.map((message, index) => ({ number: index + 1, message }));
  const shown = numbered.filter(({ message }) => picked?.[2](message) ?? true);
  const certificates = app.recorder.certificatesOf(log);
  const body = html`<h1>${title}</h1>
<p class="lead">What went over the wire, in order. Secrets are left out: ‹…› stands in their place. JWTs are shown as header and claims, without the signature that makes them worth something; it was checked when they came or went. Financroo keeps this in memory; a restart begins anew.</p>
${connection === undefined ? '' : waysOn(connection)}
${log.length === 0 ? html`<p>Nothing was sent since Financroo started.</p>` : html`${choices(numbered, picked?.[0] ?? '')}${shown.length === 0 ? html`<p>There is no such message here.</p>` : html`<section>${laneDiagram(shown, bank)}</section>${certificatesView(certificates)}<ol class="messages">${shown.map((one) => item(one, certificates, records))}</ol>`}`}`;
  return page(app, session, { title, body });
}

function waysOn(connection: string): Markup {
  return html`<nav class="ways" aria-label="More with these messages"><ul>
<li><a href="/connections/${connection}/experiments">Change one thing and send it</a></li>
<li><a href="/compare?one=connection:${connection}">Compare with another</a></li>
<li><a href="/connections/${connection}/export" download>Download as JSON</a></li>
</ul></nav>`;
}

function choices(all: readonly Numbered[], picked: string): Markup {
  return html`<nav class="picks" aria-label="Which messages"><ul>${PICKS.map(([name, text, fits]) => {
    const count = all.filter(({ message }) => fits(message)).length;
    return html`<li><a href="?show=${name}"${name === picked ? html` aria-current="true"` : ''}>${text} (${count})</a></li>`;
  })}</ul></nav>`;
}

function item(
  { number, message }: Numbered,
  certificates: readonly CertificateFields[],
  records: string | undefined,
): Markup {
  const { title, says, clause, sent, answered, curl, at } = message;
  return html`<li id="message-${number}"><article>
<h2><span class="number" aria-hidden="true">${number}</span>${title}</h2>
<p>${says}</p>
<p class="hint">${wayOf(message, certificates)} · ${clause} · <time datetime="${at}">${at.slice(11, 19)} UTC</time></p>
${refusalView(message)}${proofView(message, certificates)}
<details><summary><code>${sent.line.slice(0, 120)}</code>${answered === undefined ? '' : html` → <code>${answered.line}</code>`}</summary>
${side('Sent', sent)}
${answered === undefined ? '' : side('Answered', answered)}
${curl === undefined ? '' : html`<h3>As a command</h3><pre tabindex="0" data-copy>${curl}</pre>`}
</details>
${recordLink(number, interactionOf(message), records)}
</article></li>`;
}

/** How a message went, and with whose certificate. */
function wayOf({ actor, experiment, open, certificate }: Message, certificates: readonly CertificateFields[]): Markup {
  if (actor === 'browser') return html`Through your browser`;
  if (open === true) return html`Financroo to the bank, which asks for no certificate here`;
  const found = certificates.find(({ thumbprint }) => thumbprint.x5tS256 === certificate);
  const link = found && html` with the certificate of <a href="#${anchorOf(found)}">${found.name}</a>`;
  return html`Financroo to the bank, over ${found === undefined ? 'TLS' : 'mutual TLS'}${link}${experiment === undefined ? '' : ', on purpose'}`;
}

function recordLink(number: number, interaction: string | undefined, records: string | undefined): Markup {
  if (interaction === undefined || records === undefined) return html``;
  return html`<p><a href="${records}?interaction=${encodeURIComponent(interaction)}">The bank’s record of message ${number}</a> <small>in the sandbox only</small></p>`;
}

function side(title: string, { line, headers, body }: Side): Markup {
  const head = [line, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  return html`<h3>${title}</h3><pre tabindex="0">${head}${body === undefined ? '' : `\n\n${body}`}</pre>`;
}
