import { type App, connectionsOf, day, moment } from './app.ts';
import type { BankClient } from './bank-client.ts';
import type { Bank } from './bank-list.ts';
import { beginFlow, finishFlow, takeFlow } from './flow.ts';
import { formToken, page, problemPage } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { Problem } from './problem.ts';
import type { Session } from './sessions.ts';
import type { Connection } from './store.ts';
import { type Reply, seeOther, type Visit } from './visit.ts';

/** `GET /banks`: the banks of the list, whether they are ready, and which are connected. */
export function showBanks(app: App, _visit: Visit, session: Session): Reply {
  const own = connectionsOf(app, session.user);
  const items = app.banks.map((bank) => {
    const connection = own.find((candidate) => candidate.bank === bank.id);
    return html`<section class="bank">
<h2><span class="tile" aria-hidden="true">${bank.name.charAt(0)}</span>${bank.name}</h2>
${readinessOf(app.clientOf(bank.id))}
${connection === undefined ? '' : html`<p>${standingText(connection)} <a href="/connections/${connection.id}">Details</a></p>`}
<div class="actions">
<a role="button" href="/banks/${bank.id}">${connection === undefined ? 'Connect' : 'Connect again'}</a>
<a class="quiet" role="button" href="/banks/${bank.id}/messages" aria-label="Under the hood: registration at ${bank.name}">Under the hood</a>
</div>
</section>`;
  });
  const body = html`<h1>Banks</h1>
<p class="lead">You stay in control: you sign in at the bank, the bank asks what you want to share, and you can end it at any time.</p>
<div class="columns">${items}</div>`;
  return page(app, session, { title: 'Banks', current: '/banks', body });
}

function readinessOf(client: BankClient | undefined): Markup {
  const readiness = client?.readiness() ?? { state: 'starting' as const };
  switch (readiness.state) {
    case 'ready':
      return html`<p><span class="badge good">ready</span> Financroo is registered here as <code>${readiness.clientId}</code>.</p>`;
    case 'starting':
      return html`<p><span class="badge">starting</span> Financroo is introducing itself to the bank.</p>`;
    case 'not ready':
      return html`<p><span class="badge problem">not ready</span> ${readiness.problem} Next try: ${moment(readiness.nextTry)}.</p>`;
  }
}

/** A connection's standing, as a sentence. */
export function standingText({ standing, since, endsAt }: Connection): Markup {
  switch (standing) {
    case 'connected':
      return html`<span class="badge good">connected</span> since ${day(since)}${endsAt === undefined ? '' : `, until ${day(endsAt)}`}.`;
    case 'leaving':
      return html`<span class="badge problem">disconnecting</span> the bank has not confirmed it yet.`;
    case 'withdrawn':
      return html`<span class="badge problem">withdrawn</span> the permission was ended at the bank; noticed ${moment(since)}.`;
    case 'expired':
      return html`<span class="badge problem">expired</span> the permission has run out; noticed ${moment(since)}.`;
  }
}

/** `GET /banks/{id}`: what will be asked, before anything is. */
export function showBank(app: App, _visit: Visit, session: Session, id: string): Reply {
  const bank = app.banks.find((candidate) => candidate.id === id);
  if (bank === undefined) return problemPage(app, session, 404, 'Unknown bank', 'Financroo does not know this bank.');
  return page(app, session, { title: `Connect ${bank.name}`, current: '/banks', body: askingPage(session, bank) });
}

function askingPage(session: Session, bank: Bank): Markup {
  return html`<h1>Connect ${bank.name}</h1>
<p class="lead">You will now go to ${bank.name}. It will ask you to sign in there and whether Financroo may:</p>
<section>
<ul>
<li>see the name, type, currency and masked number of the accounts <strong>you choose</strong></li>
<li>see the balances of these accounts</li>
<li>see the transactions of these accounts</li>
<li>get a stand-in for an account number, so that you can pay from it here</li>
</ul>
<dl>
<dt>Why</dt><dd>To show your accounts together, and what you spend by month and category.</dd>
<dt>How long</dt><dd>${bank.name} shows the last day before you agree. You can end it any day, here or at the bank.</dd>
<dt>What Financroo never gets</dt><dd>Your password at the bank, and accounts you do not tick.</dd>
<dt>What is asked in protocol words</dt><dd><code>scope=openid accounts offline_access</code></dd>
</dl>
</section>
<form method="post" action="/banks/${bank.id}/connect" class="actions">
${formToken(session)}
<button>Continue to ${bank.name}</button>
<a class="quiet" role="button" href="/banks">Not now</a>
</form>`;
}

/** `POST /banks/{id}/connect`: pushes the request, then sends the browser to the bank. */
export async function connectBank(app: App, _visit: Visit, session: Session, id: string): Promise<Reply> {
  const client = app.clientOf(id);
  if (client === undefined) return problemPage(app, session, 404, 'Unknown bank', 'Financroo does not know this bank.');
  const before = client.readiness();
  try {
    const address = await beginFlow(session.flows, client, app);
    noteRegistration(session, client, before.state === 'ready' ? before.clientId : undefined);
    return seeOther(address.href);
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    const way = { to: `/banks/${id}`, text: 'Try again' };
    return problemPage(app, session, 502, `${client.bank.name} cannot be connected now`, cause.message, way);
  }
}

/** The bank had forgotten Financroo, which noticed on the way: the customer reads so when coming back (CLD-17). */
function noteRegistration(session: Session, client: BankClient, before: string | undefined): void {
  const after = client.readiness();
  if (before === undefined || after.state !== 'ready' || after.clientId === before) return;
  session.notices.push({
    kind: 'good',
    text: `${client.bank.name} did not know Financroo any more; it registered again.`,
  });
}

/** `GET /callback`: the browser comes back from a bank. */
export async function comeBack(app: App, visit: Visit): Promise<Reply> {
  const { session, url } = visit;
  try {
    if (session === undefined)
      throw new Problem(
        'In this browser nobody is signed in to Financroo. Nothing was exchanged: sign in, and connect the bank once more.',
      );
    const flow = takeFlow(session.flows, url, (id) => app.clientOf(id)?.bank.issuer, app.now());
    const client = app.clientOf(flow.bank);
    if (client === undefined) throw new Problem('This bank is not in the list any more.');
    app.logs.keep({ id: flow.id, user: session.user, bank: flow.bank }, flow.log);
    const arrival = await finishFlow(flow, url, client, app);
    if (arrival.kind === 'declined') return declined(app, session, client.bank, arrival);
    await app.connections.keep({ ...arrival.connection, user: session.user });
    const link = { to: `/connections/${flow.id}/messages`, text: 'See how, under the hood.' };
    session.notices.push({ kind: 'good', text: `${client.bank.name} is connected.`, link });
    return seeOther('/dashboard');
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause;
    const way =
      session === undefined ? { to: '/', text: 'Sign in to Financroo' } : { to: '/banks', text: 'Back to the banks' };
    return problemPage(app, session, 400, 'This did not work', cause.message, way);
  }
}

function declined(
  app: App,
  session: Session,
  bank: Bank,
  { flow, error, description }: { flow: { id: string }; error: string; description: string | undefined },
): Reply {
  const link = { to: `/connections/${flow.id}/messages`, text: 'See what came back, under the hood.' };
  if (error === 'access_denied') {
    const text = `You cancelled at ${bank.name}. Nothing was shared, and Financroo asked for nothing more.`;
    session.notices.push({ kind: 'problem', text, link });
    return seeOther('/banks');
  }
  const body = html`<h1>${bank.name} sent you back with an error</h1>
<div class="notice problem" role="alert"><p>Nothing was shared. ${description ?? 'The bank gave no description.'}</p></div>
<dl><dt>Error</dt><dd><code>${error}</code></dd><dt>Bank</dt><dd>${bank.name}</dd></dl>
<p><a href="/banks/${bank.id}">Try again</a> · <a href="${link.to}">${link.text}</a></p>`;
  return page(app, session, { title: 'The bank sent an error', current: '/banks', status: 400, body });
}
