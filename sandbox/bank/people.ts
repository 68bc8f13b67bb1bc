import { chanceOf } from './chance.ts';
import { everyday, type Habits, household, saving, travelling } from './habits.ts';

/** A customer of a demo bank. */
export interface Person {
  readonly id: string;
  readonly username: string;
  readonly name: string;
}

/** An account of a demo bank. */
export interface BankAccount {
  readonly id: string;
  /** Ids of the customers who hold it; two for a joint account. */
  readonly holders: readonly string[];
  readonly name: string;
  readonly type: 'current' | 'savings' | 'card';
  readonly currency: string;
  /** The full number; leaves the bank for the vault only. */
  readonly number: string;
  /** Cents at the beginning of the ledger. */
  readonly opening: number;
  readonly habits: Habits;
  /** The savings account that takes what this one leaves over, and gives back when it runs short. */
  readonly sweepsTo?: string;
}

/** Everybody at a bank and everything they hold. */
export interface Population {
  readonly people: readonly [Person, Person];
  readonly accounts: readonly BankAccount[];
}

/** The same two people bank everywhere, with other accounts and amounts at each bank. */
export function populationOf(bank: string): Population {
  const chance = chanceOf(`${bank} people`);
  const [first, second] = [person(bank, 'user', 'Robin Example'), person(bank, 'user2', 'Sam Specimen')];
  const share = chance.between(780, 960) * 100;
  const euro = { currency: 'EUR', type: 'current' } as const;
  const savings = { currency: 'EUR', type: 'savings', habits: saving } as const;
  const wages = [chance.between(2_500, 2_800) * 100, chance.between(2_450, 2_750) * 100] as const;
  const drafts: readonly Draft[] = [
    {
      ...euro,
      key: 'everyday',
      holders: [first],
      name: 'Everyday',
      opening: 184_210,
      habits: everyday('Brightwater Studio', wages[0], share),
      sweepsTo: 'savings',
    },
    { ...savings, key: 'savings', holders: [first], name: 'Rainy day', opening: 912_500 },
    {
      key: 'dollars',
      currency: 'USD',
      type: 'card',
      holders: [first],
      name: 'Travel card',
      opening: 61_000,
      habits: travelling(13_000),
    },
    {
      ...euro,
      key: 'household',
      holders: [first, second],
      name: 'Household',
      opening: 152_000,
      habits: household([first.name, second.name], share),
    },
    {
      ...euro,
      key: 'everyday-2',
      holders: [second],
      name: 'Main account',
      opening: 176_340,
      habits: everyday('Kestrel Logistics', wages[1], share),
      sweepsTo: 'savings-2',
    },
    { ...savings, key: 'savings-2', holders: [second], name: 'House deposit', opening: 1_430_000 },
    {
      key: 'pounds',
      currency: 'GBP',
      type: 'card',
      holders: [second],
      name: 'Sterling card',
      opening: 48_000,
      habits: travelling(10_500),
    },
  ];
  return { people: [first, second], accounts: drafts.map((draft) => accountOf(bank, draft)) };
}

type Draft = Omit<BankAccount, 'id' | 'number' | 'holders'> & {
  readonly key: string;
  readonly holders: readonly Person[];
};

function person(bank: string, username: string, name: string): Person {
  return { id: `cust-${chanceOf(`${bank} ${username}`).between(100_000, 999_999)}`, username, name };
}

function accountOf(bank: string, { key, holders, sweepsTo, ...draft }: Draft): BankAccount {
  return {
    ...draft,
    id: accountId(bank, key),
    number: String(chanceOf(`${bank} ${key} number`).between(1_000_000_000, 9_999_999_999)),
    holders: holders.map((holder) => holder.id),
    ...(sweepsTo === undefined ? {} : { sweepsTo: accountId(bank, sweepsTo) }),
  };
}

/** An id that tells nothing of the account's number. */
function accountId(bank: string, key: string): string {
  return `acc-${chanceOf(`${bank} ${key} id`).between(10_000_000, 99_999_999)}`;
}

/** `****1234` */
export function maskedNumber(account: BankAccount): string {
  return `****${account.number.slice(-4)}`;
}
