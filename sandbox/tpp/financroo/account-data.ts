import { type Cents, centsOf } from './money.ts';

/** An account as a bank shows it. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly currency: string;
  readonly maskedNumber: string;
}

/** What happened on an account. */
export interface Transaction {
  readonly id: string;
  readonly bookedOn: string;
  readonly amount: Cents;
  readonly currency: string;
  readonly category: string;
  readonly counterparty: string;
  readonly description: string;
}

/** An account with everything on it. */
export interface AccountPicture {
  readonly account: Account;
  readonly balance: Cents | undefined;
  readonly transactions: readonly Transaction[];
}

/** An account with the bank and connection it belongs to. */
export interface OwnAccount extends AccountPicture {
  readonly bank: string;
  readonly connection: string;
}

/** A page of an account's transactions. */
export interface TransactionPage {
  readonly transactions: readonly Transaction[];
  readonly pages: number;
}

// What a bank answers is parsed before it is believed: a field that is missing is an error, not an empty cell.

/** `GET /accounts`. @throws TypeError when the answer is something else */
export function parseAccounts(body: unknown): readonly Account[] {
  return listIn(body, 'accounts').map((entry) => ({
    id: textIn(entry, 'id'),
    name: textIn(entry, 'name'),
    type: textIn(entry, 'type'),
    currency: textIn(entry, 'currency'),
    maskedNumber: textIn(entry, 'maskedNumber'),
  }));
}

/** `GET /balances`, by account. @throws TypeError when the answer is something else */
export function parseBalances(body: unknown): ReadonlyMap<string, Cents> {
  return new Map(listIn(body, 'balances').map((entry) => [textIn(entry, 'account'), centsOf(entry.get('amount'))]));
}

/** `GET /accounts/{id}/transactions`. @throws TypeError when the answer is something else */
export function parseTransactions(body: unknown): TransactionPage {
  const pages = fieldsOf(body).get('pages');
  return {
    pages: typeof pages === 'number' ? pages : 1,
    transactions: listIn(body, 'transactions').map((entry) => ({
      id: textIn(entry, 'id'),
      bookedOn: textIn(entry, 'bookedOn'),
      amount: centsOf(entry.get('amount')),
      currency: textIn(entry, 'currency'),
      category: textIn(entry, 'category'),
      counterparty: textIn(entry, 'counterparty'),
      description: textIn(entry, 'description'),
    })),
  };
}

type Fields = ReadonlyMap<string, unknown>;

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw new TypeError('there is no object where one should be');
  return new Map(Object.entries(value));
}

function listIn(body: unknown, name: string): readonly Fields[] {
  const list = fieldsOf(body).get(name);
  if (!Array.isArray(list)) throw new TypeError(`there is no list "${name}"`);
  return list.map(fieldsOf);
}

function textIn(fields: Fields, name: string): string {
  const value = fields.get(name);
  if (typeof value !== 'string') throw new TypeError(`there is no text "${name}"`);
  return value;
}
