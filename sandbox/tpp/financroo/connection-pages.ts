import { type App, bankName, day, moment } from './app.ts';
import { standingText } from './bank-pages.ts';
import { formToken, page, problemPage } from './layout.ts';
import { html, type Markup } from './markup.ts';
import type { Session } from './sessions.ts';
import type { Connection } from './store.ts';
import { type Reply, seeOther, type Visit } from './visit.ts';

/** The connection, if it is this user's; another's is as if it did not exist. */
export function findOwn(app: App, session: Session, id: string): Connection | undefined {
  const connection = app.store.find(id);
  return connection?.user === session.user ? connection : undefined;
}

/** What somebody reads who asks for a connection that is not theirs, or not there. */
export function notThere(app: App, session: Session): Reply {
  const way = { to: '/dashboard', text: 'To the dashboard' };
  return problemPage(app, session, 404, 'Not there', 'There is no such connection, or not any more.', way);
}

/** `GET /connections/{id}` */
export function showConnection(app: App, _visit: Visit, session: Session, id: string): Reply {
  const connection = findOwn(app, session, id);
  if (connection === undefined) return notThere(app, session);
  const name = bankName(app, connection.bank);
  const { takenAt } = app.pictures.of(connection);
  const body = html`<h1>${name}</h1>
<p>${standingText(connection)}</p>
${leavingNote(app, connection, name)}
<section><h2>The permission</h2><dl>
<dt>Connected</dt><dd>${moment(connection.connectedAt)}</dd>
<dt>Ends</dt><dd>${connection.endsAt === undefined ? 'the bank did not say' : day(connection.endsAt)}</dd>
<dt>Last look at your accounts</dt><dd>${takenAt === undefined ? 'not yet' : moment(takenAt)}</dd>
<dt>Permission at the bank</dt><dd><code>${connection.consent ?? 'not told'}</code></dd>
<dt>Scope</dt><dd><code>${connection.scope}</code></dd>
<dt>Tokens</dt><dd>${connection.tokens === undefined ? 'none any more' : 'kept sealed; they never reach your browser'}</dd>
</dl></section>
<p><a href="/connections/${id}/messages">Under the hood: every message of this connection</a></p>
${waysOn(session, connection, name)}`;
  return page(app, session, { title: name, current: '/dashboard', body });
}

function leavingNote(app: App, connection: Connection, name: string): Markup {
  const leaving = app.connections.leaving(connection);
  if (connection.standing !== 'leaving') return html``;
  const why = leaving?.state === 'pending' ? `${leaving.problem} Next try: ${moment(leaving.nextTry)}.` : '';
  return html`<div class="notice problem" role="alert"><p>${name} has not confirmed yet that the permission is over. ${why} You can also end it at ${name} itself.</p></div>`;
}

function waysOn(session: Session, { id, bank, standing }: Connection, name: string): Markup {
  switch (standing) {
    case 'connected':
      return html`<section><h2>Disconnect</h2>
<p>Financroo gives the permission back to ${name}, forgets its tokens and what it knows of these accounts. To see them again you would connect anew.</p>
<form method="post" action="/connections/${id}/disconnect" class="actions">${formToken(session)}<button class="grave">Disconnect ${name}</button></form></section>`;
    case 'leaving':
      return html`<form method="post" action="/connections/${id}/disconnect" class="actions">${formToken(session)}<button>Try again now</button></form>`;
    case 'withdrawn':
    case 'expired':
      return html`<div class="actions"><a role="button" href="/banks/${bank}">Reconnect</a>
<form method="post" action="/connections/${id}/disconnect">${formToken(session)}<button class="quiet">Remove from the list</button></form></div>`;
  }
}

/** `POST /connections/{id}/disconnect`: gives the permission back, and says whether the bank confirmed it (N-119). */
export async function disconnect(app: App, _visit: Visit, session: Session, id: string): Promise<Reply> {
  const connection = findOwn(app, session, id);
  if (connection === undefined) return notThere(app, session);
  const name = bankName(app, connection.bank);
  const { standing } = connection;
  app.pictures.forget(id);
  const leaving = await app.connections.leave(connection);
  if (leaving.state === 'confirmed') {
    const over = standing === 'withdrawn' || standing === 'expired';
    const link = { to: `/connections/${id}/messages`, text: 'See how, under the hood.' };
    const text = over
      ? `${name} was removed from the list.`
      : `${name} is disconnected: the bank confirmed that Financroo’s tokens are dead.`;
    session.notices.push(over ? { kind: 'good', text } : { kind: 'good', text, link });
    return seeOther('/dashboard');
  }
  return seeOther(`/connections/${id}`);
}
