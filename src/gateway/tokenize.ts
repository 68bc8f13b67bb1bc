import type { Actor } from '../audit/index.ts';
import { type Call, known, type Rooms } from './call.ts';
import { accountNotInConsent } from './checks/account-in-consent.ts';

/** An answer made here: status and JSON. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Replaces the account of the body by a vault token (LAB-29), limited to this participant and tied to this consent.
 * @throws Refusal `account_not_in_consent` 403 when the bank says the account is not the customer's; those of bank and vault
 */
export async function tokenize(call: Call, rooms: Rooms): Promise<Answer> {
  const { bank } = call;
  const consent = known(call, 'consent');
  const token = known(call, 'token');
  const account = known(call, 'account');
  const customer = consent.customer;
  if (customer === undefined) throw new Error('a consent passed its checks without a customer');
  const number = await bank.accountNumber(customer, account);
  if (number === undefined) throw accountNotInConsent();
  const entry = { bank: bank.id, customer, account, number, consent: consent.id, participant: token.participant };
  const kept = await rooms.database.transaction((statements) => rooms.vault.tokenize(statements, entry, actorOf(call)));
  rooms.consents.touch(bank.id, consent.id);
  return { status: 201, body: { token: kept.token, account: kept.maskedNumber } };
}

/** The participant as the records of other rooms name it. */
export function actorOf(call: Call): Actor & { participant: string; client: string } {
  const { client, participant } = known(call, 'token');
  return { kind: 'participant', reference: client, interaction: call.interaction, participant, client };
}
