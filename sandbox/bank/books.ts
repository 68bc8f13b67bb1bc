import { isoDay, ledgerOf, type Transaction } from './ledger.ts';
import type { Cents } from './money.ts';
import type { PaymentBook } from './payments.ts';
import type { BankAccount, Person, Population } from './people.ts';

/** As long as the history that account information shows. */
const HISTORY_MONTHS = 24;

/** Customers, accounts, what happened on them, and payments on top. */
export interface Books {
  readonly people: readonly Person[];
  /** The accounts a customer holds; none for somebody unknown (N-213). */
  accountsOf(customer: string): readonly BankAccount[];
  /** The last 24 months, newest first. */
  transactionsOf(account: BankAccount): readonly Transaction[];
  balanceOf(account: BankAccount): Cents;
  /** Takes an amount from an account; undefined when there is not enough on it. */
  pay(account: BankAccount, amount: Cents): Promise<Transaction | undefined>;
}

/** The books of a bank. */
export function createBooks(bank: string, population: Population, payments: PaymentBook, now: () => Date): Books {
  let day = '';
  let ledger: ReadonlyMap<string, readonly Transaction[]> = new Map();
  const bookedOf = (account: BankAccount): readonly Transaction[] => {
    const today = isoDay(now());
    if (today !== day) {
      ledger = ledgerOf(bank, population.accounts, now());
      day = today;
    }
    return merged(account, ledger.get(account.id) ?? [], payments);
  };
  const balanceOf = (account: BankAccount): Cents => bookedOf(account).at(-1)?.balanceAfter ?? account.opening;
  return {
    people: population.people,
    accountsOf: (customer) => population.accounts.filter((account) => account.holders.includes(customer)),
    balanceOf,
    transactionsOf: (account) => {
      const start = historyStart(now());
      return bookedOf(account)
        .filter((transaction) => transaction.bookedOn >= start)
        .toReversed();
    },
    pay: async (account, amount) => {
      if (balanceOf(account) < amount) return undefined;
      const payment = await payments.enter(account.id, amount, now());
      return bookedOf(account).find((transaction) => transaction.id === payment.id);
    },
  };
}

/** Payments between what happened by itself, and every balance after them lower by as much. */
function merged(account: BankAccount, booked: readonly Transaction[], payments: PaymentBook): readonly Transaction[] {
  const made = payments.of(account.id);
  if (made.length === 0) return booked;
  const paid = made.map((payment) => ({
    id: payment.id,
    bookedOn: payment.madeAt.slice(0, 10),
    amount: -payment.amount,
    balanceAfter: 0,
    category: 'payment' as const,
    counterparty: 'Payment initiation',
    description: 'Payment through a third party',
  }));
  let balance = account.opening;
  return [...booked, ...paid]
    .toSorted((one, other) => (one.bookedOn < other.bookedOn ? -1 : one.bookedOn > other.bookedOn ? 1 : 0))
    .map((transaction) => {
      balance += transaction.amount;
      return { ...transaction, balanceAfter: balance };
    });
}

function historyStart(now: Date): string {
  return isoDay(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - HISTORY_MONTHS, now.getUTCDate())));
}
