import type { App } from './app.ts';
import { isRefused, laneDiagram, type Numbered } from './lanes.ts';
import { page } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { isApi, type Message, type Side } from './messages.ts';
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
}

/** Every message in order, as a diagram and decoded and explained; `show` in the query picks some out (SCR-29). */
export function messagesPage(
  app: App,
  { url }: Visit,
  session: Session,
  { title, bank, log, connection }: Subject,
): Reply {
  const picked = PICKS.find(([name]) => name === url.searchParams.get('show')) ?? PICKS[0];
  const numbered = log.map((message, index) => ({ number: index + 1, message }));
  const shown = numbered.filter(({ message }) => picked?.[2](message) ?? true);
  const body = html`<h1>${title}</h1>
<p class="lead">What went over the wire, in order. Secrets are left out: ‹…› stands in their place. JWTs are shown as header and claims, without the signature that makes them worth something. Financroo keeps this in memory; a restart begins anew.</p>
${connection === undefined ? '' : waysOn(connection)}
${log.length === 0 ? html`<p>Nothing was sent since Financroo started.</p>` : html`${choices(numbered, picked?.[0] ?? '')}${shown.length === 0 ? html`<p>There is no such message here.</p>` : html`<section>${laneDiagram(shown, bank)}</section><ol class="messages">${shown.map((one) => item(app, one))}</ol>`}`}`;
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

function item(app: App, { number, message }: Numbered): Markup {
  const { title, says, clause, actor, sent, answered, curl, at, experiment } = message;
  const way = experiment === undefined ? 'Financroo to the bank, over mutual TLS' : 'Financroo to the bank, on purpose';
  return html`<li id="message-${number}"><article>
<h2><span class="number" aria-hidden="true">${number}</span>${title}</h2>
<p>${says}</p>
<p class="hint">${actor === 'browser' ? 'Through your browser' : way} · ${clause} · <time datetime="${at}">${at.slice(11, 19)} UTC</time></p>
${refusalView(message)}${bound(app, answered)}
<details><summary><code>${sent.line.slice(0, 120)}</code>${answered === undefined ? '' : html` → <code>${answered.line}</code>`}</summary>
${side('Sent', sent)}
${answered === undefined ? '' : side('Answered', answered)}
${curl === undefined ? '' : html`<h3>As a command</h3><pre tabindex="0" data-copy>${curl}</pre>`}
</details>
</article></li>`;
}

function side(title: string, { line, headers, body }: Side): Markup {
  const head = [line, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  return html`<h3>${title}</h3><pre tabindex="0">${head}${body === undefined ? '' : `\n\n${body}`}</pre>`;
}

/** RFC 8705 §3.1: the token carries the hash of the certificate; here both are put side by side. */
function bound(app: App, answered: Side | undefined): Markup {
  const told = /"x5t#S256": "([\w-]{43})"/.exec(answered?.body ?? '')?.[1];
  if (told === undefined) return html``;
  const same = told === app.thumbprint;
  return html`<p><span class="badge ${same ? 'good' : 'problem'}">${same ? 'bound to us' : 'not ours'}</span> The token’s <code>cnf</code> and the SHA-256 of Financroo’s certificate are ${same ? 'the same' : 'different'}: <code>${told}</code></p>`;
}
