import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoDay, ledgerOf } from './ledger.ts';
import { formatCents, parseAmount } from './money.ts';
import { populationOf } from './people.ts';

const TODAY = new Date('2026-05-17T09:30:00Z');

test('sandbox bank: what is no positive amount with two decimals at most is refused', () => {
  for (const value of [
    0,
    -1,
    '0',
    '0.00',
    '-5',
    1.234,
    '1.',
    '.5',
    '1e3',
    1e21,
    Number.NaN,
    '',
    ' 1',
    null,
    {},
    [1],
    true,
  ]) {
    assert.equal(parseAmount(value), undefined, String(value));
  }
  assert.equal(parseAmount(200), 20_000);
  assert.equal(parseAmount('19.9'), 1_990);
  assert.equal(parseAmount(0.07), 7);
});

test('sandbox bank: cents are written as decimals', () => {
  assert.deepEqual([0, 5, -5, 1_234, -123_456].map(formatCents), ['0.00', '0.05', '-0.05', '12.34', '-1234.56']);
});

test('sandbox bank: the same day gives the same ledger, a later day only adds to it', () => {
  const { accounts } = populationOf('gobank');
  const ledger = ledgerOf('gobank', accounts, TODAY);
  assert.deepEqual(ledgerOf('gobank', accounts, new Date('2026-05-17T23:59:59Z')), ledger);
  const later = ledgerOf('gobank', accounts, new Date('2026-07-01T00:00:00Z'));
  for (const [account, transactions] of ledger) {
    assert.deepEqual(later.get(account)?.slice(0, transactions.length), transactions);
    assert.ok((later.get(account)?.length ?? 0) > transactions.length);
  }
});

test('sandbox bank: the data are those that were there yesterday, also in the next version', () => {
  const { people, accounts } = populationOf('gobank');
  const [everyday] = accounts;
  assert.ok(everyday !== undefined);
  const first = ledgerOf('gobank', accounts, TODAY).get(everyday.id)?.[0];
  assert.deepEqual(
    [people[0].id, everyday.id, first?.bookedOn, first?.counterparty, first?.amount],
    ['cust-863222', 'acc-30219729', '2022-01-01', 'Household account', -95_700],
  );
});

for (const bank of ['gobank', 'labbank', 'hyperscale']) {
  test(`sandbox bank: ${bank} has believable accounts with 24 months behind them`, () => {
    const { people, accounts } = populationOf(bank);
    const ledger = ledgerOf(bank, accounts, TODAY);
    assert.equal(new Set(accounts.flatMap(({ id, number }) => [id, number])).size, accounts.length * 2);
    for (const person of people) {
      const own = accounts.filter((account) => account.holders.includes(person.id));
      assert.ok(own.length >= 3 && new Set(own.map((account) => account.currency)).size >= 2);
      assert.equal(own.filter((account) => account.holders.length === 2).length, 1);
    }
    for (const account of accounts) {
      const transactions = ledger.get(account.id) ?? [];
      let balance = account.opening;
      for (const transaction of transactions) {
        balance += transaction.amount;
        assert.equal(transaction.balanceAfter, balance);
        assert.ok(Number.isSafeInteger(balance) && balance > 0, `${account.name} ${transaction.bookedOn}: ${balance}`);
      }
      assert.ok(balance < 10_000_000, `${account.name} has grown to ${balance}`);
      const days = transactions.map((transaction) => transaction.bookedOn);
      assert.deepEqual(days, days.toSorted());
      assert.ok((days.at(-1) ?? '') <= isoDay(TODAY) && (days.at(-1) ?? '') >= '2026-03-01');
      assert.equal(new Set(transactions.map(({ id }) => id)).size, transactions.length);
    }
    const recent = [...ledger.values()].flat().filter(({ bookedOn }) => bookedOn >= '2024-05-17');
    assert.ok(recent.length > 700, String(recent.length));
    assert.ok(new Set(recent.map(({ category }) => category)).size >= 12);
  });
}

test('sandbox bank: other banks have other accounts', () => {
  const ids = ['gobank', 'labbank', 'hyperscale'].flatMap((bank) => populationOf(bank).accounts.map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
});
