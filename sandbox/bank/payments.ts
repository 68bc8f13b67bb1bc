import { randomUUID } from 'node:crypto';
import { readable, readIfThere, writeSecret } from '../authority/files.ts';
import type { Cents } from './money.ts';

/** A payment that was made. */
export interface Payment {
  readonly id: string;
  readonly account: string;
  /** Cents, positive. */
  readonly amount: Cents;
  readonly madeAt: string;
}

/** The payments of a bank, in memory and in a file. */
export interface PaymentBook {
  of(account: string): readonly Payment[];
  /** Enters a payment; it is kept before this returns. */
  enter(account: string, amount: Cents, madeAt: Date): Promise<Payment>;
}

/** Opens the book of a file; without a path it lives in memory alone. */
export async function openPaymentBook(path: string | undefined): Promise<PaymentBook> {
  const payments = path === undefined ? [] : [...(await readPayments(path))];
  let writing = Promise.resolve();
  const save = (): Promise<void> => {
    if (path === undefined) return Promise.resolve();
    // One after the other, so that a later state never loses to an earlier one.
    writing = writing.then(() => writeSecret(path, readable(payments)));
    return writing;
  };
  return {
    of: (account) => payments.filter((payment) => payment.account === account),
    enter: async (account, amount, madeAt) => {
      const payment = { id: `pay-${randomUUID()}`, account, amount, madeAt: madeAt.toISOString() };
      payments.push(payment);
      await save();
      return payment;
    },
  };
}

async function readPayments(path: string): Promise<readonly Payment[]> {
  const kept: unknown = JSON.parse((await readIfThere(path)) ?? '[]');
  if (!Array.isArray(kept) || !kept.every(isPayment)) throw new Error(`${path} holds something that is no payment`);
  return kept;
}

function isPayment(value: unknown): value is Payment {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'account' in value &&
    typeof value.account === 'string' &&
    'amount' in value &&
    Number.isSafeInteger(value.amount) &&
    'madeAt' in value &&
    typeof value.madeAt === 'string'
  );
}
