import { setTimeout as wait } from 'node:timers/promises';
import type { OwnAccount } from './account-data.ts';
import { type App, bankName, connectionsOf, moment } from './app.ts';
import { standingText } from './bank-pages.ts';
import { formToken, page } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { type Cents, money } from './money.ts';
import type { Session } from './sessions.ts';
import { spendingPanels } from './spending-view.ts';
import type { Connection } from './store.ts';
import { filterOf, transactionsPanel } from './transactions-view.ts';
import { type Reply, seeOther, type Visit } from './visit.ts';

/** As long as a page may take; what is not there by then is shown as under way. */
const PATIENCE_MS = 1_500;
const LOOK_AGAIN_SECONDS = 1;

/** Asks every bank of a user; waits for the answers, but not long. */
async function look(app: App, session: Session, thorough: boolean): Promise<void> {
  const work = connectionsOf(app, session.user)
    .filter(({ standing }) => standing === 'connected')
    .map((connection) => {
      const client = app.clientOf(connection.bank);
      if (client === undefined) return Promise.resolve();
      return app.pictures.take(connection, client, app.logs.of(connection), thorough);
    });
  await Promise.race([Promise.all(work), wait(PATIENCE_MS, undefined, { ref: false })]);
}

/** `POST /refresh` */
export async function refresh(app: App, _visit: Visit, session: Session): Promise<Reply> {
  await look(app, session, true);
  return seeOther('/dashboard');
}

/** The accounts of every connection that stands. */
export function accountsOf(app: App, user: string): readonly OwnAccount[] {
  return connectionsOf(app, user)
    .filter(({ standing }) => standing === 'connected')
    .flatMap((connection) =>
      app.pictures.of(connection).accounts.map((picture) => ({
        ...picture,
        bank: bankName(app, connection.bank),
        connection: connection.id,
      })),
    );
}

/** `GET /dashboard`: everything of all banks together. */
export async function showDashboard(app: App, visit: Visit, session: Session): Promise<Reply> {
  await look(app, session, false);
  const connections = connectionsOf(app, session.user);
  const accounts = accountsOf(app, session.user);
  const waiting = connections.some((connection) => app.pictures.of(connection).progress !== undefined);
  const body = html`<h1>Your money</h1>
${connections.length === 0 ? emptyHint() : html`${totals(accounts)}${connectionPanels(app, session, connections)}`}
${
  accounts.length === 0
    ? ''
    : html`${accountsPanel(accounts)}${spendingPanels(accounts, visit.url.searchParams, app.now())}
${transactionsPanel(accounts, filterOf(visit.url.searchParams, accounts))}`
}`;
  return page(app, session, {
    title: 'Dashboard',
    current: '/dashboard',
    body,
    ...(waiting ? { again: LOOK_AGAIN_SECONDS } : {}),
  });
}

function emptyHint(): Markup {
  return html`<section><h2>No bank is connected yet</h2>
<p>Connect your first bank to see accounts, balances and spending here.</p>
<div class="actions"><a role="button" href="/banks">Choose a bank</a></div></section>`;
}

/** One sum for each currency: nobody here knows exchange rates. */
function totals(accounts: readonly OwnAccount[]): Markup {
  const sums = new Map<string, Cents>();
  for (const { account, balance } of accounts) {
    sums.set(account.currency, (sums.get(account.currency) ?? 0) + (balance ?? 0));
  }
  if (sums.size === 0) return html``;
  return html`<dl class="totals">${[...sums].map(
    ([currency, sum]) => html`<div><dt>Total in ${currency}</dt><dd>${money(sum, currency)}</dd></div>`,
  )}</dl>`;
}

function connectionPanels(app: App, session: Session, connections: readonly Connection[]): Markup {
  const items = connections.map((connection) => {
    const { problem, takenAt } = app.pictures.of(connection);
    return html`<li>
<div><strong>${bankName(app, connection.bank)}</strong> ${standingText(connection)}
${progressOf(app, connection)}
${problem === undefined ? '' : html`<p class="hint"><span class="badge problem">bank down</span> ${problem}${takenAt === undefined ? '' : ` What is shown is of ${moment(takenAt)}.`}</p>`}
${problem === undefined && takenAt !== undefined ? html`<p class="hint">Last look: ${moment(takenAt)}</p>` : ''}</div>
<div class="links">${waysOn(connection)}</div>
</li>`;
  });
  return html`<section>
<div class="heading"><h2>Connections</h2>
<form method="post" action="/refresh">${formToken(session)}<button class="quiet small">Refresh all</button></form></div>
<ul class="rows">${items}</ul>
</section>`;
}

function waysOn({ id, bank, standing }: Connection): Markup {
  const over = standing === 'withdrawn' || standing === 'expired';
  return html`${over ? html`<a href="/banks/${bank}">Reconnect</a>` : ''}<a href="/connections/${id}">Details</a>`;
}

function progressOf(app: App, connection: Connection): Markup {
  const { progress } = app.pictures.of(connection);
  if (progress === undefined) return html``;
  return html`<p class="hint" role="status"><label>Fetching accounts: ${progress.done} of ${progress.of}
<progress value="${progress.done}" max="${progress.of}"></progress></label></p>`;
}

function accountsPanel(accounts: readonly OwnAccount[]): Markup {
  const rows = accounts.map(
    ({ account, bank, balance, connection }) => html`<tr>
<th scope="row">${account.name}<small>${bank} · ${account.type} · ${account.maskedNumber}</small></th>
<td class="amount">${balance === undefined ? '–' : money(balance, account.currency)}<small><a href="/dashboard?account=${connection}:${account.id}#transactions" aria-label="Transactions of ${account.name} at ${bank}">Transactions</a></small></td>
</tr>`,
  );
  return html`<section>
<h2 id="accounts">Accounts</h2>
<table aria-labelledby="accounts"><thead><tr><th scope="col">Account</th><th scope="col" class="amount">Balance</th></tr></thead>
<tbody>${rows}</tbody></table>
</section>`;
}
