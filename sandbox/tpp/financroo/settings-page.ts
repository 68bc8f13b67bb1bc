import { type App, bankName, connectionsOf, moment } from './app.ts';
import { formToken, page, problemPage } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { Problem } from './problem.ts';
import type { Session } from './sessions.ts';
import type { Connection } from './store.ts';
import { type Reply, seeOther, type Visit } from './visit.ts';

/** `GET /settings`: clients, permissions and tokens, as metadata alone. */
export function showSettings(app: App, _visit: Visit, session: Session): Reply {
  const own = connectionsOf(app, session.user);
  const body = html`<h1>Settings</h1>
<section><h2>Clients at the banks</h2>
<p>Financroo is one client per bank, shared by all its users. Registering again ends every connection there.</p>
<ul class="rows">${app.banks.map((bank) => {
    const readiness = app.clientOf(bank.id)?.readiness();
    return html`<li><div><strong>${bank.name}</strong><p class="hint">${readiness?.state === 'ready' ? html`<code>${readiness.clientId}</code>` : (readiness?.state ?? 'starting')} · ${bank.enableDcr ? 'registered dynamically' : 'fixed client'}</p></div>
<div class="links"><a href="/banks/${bank.id}/messages">Under the hood</a>${bank.enableDcr ? registerAgainForm(session, bank.id, bank.name) : ''}</div></li>`;
  })}</ul></section>
<section><h2>Your tokens</h2>
${own.length === 0 ? html`<p>There are none.</p>` : html`<ul class="rows">${own.map((connection) => tokenRow(app, connection))}</ul>`}
</section>
<section><h2>Delete my data</h2>
<p>Gives every permission back at its bank and removes what Financroo keeps of you.</p>
<form method="post" action="/settings/delete" class="actions">${formToken(session)}<button class="grave">Delete my data</button></form></section>`;
  return page(app, session, { title: 'Settings', current: '/settings', body });
}

function registerAgainForm(session: Session, bank: string, name: string): Markup {
  return html`<form method="post" action="/banks/${bank}/register">${formToken(session)}<button class="grave small" aria-label="Register again at ${name}">Register again</button></form>`;
}

function tokenRow(app: App, { bank, standing, tokens, consent }: Connection): Markup {
  const what =
    tokens === undefined
      ? 'no tokens'
      : `access token until ${moment(tokens.accessEndsAt)}, ${tokens.refresh === undefined ? 'no refresh token' : 'refresh token'}; sealed with AES-256-GCM`;
  return html`<li><div><strong>${bankName(app, bank)}</strong> ${standing}<p class="hint">${what}${consent === undefined ? '' : html` · permission <code>${consent}</code>`}</p></div></li>`;
}

/** `POST /banks/{id}/register`: the client is deleted at the bank and made anew; connections of the old one end. */
export async function registerAgain(app: App, _visit: Visit, session: Session, id: string): Promise<Reply> {
  const client = app.clientOf(id);
  if (client?.bank.enableDcr !== true) {
    return problemPage(
      app,
      session,
      404,
      'Unknown bank',
      'There is no such bank, or Financroo does not register there.',
    );
  }
  try {
    await client.registerAgain();
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    return problemPage(app, session, 502, 'Not registered', cause.message, {
      to: '/settings',
      text: 'To the settings',
    });
  }
  for (const connection of app.store.all().filter(({ bank }) => bank === id)) await app.connections.end(connection);
  session.notices.push({ kind: 'good', text: `Financroo registered again at ${client.bank.name}.` });
  return seeOther('/settings');
}

/** `POST /settings/delete` */
export async function deleteEverything(app: App, _visit: Visit, session: Session): Promise<Reply> {
  const pending: string[] = [];
  for (const connection of connectionsOf(app, session.user)) {
    app.pictures.forget(connection.id);
    const leaving = await app.connections.leave(connection);
    if (leaving.state === 'pending') pending.push(`${bankName(app, connection.bank)}: ${leaving.problem}`);
  }
  session.drafts.clear();
  session.notices.push(
    pending.length === 0
      ? { kind: 'good', text: 'Everything is gone, and every bank confirmed it.' }
      : {
          kind: 'problem',
          text: `Not every bank has confirmed it yet; Financroo goes on asking. ${pending.join(' ')}`,
        },
  );
  return seeOther('/settings');
}
