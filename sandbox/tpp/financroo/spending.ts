import type { Transaction } from './account-data.ts';
import type { Cents } from './money.ts';

/** What was spent, under a name. */
export interface Slice {
  readonly name: string;
  readonly amount: Cents;
}

/** Between one's own accounts nothing is spent. */
const NOT_SPENDING: ReadonlySet<string> = new Set(['transfer', 'income', 'interest']);
const MONTHS = 12;
/** More bars than this are no picture. */
const MOST_CATEGORIES = 9;

/** What was spent in one currency. */
export function spendingIn(transactions: readonly Transaction[], currency: string): readonly Transaction[] {
  return transactions.filter(
    (transaction) =>
      transaction.currency === currency && transaction.amount < 0 && !NOT_SPENDING.has(transaction.category),
  );
}

/** The last twelve months, oldest first, those without spending included. `YYYY-MM` */
export function byMonth(spending: readonly Transaction[], now: Date): readonly Slice[] {
  const sums = sumBy(spending, ({ bookedOn }) => bookedOn.slice(0, 7));
  return Array.from({ length: MONTHS }, (_, index) => {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - (MONTHS - 1 - index), 1));
    const name = month.toISOString().slice(0, 7);
    return { name, amount: sums.get(name) ?? 0 };
  });
}

/** Categories of the last twelve months or of one month, largest first; the small ones together. */
export function byCategory(spending: readonly Transaction[], now: Date, month?: string): readonly Slice[] {
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - (MONTHS - 1), 1))
    .toISOString()
    .slice(0, 10);
  const meant = spending.filter(({ bookedOn }) =>
    month === undefined ? bookedOn >= first : bookedOn.startsWith(month),
  );
  const slices = [...sumBy(meant, ({ category }) => category)]
    .map(([name, amount]) => ({ name, amount }))
    .toSorted((one, other) => other.amount - one.amount);
  const rest = slices.slice(MOST_CATEGORIES - 1);
  if (rest.length < 2) return slices;
  const others = rest.reduce((sum, { amount }) => sum + amount, 0);
  return [...slices.slice(0, MOST_CATEGORIES - 1), { name: 'everything else', amount: others }];
}

function sumBy(spending: readonly Transaction[], nameOf: (transaction: Transaction) => string): Map<string, Cents> {
  const sums = new Map<string, Cents>();
  for (const transaction of spending) {
    const name = nameOf(transaction);
    sums.set(name, (sums.get(name) ?? 0) - transaction.amount);
  }
  return sums;
}
