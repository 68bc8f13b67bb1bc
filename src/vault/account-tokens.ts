import type { Actor, Audit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { randomToken, uuid } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import { type Envelope, masterKeyIdOf } from './envelope.ts';
import { entryLookedUp, keyUsed, type Lookup, numberForgotten, numberTokenized } from './events.ts';
import type { Secrets } from './secrets.ts';
import * as store from './store.ts';
import type { AccountNumber, AccountToken, Vault } from './vault.ts';

/** The vault's part that replaces account numbers by tokens (LAB-29). */
export type AccountTokens = Pick<Vault, 'tokenize' | 'detokenize' | 'forgetToken' | 'listTokens'>;

/** What account tokens need. */
export interface AccountTokenOptions {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly envelope: Envelope;
  readonly secrets: Secrets;
}

/** Purpose of the bank's secret under which tokens are hashed. */
const HASH_PURPOSE = 'account-token';
/** An IBAN has 34 characters; national forms with bank and branch stay below this. */
const NUMBER = /^[A-Za-z0-9][A-Za-z0-9 ./-]{0,62}[A-Za-z0-9]$/;
/** Entries of one customer: a participant that asks again and again must not fill the vault. */
const MAXIMUM_TOKENS = 500;
const TOKEN = /^vt_[\w-]{43}$/;
const REFERENCE = /^vr_[0-9a-f-]{36}$/;
const SHOWN_DIGITS = 4;

/** Tokens of 256 random bits, kept by keyed hash beside the sealed number. */
export function createAccountTokens(options: AccountTokenOptions): AccountTokens {
  const { database, audit, secrets } = options;
  const tokenHash = async (bank: string, token: string) => (await secrets.hasher(bank, HASH_PURPOSE))(token);
  const find = async (bank: string, token: string) =>
    TOKEN.test(token) ? store.findToken(database, bank, await tokenHash(bank, token)) : undefined;
  return {
    tokenize: (statements, entry, actor) => tokenize(options, statements, entry, actor),
    detokenize: async (bank, token, { participant, client, interaction }) => {
      // A number leaves the vault only when its use can be recorded.
      audit.checkWritable();
      const lookup: Lookup = { bank, participant, client, interaction };
      const entry = checkUsable(audit, lookup, await find(bank, token));
      return openNumber(options, lookup, entry);
    },
    forgetToken: async (bank, token, actor) => {
      const name = await nameOf(token, () => tokenHash(bank, token));
      return name === undefined ? false : forget(options, bank, name, actor);
    },
    listTokens: async (bank, customer) => {
      const entries = await store.customerTokens(database, bank, customer, MAXIMUM_TOKENS);
      return entries.map((entry) => shown(entry, entry.reference));
    },
  };
}

async function tokenize(
  { audit, clock, envelope, secrets }: AccountTokenOptions,
  statements: Parameters<AccountTokens['tokenize']>[0],
  entry: Parameters<AccountTokens['tokenize']>[1],
  actor: Actor,
): Promise<AccountToken> {
  const { number, ...others } = entry;
  if (!NUMBER.test(number))
    throw new Refusal('field_invalid', 400, 'The account number has no form that the vault takes.');
  const token = `vt_${randomToken()}`;
  const reference = `vr_${uuid()}`;
  const hash = await secrets.hasherWithin(statements, entry.bank, HASH_PURPOSE);
  const unsealed = { ...others, reference, tokenHash: hash(token), maskedNumber: mask(number), createdAt: clock.now() };
  const row = { ...unsealed, sealedNumber: await envelope.seal(numberContext(unsealed), Buffer.from(number)) };
  if (!(await store.insertToken(statements, row, MAXIMUM_TOKENS))) throw limitReached();
  await audit.record(statements, numberTokenized(row, actor));
  return shown(row, token);
}

/** The entry, when it exists and the participant may use it. @throws Refusal `not_found` 404, `participant_not_allowed` 403 */
function checkUsable(audit: Audit, lookup: Lookup, entry: store.AccountTokenRow | undefined): store.AccountTokenRow {
  if (entry === undefined) {
    audit.enqueue(entryLookedUp(lookup, { reason: 'not_found' }));
    throw new Refusal('not_found', 404, 'There is no account behind this token.');
  }
  const { reference, consent, participant } = entry;
  if (participant !== undefined && participant !== lookup.participant) {
    audit.enqueue(entryLookedUp(lookup, { reference, consent, reason: 'participant_not_allowed' }));
    throw new Refusal('participant_not_allowed', 403, 'The token was made for another participant.');
  }
  audit.enqueue(entryLookedUp(lookup, { reference, consent }));
  return entry;
}

async function openNumber(
  { audit, envelope }: AccountTokenOptions,
  lookup: Lookup,
  entry: store.AccountTokenRow,
): Promise<AccountNumber> {
  const { reference, sealedNumber, customer, account, consent } = entry;
  const use = { reference, consent, keyId: masterKeyIdOf(sealedNumber) };
  try {
    const number = Buffer.from(await envelope.open(numberContext(entry), sealedNumber)).toString();
    audit.enqueue(keyUsed(lookup, use));
    return { number, customer, account, consent };
  } catch (cause) {
    if (cause instanceof Refusal && cause.code === 'kms_unavailable')
      audit.enqueue(keyUsed(lookup, { ...use, reason: cause.code }));
    throw cause;
  }
}

async function nameOf(token: string, hash: () => Promise<string>) {
  if (REFERENCE.test(token)) return { reference: token };
  return TOKEN.test(token) ? { tokenHash: await hash() } : undefined;
}

async function forget(
  { database, audit }: AccountTokenOptions,
  bank: string,
  name: Parameters<typeof store.removeToken>[2],
  actor: Actor,
): Promise<boolean> {
  return database.transaction(async (statements) => {
    const reference = await store.removeToken(statements, bank, name);
    if (reference === undefined) return false;
    await audit.record(statements, numberForgotten(bank, reference, actor));
    return true;
  });
}

function shown(entry: store.AccountTokenRow, token: string): AccountToken {
  const { bank, customer, account, maskedNumber, createdAt } = entry;
  return { token, bank, customer, account, maskedNumber, createdAt };
}

/** The last four characters, and never more than half of the number. */
function mask(number: string): string {
  const plain = number.replaceAll(/[^A-Za-z0-9]/g, '');
  const length = Math.min(SHOWN_DIGITS, Math.floor(plain.length / 2));
  return `****${plain.slice(plain.length - length)}`;
}

/** A sealed number opens in its own row only, and only while the row says whose it is and who may use it as it did. */
function numberContext(row: Omit<store.AccountTokenRow, 'sealedNumber'>): string {
  const { bank, reference, tokenHash, customer, account, consent = null, participant = null } = row;
  return JSON.stringify(['account-number', bank, reference, tokenHash, customer, account, consent, participant]);
}

function limitReached(): Refusal {
  const sentence = 'The customer has too many account tokens. Remove those that are no longer used.';
  return new Refusal('token_limit_reached', 409, sentence);
}
