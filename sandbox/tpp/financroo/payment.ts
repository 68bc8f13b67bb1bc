import { randomUUID } from 'node:crypto';
import { clientCredentialsGrant } from 'openid-client';
import type { Account } from './account-data.ts';
import { type ApiAnswer, askFor, callApi, refusalIn } from './bank-api.ts';
import type { BankClient } from './bank-client.ts';
import type { Log, Recorder } from './messages.ts';
import type { Cents } from './money.ts';
import { PermissionEnded, Problem, sentenceOf } from './problem.ts';
import type { Connection, Store } from './store.ts';

/** How a payment ended. */
export type Outcome =
  | { readonly kind: 'approved'; readonly account: string }
  /** The bank decided, and said no. */
  | { readonly kind: 'declined'; readonly reason: string }
  /** It was never made. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Nobody knows whether it was made. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** A payment somebody is about to make; made once, however often the button is pressed. */
export interface Draft {
  readonly id: string;
  readonly connection: string;
  readonly account: Account;
  readonly amount: Cents;
  readonly steps: { readonly at: Date; readonly text: string }[];
  confirmed: boolean;
  outcome: Outcome | undefined;
}

/** What a payment needs. */
export interface PaymentParts {
  readonly store: Store;
  readonly recorder: Recorder;
  readonly now: () => Date;
}

/** A draft. */
export function draftOf(connection: Connection, account: Account, amount: Cents, now: Date): Draft {
  const steps = [{ at: now, text: 'Prepared; nothing was sent yet' }];
  return { id: randomUUID(), connection: connection.id, account, amount, steps, confirmed: false, outcome: undefined };
}

/** Makes the payment of Lab 03: account to token, token and amount to payment. */
export async function pay(draft: Draft, connection: Connection, client: BankClient, log: Log, parts: PaymentParts) {
  const tell = (text: string) => draft.steps.push({ at: parts.now(), text });
  draft.outcome = await parts.recorder.within(log, async (): Promise<Outcome> => {
    let sent = false;
    try {
      const { token, masked } = await tokenize(draft, connection, client, parts);
      tell(`${client.bank.name} replaced account ${masked} by a token`);
      const access = await ownToken(client);
      tell('Financroo got an access token of its own, for payments');
      sent = true;
      const body = { token, amount: draft.amount / 100 };
      return outcomeOf(await callApi(client, access, { method: 'POST', path: '/payments', body }));
    } catch (cause) {
      if (cause instanceof PermissionEnded) return { kind: 'failed', reason: 'Your permission has ended at the bank.' };
      return { kind: sent ? 'unknown' : 'failed', reason: sentenceOf(cause, client.bank.name) };
    }
  });
  tell(`Answer: ${draft.outcome.kind}`);
}

/** With the customer's token: the bank keeps the account's number, Financroo gets a stand-in (Lab 03). */
async function tokenize(draft: Draft, connection: Connection, client: BankClient, { store, now }: PaymentParts) {
  const request = { method: 'POST', path: '/tokenize', body: { account: draft.account.id } } as const;
  const answer = await askFor(connection, client, store, request, now());
  const fields = new Map<string, unknown>(Object.entries(typeof answer === 'object' && answer !== null ? answer : {}));
  const token = fields.get('token');
  if (typeof token !== 'string') throw new Problem(`${client.bank.name} gave no token for this account.`);
  return { token, masked: String(fields.get('account') ?? draft.account.maskedNumber) };
}

/** Client credentials: a token that stands for Financroo, good for payments alone (LAB-24). */
async function ownToken(client: BankClient): Promise<string> {
  const answer = await clientCredentialsGrant(client.configuration(), { scope: 'payments.create' });
  return answer.access_token;
}

/** Declined is a decision; anything the bank refuses to begin with was not made; 5xx leaves it open. */
function outcomeOf({ status, body }: ApiAnswer): Outcome {
  const fields = new Map<string, unknown>(Object.entries(typeof body === 'object' && body !== null ? body : {}));
  if (status === 200 && fields.get('status') === 'APPROVED') {
    return { kind: 'approved', account: String(fields.get('account') ?? '') };
  }
  if (status === 200 && fields.get('status') === 'DECLINED') {
    return { kind: 'declined', reason: String(fields.get('reason') ?? 'the bank gave no reason') };
  }
  const { message, reason } = refusalIn(body);
  if (status >= 400 && status < 500) return { kind: 'failed', reason: `${message} (${reason})` };
  return { kind: 'unknown', reason: `The bank answered ${status}: ${message}` };
}
