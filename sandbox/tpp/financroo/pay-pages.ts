import type { OwnAccount } from './account-data.ts';
import { type App, bankName } from './app.ts';
import { accountsOf } from './dashboard-page.ts';
import { formToken, page, problemPage } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { money, typedAmount } from './money.ts';
import { type Draft, draftOf, type Outcome, pay } from './payment.ts';
import type { Session } from './sessions.ts';
import { type Reply, seeOther, type Visit } from './visit.ts';

/** Payments somebody looks at again; the oldest go. */
const MOST_DRAFTS = 50;

/** `GET /pay` */
export function showPay(app: App, visit: Visit, session: Session): Reply {
  return payForm(app, session, 200, visit.url.searchParams, undefined);
}

function payForm(
  app: App,
  session: Session,
  status: number,
  given: URLSearchParams,
  problem: string | undefined,
): Reply {
  const accounts = accountsOf(app, session.user);
  const body = html`<h1>Pay</h1>
<p class="lead">The bank replaces your account’s number by a stand-in, and Financroo pays with the stand-in. It never learns the number.</p>
${problem === undefined ? '' : html`<div class="notice problem" role="alert"><p>${problem}</p></div>`}
${
  accounts.length === 0
    ? html`<section><p>There is no account to pay from. <a href="/dashboard">Look at your dashboard</a>, or <a href="/banks">connect a bank</a>.</p></section>`
    : html`<form class="panel" method="post" action="/pay">${formToken(session)}
<label for="account">From</label>
<select id="account" name="account" required>${bankGroups(accounts, given.get('account'))}</select>
<label for="amount">Amount</label>
<input id="amount" name="amount" inputmode="decimal" required value="${given.get('amount') ?? ''}" aria-describedby="amount-hint">
<p class="hint" id="amount-hint">In the account’s currency, such as 12.50. The lab’s payment names no payee: the amount leaves the account, and that is all.</p>
<div class="actions"><button>Continue</button></div></form>`
}`;
  return page(app, session, { title: 'Pay', current: '/pay', status, body });
}

/** By bank: on a phone there is no room for it beside the balance. */
function bankGroups(accounts: readonly OwnAccount[], chosen: string | null): readonly Markup[] {
  const banks = [...new Set(accounts.map(({ bank }) => bank))];
  return banks.map((name) => {
    const own = accounts.filter(({ bank }) => bank === name);
    return html`<optgroup label="${name}">${own.map((one) => accountOption(one, chosen))}</optgroup>`;
  });
}

function accountOption({ account, balance, connection }: OwnAccount, chosen: string | null): Markup {
  const key = `${connection}:${account.id}`;
  const rest = balance === undefined ? '' : `, ${money(balance, account.currency)}`;
  return html`<option value="${key}"${key === chosen ? html` selected` : ''}>${account.name}${rest}</option>`;
}

/** `POST /pay`: a summary to confirm; nothing is sent yet. */
export function preparePayment(app: App, { form }: Visit, session: Session): Reply {
  const own = accountsOf(app, session.user).find(
    ({ connection, account }) => `${connection}:${account.id}` === form.get('account'),
  );
  const connection = own === undefined ? undefined : app.store.find(own.connection);
  if (own === undefined || connection === undefined) return payForm(app, session, 400, form, 'Choose an account.');
  const amount = typedAmount(form.get('amount') ?? '');
  if (amount === undefined) return payForm(app, session, 400, form, 'Type an amount such as 12.50, more than nothing.');
  const draft = draftOf(connection, own.account, amount, app.now());
  const [oldest] = session.drafts.keys();
  if (session.drafts.size >= MOST_DRAFTS && oldest !== undefined) session.drafts.delete(oldest);
  session.drafts.set(draft.id, draft);
  return seeOther(`/pay/${draft.id}`);
}

/** `GET /pay/{id}`: the summary, and once it was confirmed the answer. */
export function showPayment(app: App, _visit: Visit, session: Session, id: string): Reply {
  const draft = session.drafts.get(id);
  if (draft === undefined) return gone(app, session);
  const { outcome, account, amount, connection, confirmed } = draft;
  const bank = bankName(app, app.store.find(connection)?.bank ?? '');
  const body = html`<h1>${headline(outcome, confirmed)}</h1>
${outcome === undefined ? '' : answerOf(outcome, bank)}
<section><dl>
<dt>Amount</dt><dd>${money(amount, account.currency)}</dd>
<dt>From</dt><dd>${bank}: ${account.name}, ${account.maskedNumber}</dd>
<dt>Payment</dt><dd><code>${draft.id}</code></dd>
</dl>
<h2>History</h2><ol>${draft.steps.map(({ at, text }) => html`<li><time datetime="${at.toISOString()}">${at.toISOString().slice(11, 19)} UTC</time>: ${text}</li>`)}</ol></section>
${confirmed ? afterwards(draft) : confirmation(app, session, draft)}`;
  return page(app, session, {
    title: 'Payment',
    current: '/pay',
    body,
    ...(confirmed && outcome === undefined ? { again: 1 } : {}),
  });
}

function gone(app: App, session: Session): Reply {
  const way = { to: '/pay', text: 'Begin a payment' };
  return problemPage(app, session, 404, 'No such payment', 'This payment is not known in this browser any more.', way);
}

function headline(outcome: Outcome | undefined, confirmed: boolean): string {
  if (outcome === undefined) return confirmed ? 'The bank is being asked' : 'Is this right?';
  return { approved: 'Paid', declined: 'Declined', failed: 'Not paid', unknown: 'Nobody knows yet' }[outcome.kind];
}

function answerOf(outcome: Outcome, bank: string): Markup {
  switch (outcome.kind) {
    case 'approved':
      return html`<div class="notice good" role="status"><p>${bank} approved the payment from account ${outcome.account}.</p></div>`;
    case 'declined':
      return html`<div class="notice problem" role="alert"><p>${bank} was asked and said no: ${outcome.reason}. Nothing was paid; another amount or account may work.</p></div>`;
    case 'failed':
      return html`<div class="notice problem" role="alert"><p>The payment could not be made, and nothing was paid. ${outcome.reason}</p></div>`;
    case 'unknown':
      return html`<div class="notice problem" role="alert"><p>The payment was sent, but no answer came back that tells how it ended. Look at your transactions before you pay again. ${outcome.reason}</p></div>`;
  }
}

/** The balance is a hint: the bank decides. */
function confirmation(app: App, session: Session, { id, connection, account, amount }: Draft): Markup {
  const balance = accountsOf(app, session.user).find(
    (own) => own.connection === connection && own.account.id === account.id,
  )?.balance;
  const short = balance !== undefined && balance < amount;
  return html`${short ? html`<div class="notice problem" role="status"><p>This account holds only ${money(balance, account.currency)}. The bank will probably decline.</p></div>` : ''}
<form method="post" action="/pay/${id}" class="actions">${formToken(session)}
<button>Pay ${money(amount, account.currency)}</button>
<a class="quiet" role="button" href="/pay">Cancel</a></form>`;
}

function afterwards({ connection, outcome }: Draft): Markup {
  const again = outcome?.kind === 'declined' || outcome?.kind === 'failed';
  return html`<div class="actions">${again ? html`<a role="button" href="/pay">Try another payment</a>` : ''}
<a${again ? html` class="quiet"` : ''} role="button" href="/dashboard">To the dashboard</a>
<a class="quiet" role="button" href="/connections/${connection}/messages">Under the hood</a></div>`;
}

/** `POST /pay/{id}`: pays, once; pressing the button again shows the same payment. */
export async function confirmPayment(app: App, _visit: Visit, session: Session, id: string): Promise<Reply> {
  const draft = session.drafts.get(id);
  if (draft === undefined) return gone(app, session);
  if (draft.confirmed) return seeOther(`/pay/${id}`);
  draft.confirmed = true;
  const connection = app.store.find(draft.connection);
  const client = connection === undefined ? undefined : app.clientOf(connection.bank);
  if (connection?.user !== session.user || client === undefined) {
    draft.outcome = { kind: 'failed', reason: 'This bank is not connected any more.' };
    return seeOther(`/pay/${id}`);
  }
  await pay(draft, connection, client, app.logs.of(connection), app);
  return seeOther(`/pay/${id}`);
}
