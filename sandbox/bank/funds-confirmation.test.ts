import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { before, describe, test } from 'node:test';
import { createBooks } from './books.ts';
import type { Facts } from './facts.ts';
import { formatCents } from './money.ts';
import { createPasswordBook } from './passwords.ts';
import { openPaymentBook } from './payments.ts';
import { type BankAccount, populationOf } from './people.ts';
import { Problem } from './problem.ts';
import { answerBank, type BankService } from './service.ts';

const now = () => new Date('2026-05-04T12:00:00Z');

describe('confirmation of funds', () => {
  const population = populationOf('gobank');
  const [customer] = population.people;
  const accounts = population.accounts.filter(({ holders }) => holders.includes(customer.id));
  const foreign = population.accounts.find(({ holders }) => !holders.includes(customer.id));
  const [agreed, unticked] = accounts;
  assert.ok(agreed !== undefined && unticked !== undefined && foreign !== undefined);
  let service: BankService;
  let amount: string;
  let facts: Facts;

  before(async () => {
    const books = createBooks('gobank', population, await openPaymentBook(undefined), now);
    const readFacts = async (header: string | readonly string[] | undefined) => {
      if (header === undefined) throw new Problem(401, 'facts_missing', 'None.');
      return facts;
    };
    service = { books, passwords: await createPasswordBook([]), readFacts, now };
    facts = { customer: customer.id, accounts: [agreed.id, foreign.id] };
    amount = formatCents(books.balanceOf(agreed));
  });

  const ask = (body: unknown, account: BankAccount = agreed, change: Partial<IncomingMessage> = {}) => {
    const request = Object.assign(new IncomingMessage(new Socket()), {
      method: 'POST',
      url: `/accounts/${account.id}/funds-confirmations`,
      headers: { 'content-type': 'application/json', 'portcullis-facts': 'verified' },
      ...change,
    });
    request.push(JSON.stringify(body));
    request.push(null);
    return answerBank(service, request);
  };

  test('an amount that is none, another currency and fields too few or too many are refused', async () => {
    const { currency } = agreed;
    const wrong: readonly (readonly [unknown, string])[] = [
      [{}, 'field_missing'],
      [{ amount }, 'field_missing'],
      [{ currency }, 'field_missing'],
      ...[0, '0.00', '-1', '1.001', '1e3', '', 'x', null, [1], { units: 1 }].map(
        (value) => [{ amount: value, currency }, 'field_invalid'] as const,
      ),
      ...['USD', 'eur', '', 'EURO', 1, null, ['EUR']].map(
        (value) => [{ amount, currency: value }, 'field_invalid'] as const,
      ),
      [{ amount, currency, account: unticked.id }, 'field_invalid'],
      [[], 'body_malformed'],
      ['yes', 'body_malformed'],
    ];
    for (const [body, reason] of wrong) await assert.rejects(ask(body), { status: 400, reason }, JSON.stringify(body));
  });

  test('WSO-35 an account not agreed to or of somebody else is not there; no statement, no answer', async () => {
    const question = { amount: 1, currency: 'EUR' };
    for (const account of [unticked, foreign, { ...agreed, id: 'acc-1' }])
      await assert.rejects(ask(question, account), { status: 404, reason: 'not_found' });
    await assert.rejects(ask(question, agreed, { headers: {} }), { status: 401, reason: 'facts_missing' });
    await assert.rejects(ask(question, agreed, { method: 'GET' }), { status: 405 });
    const url = `/accounts/${agreed.id}/funds-confirmations?customer=${customer.id}`;
    await assert.rejects(ask(question, agreed, { url }), { status: 400, reason: 'field_invalid' });
  });

  test('WSN-19 yes up to the balance, no beyond it, nothing else in the answer, and nothing is set aside', async () => {
    const { currency } = agreed;
    const beyond = formatCents(service.books.balanceOf(agreed) + 1);
    const answers = [amount, 0.01, beyond, '999999999999.99', amount].map((asked) => ask({ amount: asked, currency }));
    const said = [true, true, false, false, true].map((fundsAvailable) => ({ fundsAvailable }));
    assert.deepEqual(await Promise.all(answers), said);
    assert.equal(formatCents(service.books.balanceOf(agreed)), amount);
  });
});
