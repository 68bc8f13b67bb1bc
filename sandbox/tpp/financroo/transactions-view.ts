import type { OwnAccount, Transaction } from './account-data.ts';
import { day } from './app.ts';
import { html, type Markup } from './markup.ts';
import { money } from './money.ts';

/** What of all transactions is shown. */
export interface Filter {
  readonly text: string;
  /** `connection:account`; undefined for all. */
  readonly account: string | undefined;
  readonly category: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly sort: Sort;
  readonly page: number;
}

type Sort = 'newest' | 'oldest' | 'largest' | 'smallest';

interface Row extends Transaction {
  readonly from: OwnAccount;
}

const PAGE_SIZE = 25;
const SORTS: Readonly<Record<Sort, string>> = {
  newest: 'newest first',
  oldest: 'oldest first',
  largest: 'most money in first',
  smallest: 'most money out first',
};
const COMPARE: Readonly<Record<Sort, (one: Row, other: Row) => number>> = {
  newest: (one, other) => other.bookedOn.localeCompare(one.bookedOn),
  oldest: (one, other) => one.bookedOn.localeCompare(other.bookedOn),
  largest: (one, other) => other.amount - one.amount,
  smallest: (one, other) => one.amount - other.amount,
};
const LONGEST_TEXT = 100;
const MOST_PAGES = 100_000;

/** Reads a query; whatever makes no sense is as if it were not there. */
export function filterOf(query: URLSearchParams, accounts: readonly OwnAccount[]): Filter {
  const among = (name: string, values: readonly string[]) => values.find((value) => value === query.get(name));
  const dayIn = (name: string) =>
    /^\d{4}-\d\d-\d\d$/.test(query.get(name) ?? '') ? (query.get(name) ?? undefined) : undefined;
  const sort = query.get('sort') ?? '';
  const page = Number(query.get('page'));
  return {
    text: (query.get('q') ?? '').trim().slice(0, LONGEST_TEXT),
    account: among('account', accounts.map(keyOf)),
    category: among('category', categoriesOf(accounts)),
    from: dayIn('from'),
    to: dayIn('to'),
    sort: isSort(sort) ? sort : 'newest',
    page: Number.isInteger(page) && page > 0 && page <= MOST_PAGES ? page : 1,
  };
}

function isSort(text: string): text is Sort {
  return Object.hasOwn(SORTS, text);
}

function keyOf({ connection, account }: OwnAccount): string {
  return `${connection}:${account.id}`;
}

function categoriesOf(accounts: readonly OwnAccount[]): readonly string[] {
  return [...new Set(accounts.flatMap(({ transactions }) => transactions.map(({ category }) => category)))].toSorted();
}

/** What a filter lets through, sorted. */
export function matching(accounts: readonly OwnAccount[], filter: Filter): readonly Row[] {
  const text = filter.text.toLowerCase();
  return accounts
    .filter((account) => filter.account === undefined || keyOf(account) === filter.account)
    .flatMap((from) => from.transactions.map((transaction) => ({ ...transaction, from })))
    .filter(
      ({ counterparty, description, category, bookedOn }) =>
        (text === '' || `${counterparty} ${description} ${category}`.toLowerCase().includes(text)) &&
        (filter.category === undefined || category === filter.category) &&
        (filter.from === undefined || bookedOn >= filter.from) &&
        (filter.to === undefined || bookedOn <= filter.to),
    )
    .toSorted(COMPARE[filter.sort]);
}

/** Search, filters and a page of what they leave. */
export function transactionsPanel(accounts: readonly OwnAccount[], filter: Filter): Markup {
  const found = matching(accounts, filter);
  const pages = Math.max(1, Math.ceil(found.length / PAGE_SIZE));
  const current = Math.min(filter.page, pages);
  const rows = found.slice((current - 1) * PAGE_SIZE, current * PAGE_SIZE);
  return html`<section id="transactions">
<h2 id="transactions-title">Transactions</h2>
${filterForm(accounts, filter)}
<p class="hint" role="status">${found.length} found${pages > 1 ? `, page ${current} of ${pages}` : ''}</p>
${rows.length === 0 ? html`<p>Nothing fits. <a href="/dashboard#transactions">Show everything</a></p>` : table(rows)}
${pages > 1 ? paging(filter, current, pages) : ''}
</section>`;
}

function table(rows: readonly Row[]): Markup {
  return html`<table aria-labelledby="transactions-title"><thead><tr><th scope="col" class="wide-only">Date</th><th scope="col">What</th><th scope="col" class="amount">Amount</th></tr></thead>
<tbody>${rows.map(
    ({ bookedOn, counterparty, description, category, amount, currency, from }) => html`<tr>
<td class="date wide-only">${day(bookedOn)}</td>
<td>${counterparty}<small><span class="narrow-only">${day(bookedOn)} · </span>${description} · ${category} · ${from.bank}, ${from.account.name}</small></td>
<td class="amount${amount > 0 ? ' in' : ''}">${money(amount, currency)}</td></tr>`,
  )}</tbody></table>`;
}

function filterForm(accounts: readonly OwnAccount[], filter: Filter): Markup {
  const option = (value: string, text: string, chosen: boolean) =>
    html`<option value="${value}"${chosen ? html` selected` : ''}>${text}</option>`;
  return html`<search><form class="filters" action="/dashboard#transactions">
<div class="wide"><label for="q">Search</label><input id="q" name="q" type="search" value="${filter.text}" maxlength="${LONGEST_TEXT}"></div>
<div><label for="account">Account</label><select id="account" name="account">${option('', 'all', filter.account === undefined)}
${accounts.map((one) => option(keyOf(one), `${one.bank}: ${one.account.name}`, keyOf(one) === filter.account))}</select></div>
<div><label for="category">Category</label><select id="category" name="category">${option('', 'all', filter.category === undefined)}
${categoriesOf(accounts).map((one) => option(one, one, one === filter.category))}</select></div>
<div><label for="from">From</label><input id="from" name="from" type="date" value="${filter.from ?? ''}"></div>
<div><label for="to">To</label><input id="to" name="to" type="date" value="${filter.to ?? ''}"></div>
<div><label for="sort">Order</label><select id="sort" name="sort">${Object.entries(SORTS).map(([value, text]) => option(value, text, value === filter.sort))}</select></div>
<button class="quiet">Show</button>
</form></search>`;
}

function paging(filter: Filter, current: number, pages: number): Markup {
  const to = (page: number) => {
    const { text: q, account, category, from, to: until, sort } = filter;
    const given = Object.entries({ q, account, category, from, to: until, sort, page: String(page) });
    const query = new URLSearchParams();
    for (const [name, value] of given) if (value !== undefined && value !== '') query.set(name, value);
    return `/dashboard?${query}#transactions`;
  };
  return html`<nav class="paging" aria-label="Pages of transactions">
${current > 1 ? html`<a href="${to(current - 1)}" rel="prev">Previous page</a>` : html`<span></span>`}
${current < pages ? html`<a href="${to(current + 1)}" rel="next">Next page</a>` : html`<span></span>`}
</nav>`;
}
