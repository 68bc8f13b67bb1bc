import { type App, bankName } from './app.ts';
import { liveAccess } from './bank-api.ts';
import { findOwn, notThere } from './connection-pages.ts';
import { experiments, isExperiment } from './experiments.ts';
import { isRefused } from './lanes.ts';
import { formToken, page, problemPage } from './layout.ts';
import { html } from './markup.ts';
import { findHood } from './messages-pages.ts';
import { PermissionEnded, Problem } from './problem.ts';
import type { Session } from './sessions.ts';
import { type Reply, seeOther, type Visit } from './visit.ts';

/** `GET /connections/{id}/experiments`: what can be tried with this connection, and what will happen (SCR-29). */
export function showExperiments(app: App, _visit: Visit, session: Session, id: string): Reply {
  const connection = findOwn(app, session, id);
  if (connection === undefined) return notThere(app, session);
  const name = bankName(app, connection.bank);
  const title = `Change one thing: ${name}`;
  const ready = connection.standing === 'connected';
  const body = html`<h1>${title}</h1>
<p class="lead">Each button sends something to ${name} that is wrong in one place, for real, and shows what it says. Your connection stays as it is: no token is given back, no permission ended.</p>
${ready ? '' : html`<div class="notice problem"><p>This connection is over, and there is nothing to try with it.</p></div>`}
${Object.values(experiments).map(
  ({ name: experiment, title: text, does, expect, clause }) => html`<article><h2>${text}</h2>
<p>${does}</p>
<p>What should happen: ${expect}</p>
<p class="hint">${clause}</p>
${
  ready
    ? html`<form method="post" action="/connections/${id}/experiments" class="actions">${formToken(session)}
<input type="hidden" name="experiment" value="${experiment}"><button>Send: ${text.charAt(0).toLowerCase()}${text.slice(1)}</button></form>`
    : ''
}</article>`,
)}
<p><a href="/connections/${id}/messages">Back to the messages</a></p>`;
  return page(app, session, { title, body });
}

/** `POST /connections/{id}/experiments`: makes one, and leads to its messages with GET, so that a reload makes none (SCR-29). */
export async function makeExperiment(app: App, { form }: Visit, session: Session, id: string): Promise<Reply> {
  const connection = findOwn(app, session, id);
  const client = connection === undefined ? undefined : app.clientOf(connection.bank);
  if (connection === undefined || client === undefined) return notThere(app, session);
  const way = { to: `/connections/${id}/experiments`, text: 'Back to the experiments' };
  const name = form.get('experiment') ?? '';
  if (!isExperiment(name)) return problemPage(app, session, 400, 'Not sent', 'There is no such experiment.', way);
  if (connection.standing !== 'connected') {
    return problemPage(app, session, 409, 'Not sent', 'This connection is over; nothing was sent.', way);
  }
  try {
    const access = () => liveAccess(connection, client, app.store, app.now());
    await app.experiment(name, { client, log: app.logs.of(connection), access });
  } catch (cause) {
    if (cause instanceof PermissionEnded) {
      await app.connections.end(connection);
      return problemPage(app, session, 409, 'Not sent', 'The bank says that this permission is over.', way);
    }
    if (!(cause instanceof Problem)) throw cause;
    return problemPage(app, session, 502, 'Not sent', cause.message, way);
  }
  const hood = findHood(app, session, id);
  const messages = [...(hood?.setup ?? []), ...(hood?.own ?? [])];
  const last = messages.at(-1);
  const text = last !== undefined && isRefused(last) ? `${client.bank.name} refused.` : `${client.bank.name} took it.`;
  session.notices.push({ kind: 'good', text: `${experiments[name].title}: ${text}` });
  return seeOther(`/connections/${id}/messages?show=experiments#message-${messages.length}`);
}
