import type { Books } from './books.ts';
import type { Facts } from './facts.ts';
import { isoDay, type Transaction } from './ledger.ts';
import { formatCents } from './money.ts';
import { type BankAccount, maskedNumber } from './people.ts';
import { notFound, Problem } from './problem.ts';
import { readQuery } from './request.ts';

/** Transactions on a page when the caller does not say, and at most. */
const PAGE_SIZE = 100;
const MAXIMUM_PAGE_SIZE = 500;

/** The accounts that count: the customer's own, of those the customer agreed to. @throws Problem 403 without a customer */
function accountsOf(facts: Facts, books: Books): readonly BankAccount[] {
  if (facts.customer === undefined) {
    throw new Problem(403, 'customer_missing', 'The statement names no customer, and there is no default one.');
  }
  return books.accountsOf(facts.customer).filter((account) => facts.accounts.includes(account.id));
}

/** One of them. @throws Problem 404 for any other account, whether it exists or not */
export function accountOf(facts: Facts, books: Books, id: string): BankAccount {
  const account = accountsOf(facts, books).find((candidate) => candidate.id === id);
  if (account === undefined) throw notFound();
  return account;
}

/** `GET /accounts` */
export function listAccounts(facts: Facts, books: Books, query: URLSearchParams): unknown {
  readQuery(query, []);
  return { accounts: accountsOf(facts, books).map(describe) };
}

/** `GET /accounts/{id}` */
export function showAccount(facts: Facts, books: Books, query: URLSearchParams, id: string): unknown {
  readQuery(query, []);
  return describe(accountOf(facts, books, id));
}

/** `GET /accounts/{id}/balances` */
export function accountBalances(facts: Facts, books: Books, query: URLSearchParams, id: string, now: Date): unknown {
  readQuery(query, []);
  return { balances: [balance(accountOf(facts, books, id), books, now)] };
}

/** `GET /balances` */
export function allBalances(facts: Facts, books: Books, query: URLSearchParams, now: Date): unknown {
  readQuery(query, []);
  return { balances: accountsOf(facts, books).map((account) => balance(account, books, now)) };
}

/** `GET /accounts/{id}/transactions?from&to&page&pageSize`, newest first, both days included. */
export function listTransactions(facts: Facts, books: Books, query: URLSearchParams, id: string): unknown {
  const parameters = readQuery(query, ['from', 'to', 'page', 'pageSize']);
  const account = accountOf(facts, books, id);
  const from = dayOf(parameters, 'from');
  const to = dayOf(parameters, 'to');
  if (from !== undefined && to !== undefined && from > to) {
    throw new Problem(400, 'field_invalid', 'The parameter "from" is after "to".');
  }
  const page = countOf(parameters, 'page', 1, Number.MAX_SAFE_INTEGER);
  const pageSize = countOf(parameters, 'pageSize', PAGE_SIZE, MAXIMUM_PAGE_SIZE);
  const found = books
    .transactionsOf(account)
    .filter(({ bookedOn }) => (from === undefined || bookedOn >= from) && (to === undefined || bookedOn <= to));
  const transactions = found.slice((page - 1) * pageSize, page * pageSize);
  return {
    account: account.id,
    transactions: transactions.map((transaction) => describeTransaction(transaction, account)),
    page,
    pageSize,
    pages: Math.max(1, Math.ceil(found.length / pageSize)),
    total: found.length,
  };
}

/** An account as third parties and the consent page see it. */
export function describe(account: BankAccount): Readonly<Record<string, unknown>> {
  const { id, name, type, currency } = account;
  return { id, name, type, currency, maskedNumber: maskedNumber(account), joint: account.holders.length > 1 };
}

function balance(account: BankAccount, books: Books, now: Date): unknown {
  const amount = formatCents(books.balanceOf(account));
  return { account: account.id, type: 'booked', amount, currency: account.currency, asOf: now.toISOString() };
}

function describeTransaction(transaction: Transaction, account: BankAccount): unknown {
  const { id, bookedOn, amount, balanceAfter, category, counterparty, description } = transaction;
  return {
    id,
    bookedOn,
    amount: formatCents(amount),
    currency: account.currency,
    balanceAfter: formatCents(balanceAfter),
    category,
    counterparty,
    description,
  };
}

function dayOf(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  const parsed = new Date(`${value}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(value) || Number.isNaN(parsed.getTime()) || isoDay(parsed) !== value) {
    throw new Problem(400, 'field_invalid', `The parameter "${name}" is no day such as 2026-05-04.`);
  }
  return value;
}

function countOf(parameters: ReadonlyMap<string, string>, name: string, preset: number, most: number): number {
  const value = parameters.get(name);
  if (value === undefined) return preset;
  const count = Number(value);
  if (!/^[1-9]\d{0,8}$/.test(value) || count > most) {
    throw new Problem(400, 'field_invalid', `The parameter "${name}" is no whole number from 1 to ${most}.`);
  }
  return count;
}
