import type { IncomingMessage } from 'node:http';
import { accountOf } from './account-information.ts';
import type { Books } from './books.ts';
import type { Facts } from './facts.ts';
import { parseAmount } from './money.ts';
import { Problem } from './problem.ts';
import { readFields, readQuery } from './request.ts';

/**
 * `POST /accounts/{id}/funds-confirmations` `{"amount","currency"}`: yes or no, never the balance, and nothing is set aside
 * (PSD2 Article 65(3) and (4)).
 */
export async function confirmFunds(
  facts: Facts,
  books: Books,
  query: URLSearchParams,
  id: string,
  request: IncomingMessage,
): Promise<{ readonly fundsAvailable: boolean }> {
  readQuery(query, []);
  const account = accountOf(facts, books, id);
  const fields = await readFields(request, ['amount', 'currency']);
  const amount = parseAmount(fields.get('amount'));
  if (amount === undefined) {
    throw new Problem(400, 'field_invalid', 'The field "amount" is no positive amount with two decimals at most.');
  }
  // Nothing is converted here: a yes at some rate would be a promise the payment need not keep (standards.md CBPII-1).
  if (fields.get('currency') !== account.currency) {
    throw new Problem(400, 'field_invalid', 'The field "currency" is not the currency of the account.');
  }
  return { fundsAvailable: books.balanceOf(account) >= amount };
}
