import type { App } from './app.ts';
import { page } from './layout.ts';
import { html, type Markup } from './markup.ts';
import type { Message, Side } from './messages.ts';
import type { Session } from './sessions.ts';
import type { Reply } from './visit.ts';

/** Every message in order, decoded and explained. */
export function messagesPage(app: App, session: Session, title: string, log: readonly Message[]): Reply {
  const body = html`<h1>${title}</h1>
<p class="lead">What went over the wire, in order. Secrets are left out: ‹…› stands in their place. JWTs are shown as header and claims, without the signature that makes them worth something. Financroo keeps this in memory; a restart begins anew.</p>
${log.length === 0 ? html`<p>Nothing was sent since Financroo started.</p>` : html`<ol class="messages">${log.map((message, index) => item(app, message, index))}</ol>`}`;
  return page(app, session, { title, body });
}

function item(app: App, message: Message, index: number): Markup {
  const { title, says, clause, actor, sent, answered, curl, at } = message;
  return html`<li><article>
<h2><span class="number" aria-hidden="true">${index + 1}</span>${title}</h2>
<p>${says}</p>
<p class="hint">${actor === 'browser' ? 'Through your browser' : 'Financroo to the bank, over mutual TLS'} · ${clause} · <time datetime="${at}">${at.slice(11, 19)} UTC</time></p>
${bound(app, answered)}
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
