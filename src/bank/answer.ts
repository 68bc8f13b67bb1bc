import { isRecord } from '../platform/json.ts';
import type { Account, Customer } from './bank.ts';

/** More accounts than any customer has: a bank that sends more is not answering our question. */
const MAXIMUM_ACCOUNTS = 1_000;
/** Longest id; it becomes part of a path and of rows. */
const MAXIMUM_ID_CHARACTERS = 128;
/** Longest name of a person, account or kind of account. */
const MAXIMUM_TEXT_CHARACTERS = 200;

const CURRENCY = /^[A-Z]{3}$/;
/** At most four characters in the clear: pages never show more, whatever the bank sends. */
const MASKED_NUMBER = /^\*{2,30}[0-9A-Za-z]{0,4}$/;
/** IBANs, and national numbers with or without blanks. */
const ACCOUNT_NUMBER = /^[0-9A-Za-z][0-9A-Za-z -]{2,40}[0-9A-Za-z]$/;

/** `{"id","name"}` of a customer; undefined when it is anything else. Members we do not know are left aside. */
export function parseCustomer(value: unknown): Customer | undefined {
  if (!isRecord(value) || !isId(value.id) || !isText(value.name)) return undefined;
  return { id: value.id, name: value.name };
}

/** `{"accounts":[…]}` with distinct ids; undefined when any of them is malformed: half a list is none. */
export function parseAccounts(value: unknown): readonly Account[] | undefined {
  if (!isRecord(value) || !Array.isArray(value.accounts) || value.accounts.length > MAXIMUM_ACCOUNTS) return undefined;
  const accounts = value.accounts.map(parseAccount).filter((account) => account !== undefined);
  const distinct = new Set(accounts.map((account) => account.id));
  return distinct.size === value.accounts.length ? accounts : undefined;
}

/** `{"number"}`; undefined when it is anything else. */
export function parseNumber(value: unknown): string | undefined {
  if (!isRecord(value) || typeof value.number !== 'string') return undefined;
  return ACCOUNT_NUMBER.test(value.number) ? value.number : undefined;
}

function parseAccount(value: unknown): Account | undefined {
  if (!isRecord(value)) return undefined;
  const { id, name, type, currency, maskedNumber } = value;
  if (!isId(id) || !isText(name) || !isText(type)) return undefined;
  if (typeof currency !== 'string' || !CURRENCY.test(currency)) return undefined;
  if (typeof maskedNumber !== 'string' || !MASKED_NUMBER.test(maskedNumber)) return undefined;
  return { id, name, type, currency, maskedNumber };
}

function isText(value: unknown, maximum = MAXIMUM_TEXT_CHARACTERS): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= maximum && !/\p{Cc}/u.test(value);
}

function isId(value: unknown): value is string {
  return isText(value, MAXIMUM_ID_CHARACTERS) && value !== '.' && value !== '..';
}
