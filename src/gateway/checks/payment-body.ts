import { Refusal } from '../../platform/refusal.ts';
import { readJsonObject, refuseOtherFields, requiredText } from '../body.ts';
import { learn } from '../call.ts';
import type { Check } from '../check.ts';

/** Longest vault token, in characters; ours are shorter. */
const tokenLimit = 256;
/** Largest amount of one payment, in currency units: beyond it two decimals are no longer exact in a JSON number. */
const amountLimit = 1e12;

/** The body of a payment is `{"token","amount"}` and nothing else; the amount is positive, with two decimals at most. */
export const paymentBody: Check = {
  id: 'payment-body',
  clause: 'acceptance.md §1.3 (9); LAB-27, LAB-28',
  async run(call) {
    const body = await readJsonObject(call.request);
    refuseOtherFields(body, ['token', 'amount']);
    const token = requiredText(body, 'token', tokenLimit);
    learn(call, 'payment', { token, amount: amountOf(body) });
  },
};

function amountOf(body: Readonly<Record<string, unknown>>): number {
  const { amount } = body;
  if (amount === undefined) throw new Refusal('field_missing', 400, 'The field "amount" is missing.');
  if (
    typeof amount !== 'number' ||
    !(amount > 0) ||
    amount > amountLimit ||
    !/^\d+(?:\.\d{1,2})?$/.test(String(amount))
  )
    throw new Refusal('field_invalid', 400, 'The field "amount" must be a positive number with two decimals at most.');
  return amount;
}
