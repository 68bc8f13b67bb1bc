import { hash } from 'node:crypto';
import { type Chance, chanceOf } from './chance.ts';
import type { Category, Fixed, Frequent } from './habits.ts';
import type { Cents } from './money.ts';
import type { BankAccount } from './people.ts';

/** A booked transaction. */
export interface Transaction {
  readonly id: string;
  /** `2026-05-04` */
  readonly bookedOn: string;
  /** Cents, positive for money in. */
  readonly amount: Cents;
  /** Cents on the account once it is booked. */
  readonly balanceAfter: Cents;
  readonly category: Category;
  readonly counterparty: string;
  readonly description: string;
}

/** What happens on a day, before balances are known. */
interface Entry {
  readonly account: string;
  readonly day: number;
  readonly amount: Cents;
  readonly category: Category;
  readonly counterparty: string;
  readonly description: string;
}

/** Every ledger begins here, so that a transaction never changes as time goes on. */
const BEGINNING = { year: 2022, month: 1 } as const;
/** After the salary an everyday account keeps this much, in cents; the rest is saved. */
const CUSHION: Cents = 240_000;
/** Below this an everyday account is helped out. */
const FLOOR: Cents = 40_000;
const SWEEP_DAY = 26;

/** The transactions of every account up to and including a day, oldest first: the same for the same day, always. */
export function ledgerOf(
  bank: string,
  accounts: readonly BankAccount[],
  today: Date,
): ReadonlyMap<string, readonly Transaction[]> {
  const balances = new Map(accounts.map((account) => [account.id, account.opening]));
  const booked = new Map<string, Transaction[]>(accounts.map((account) => [account.id, []]));
  const limit = isoDay(today);
  for (const { year, month } of monthsUntil(today)) {
    const entries = accounts.flatMap((account) => entriesOf(bank, account, year, month));
    for (const entry of inOrder(entries, accounts, balances)) {
      const bookedOn = isoDay(new Date(Date.UTC(year, month - 1, entry.day)));
      if (bookedOn > limit) break;
      book(bank, entry, bookedOn, balances, booked);
    }
  }
  return booked;
}

function book(
  bank: string,
  entry: Entry,
  bookedOn: string,
  balances: Map<string, Cents>,
  booked: ReadonlyMap<string, Transaction[]>,
): void {
  const { account, amount, category, counterparty, description } = entry;
  const balanceAfter = (balances.get(account) ?? 0) + amount;
  balances.set(account, balanceAfter);
  const list = booked.get(account) ?? [];
  const id = `tx-${hash('sha256', `${bank} ${account} ${list.length}`, 'hex').slice(0, 20)}`;
  list.push({ id, bookedOn, amount, balanceAfter, category, counterparty, description });
}

/** Day by day; savings move when the balance of that day is known, which is why this is a generator. */
function* inOrder(
  entries: readonly Entry[],
  accounts: readonly BankAccount[],
  balances: ReadonlyMap<string, Cents>,
): Generator<Entry> {
  const sorted = entries.toSorted((one, other) => one.day - other.day);
  yield* sorted.filter((entry) => entry.day <= SWEEP_DAY);
  for (const account of accounts) yield* sweepOf(account, balances);
  yield* sorted.filter((entry) => entry.day > SWEEP_DAY);
}

function sweepOf(account: BankAccount, balances: ReadonlyMap<string, Cents>): readonly Entry[] {
  const { sweepsTo } = account;
  const balance = balances.get(account.id) ?? 0;
  if (sweepsTo === undefined || (balance >= FLOOR && balance <= CUSHION)) return [];
  // Whole tens, as a person would move them.
  const amount = Math.trunc((balance - CUSHION) / 1_000) * 1_000;
  if (amount === 0) return [];
  const base = { day: SWEEP_DAY, category: 'transfer' } as const;
  const [from, to] = amount > 0 ? ['To savings', 'From everyday account'] : ['From savings', 'To everyday account'];
  return [
    { ...base, account: account.id, amount: -amount, counterparty: 'Own savings', description: from },
    { ...base, account: sweepsTo, amount, counterparty: 'Own account', description: to },
  ];
}

/** What a month brings to an account; follows from bank, account and month alone. */
function entriesOf(bank: string, account: BankAccount, year: number, month: number): readonly Entry[] {
  const chance = chanceOf(`${bank} ${account.id} ${year}-${month}`);
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const inSeason = (habit: Fixed | Frequent) => habit.months?.includes(month) ?? true;
  return [
    ...account.habits.fixed
      .filter(inSeason)
      .map((habit) => ({ ...fixedEntry(habit, chance, lastDay), account: account.id })),
    ...account.habits.frequent
      .filter(inSeason)
      .flatMap((habit) => frequentEntries(habit, chance, lastDay))
      .map((entry) => ({ ...entry, account: account.id })),
  ];
}

function fixedEntry(habit: Fixed, chance: Chance, lastDay: number): Omit<Entry, 'account'> {
  const { day, category, counterparty, description, amount } = habit;
  return { day: Math.min(day, lastDay), category, counterparty, description, amount: chance.between(...amount) };
}

function frequentEntries(habit: Frequent, chance: Chance, lastDay: number): readonly Omit<Entry, 'account'>[] {
  return Array.from({ length: chance.between(...habit.times) }, () => {
    const place = chance.pick(habit.places);
    return {
      day: chance.between(1, lastDay),
      category: habit.category,
      counterparty: place,
      description: habit.category === 'cash' ? 'Withdrawal' : `Card payment ${place}`,
      amount: -chance.between(...habit.amount),
    };
  });
}

function monthsUntil(today: Date): readonly { readonly year: number; readonly month: number }[] {
  const count = (today.getUTCFullYear() - BEGINNING.year) * 12 + today.getUTCMonth() + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, index) => ({
    year: BEGINNING.year + Math.floor(index / 12),
    month: BEGINNING.month + (index % 12),
  }));
}

/** `2026-05-04`, in UTC. */
export function isoDay(at: Date): string {
  return at.toISOString().slice(0, 10);
}
