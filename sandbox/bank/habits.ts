/** What happens on accounts of a kind: the facts of which the ledger makes transactions. */

export type Category =
  | 'income'
  | 'housing'
  | 'utilities'
  | 'groceries'
  | 'dining'
  | 'transport'
  | 'travel'
  | 'shopping'
  | 'health'
  | 'leisure'
  | 'cash'
  | 'fees'
  | 'interest'
  | 'transfer'
  | 'payment';

/** Something that comes back every month, on the same day or the last one of a shorter month. */
export interface Fixed {
  readonly day: number;
  readonly category: Category;
  readonly counterparty: string;
  readonly description: string;
  /** Cents, positive for money in; both the same for a fixed amount. */
  readonly amount: readonly [least: number, most: number];
  /** Months of the year in which it happens; all when left out. */
  readonly months?: readonly number[];
}

/** Something that happens a few times a month, anywhere of a list. */
export interface Frequent {
  readonly category: Category;
  readonly times: readonly [least: number, most: number];
  /** Cents that are spent. */
  readonly amount: readonly [least: number, most: number];
  readonly places: readonly [string, ...string[]];
  readonly months?: readonly number[];
}

/** All of it. */
export interface Habits {
  readonly fixed: readonly Fixed[];
  readonly frequent: readonly Frequent[];
}

/** Where people of these banks spend; every name is invented. */
const GROCERIES: Frequent['places'] = ['Corner Basket', 'Greenleaf Market', 'Hall & Mill Foods', 'Daily Larder'];
const DINING: Frequent['places'] = [
  'Cafe Lindgren',
  'Noodle Yard',
  'The Copper Pot',
  'Pizzeria Vesta',
  'Bean Dispatch',
];
const TRANSPORT: Frequent['places'] = ['Metroline', 'Harbour Ferries', 'Swiftcycle', 'Northbound Rail'];
const SHOPPING: Frequent['places'] = ['Papermoon Books', 'Thread & Needle', 'Voltari Electronics', 'Oak Interior'];
const LEISURE: Frequent['places'] = ['Astoria Cinema', 'Riverside Climbing', 'Philharmonic Box Office'];
const HEALTH: Frequent['places'] = ['Elm Street Pharmacy', 'Dr. Amsel Dental'];
const HOTELS: Frequent['places'] = ['Hotel Meridian', 'Pension Alder', 'Skyfold Airways', 'Cloudrail Express'];

/** A salary comes in, life goes out. `salary` and `household` are cents. */
export function everyday(employer: string, salary: number, household: number): Habits {
  return {
    fixed: [
      fixed(25, 'income', employer, 'Salary', salary),
      fixed(1, 'transfer', 'Household account', 'Share of the household', -household),
      fixed(3, 'utilities', 'Talkwave Mobile', 'Mobile contract', -2_495),
      fixed(8, 'leisure', 'Streamlight', 'Subscription', -1_299),
      fixed(15, 'health', 'Pulse Gym', 'Membership', -3_900),
      fixed(26, 'transfer', 'Evergreen Pension', 'Pension plan', -12_000),
      { ...fixed(5, 'income', employer, 'Holiday bonus', Math.round(salary / 2)), months: [6] },
    ],
    frequent: [
      { category: 'dining', times: [5, 11], amount: [380, 4_600], places: DINING },
      { category: 'transport', times: [4, 9], amount: [240, 3_800], places: TRANSPORT },
      { category: 'shopping', times: [1, 4], amount: [900, 14_500], places: SHOPPING },
      { category: 'leisure', times: [0, 3], amount: [1_200, 7_800], places: LEISURE },
      { category: 'health', times: [0, 2], amount: [450, 9_200], places: HEALTH },
      { category: 'cash', times: [0, 2], amount: [4_000, 8_000], places: ['Cash machine'] },
      { category: 'shopping', times: [2, 4], amount: [2_500, 16_000], places: SHOPPING, months: [12] },
    ],
  };
}

/** Two people pay in and share rent, power and the fridge. */
export function household(holders: readonly [string, string], share: number): Habits {
  return {
    fixed: [
      ...holders.map((holder) => fixed(1, 'transfer', holder, 'Share of the household', share)),
      fixed(2, 'housing', 'Lindenhof Estates', 'Rent', -Math.round(share * 1.22)),
      fixed(10, 'utilities', 'Northwind Energy', 'Power and heating', -11_800),
      fixed(12, 'utilities', 'Clearline Broadband', 'Internet', -3_990),
      { ...fixed(20, 'utilities', 'City Waterworks', 'Water', -8_450), months: [3, 6, 9, 12] },
    ],
    frequent: [{ category: 'groceries', times: [7, 11], amount: [1_450, 7_600], places: GROCERIES }],
  };
}

/** Money that waits: interest at the end of a quarter, and what the everyday account leaves over. */
export const saving: Habits = {
  fixed: [
    {
      ...fixed(28, 'interest', 'Interest', 'Interest of the quarter', 0),
      amount: [1_800, 4_200],
      months: [3, 6, 9, 12],
    },
    { ...fixed(14, 'travel', 'Skyfold Holidays', 'Summer holiday', -285_000), months: [7] },
  ],
  frequent: [],
};

/** A card in another currency, filled every month, used on the road. */
export function travelling(topUp: number): Habits {
  return {
    fixed: [
      fixed(4, 'transfer', 'Top-up', 'Top-up of the travel card', topUp),
      fixed(27, 'fees', 'Card fee', 'Monthly fee', -200),
    ],
    frequent: [
      { category: 'travel', times: [1, 2], amount: [4_000, 12_500], places: HOTELS, months: [2, 5, 7, 8, 10] },
      { category: 'dining', times: [1, 3], amount: [600, 3_900], places: DINING, months: [2, 5, 7, 8, 10] },
      { category: 'transport', times: [1, 3], amount: [350, 2_600], places: TRANSPORT, months: [2, 5, 7, 8, 10] },
    ],
  };
}

function fixed(day: number, category: Category, counterparty: string, description: string, amount: number): Fixed {
  return { day, category, counterparty, description, amount: [amount, amount] };
}
