import type { Statements } from '../platform/database.ts';
import { instant, integer, optionalInstant, optionalText, type Row, text } from '../platform/row.ts';
import { isSigningAlgorithm, type SigningAlgorithm } from './signing-key.ts';

/** A signing key as it is kept. */
export interface SigningKeyRow {
  readonly bank: string;
  readonly generation: number;
  readonly algorithm: SigningAlgorithm;
  readonly kid: string;
  readonly sealedKey: string;
  /** When it is no longer published; undefined while its generation is current. */
  readonly retiresAt: Date | undefined;
}

/** An account number as it is kept: by the keyed hash of its token. */
export interface AccountTokenRow {
  readonly bank: string;
  readonly tokenHash: string;
  readonly reference: string;
  readonly customer: string;
  readonly account: string;
  readonly sealedNumber: string;
  readonly maskedNumber: string;
  readonly consent: string | undefined;
  readonly participant: string | undefined;
  readonly createdAt: Date;
}

/** Keys that are published at `at`, newest generation first. */
export async function publishedKeys(statements: Statements, bank: string, at: Date): Promise<readonly SigningKeyRow[]> {
  const rows = await statements.query(
    `SELECT bank, generation, algorithm, kid, sealed_key, retires_at FROM vault.signing_keys
     WHERE bank = $1 AND (retires_at IS NULL OR retires_at > $2::timestamptz) ORDER BY generation DESC, algorithm`,
    [bank, at.toISOString()],
  );
  return rows.map(toSigningKey);
}

/** Enters a generation whole, unless the bank has it already; true when it was entered. */
export async function insertGeneration(
  statements: Statements,
  keys: readonly Omit<SigningKeyRow, 'retiresAt'>[],
  at: Date,
): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO vault.signing_keys (bank, generation, algorithm, kid, sealed_key, created_at)
     SELECT k.bank, k.generation, k.algorithm, k.kid, k."sealedKey", $2::timestamptz
     FROM json_to_recordset($1::json)
       AS k(bank text, generation integer, algorithm text, kid text, "sealedKey" text)
     ON CONFLICT (bank, generation, algorithm) DO NOTHING RETURNING kid`,
    [JSON.stringify(keys), at.toISOString()],
  );
  return rows.length === keys.length;
}

/** Ends a generation's time as the current one; false when somebody else has. */
export async function retireGeneration(
  statements: Statements,
  generation: { readonly bank: string; readonly generation: number; readonly retiresAt: Date },
): Promise<boolean> {
  const rows = await statements.query(
    `UPDATE vault.signing_keys SET retires_at = $3::timestamptz
     WHERE bank = $1 AND generation = $2 AND retires_at IS NULL RETURNING kid`,
    [generation.bank, generation.generation, generation.retiresAt.toISOString()],
  );
  return rows.length > 0;
}

/** Removes keys that are no longer published: what is gone cannot leak. */
export async function removeRetiredKeys(statements: Statements, bank: string, at: Date): Promise<void> {
  await statements.query('DELETE FROM vault.signing_keys WHERE bank = $1 AND retires_at <= $2::timestamptz', [
    bank,
    at.toISOString(),
  ]);
}

/** Tells every process that a bank's keys changed, when the transaction commits. */
export async function notifyKeysChanged(statements: Statements, channel: string, bank: string): Promise<void> {
  await statements.query('SELECT pg_notify($1, $2)', [channel, bank]);
}

/** A bank's sealed secret for a purpose. */
export async function findSecret(statements: Statements, bank: string, purpose: string): Promise<string | undefined> {
  const [row] = await statements.query('SELECT sealed_secret FROM vault.secrets WHERE bank = $1 AND purpose = $2', [
    bank,
    purpose,
  ]);
  return row === undefined ? undefined : text(row, 'sealed_secret');
}

/** Enters a secret unless there is one: the first of several processes decides. */
export async function insertSecret(
  statements: Statements,
  secret: { readonly bank: string; readonly purpose: string; readonly sealed: string; readonly at: Date },
): Promise<void> {
  await statements.query(
    `INSERT INTO vault.secrets (bank, purpose, sealed_secret, created_at) VALUES ($1, $2, $3, $4::timestamptz)
     ON CONFLICT (bank, purpose) DO NOTHING`,
    [secret.bank, secret.purpose, secret.sealed, secret.at.toISOString()],
  );
}

const TOKEN_COLUMNS =
  'bank, token_hash, reference, customer, account, sealed_number, masked_number, consent, participant, created_at';

/** Enters a token unless the customer has `limit` of them; true when it was entered. */
export async function insertToken(statements: Statements, entry: AccountTokenRow, limit: number): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO vault.account_tokens (${TOKEN_COLUMNS})
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::timestamptz
     WHERE (SELECT count(*) FROM vault.account_tokens WHERE bank = $1 AND customer = $4) < $11
     RETURNING reference`,
    [
      entry.bank,
      entry.tokenHash,
      entry.reference,
      entry.customer,
      entry.account,
      entry.sealedNumber,
      entry.maskedNumber,
      entry.consent ?? null,
      entry.participant ?? null,
      entry.createdAt.toISOString(),
      limit,
    ],
  );
  return rows.length === 1;
}

/** The entry behind a token. */
export async function findToken(
  statements: Statements,
  bank: string,
  tokenHash: string,
): Promise<AccountTokenRow | undefined> {
  const [row] = await statements.query(
    `SELECT ${TOKEN_COLUMNS} FROM vault.account_tokens WHERE bank = $1 AND token_hash = $2`,
    [bank, tokenHash],
  );
  return row === undefined ? undefined : toToken(row);
}

/** Removes an entry by its token's hash or by its reference, and gives its reference. */
export async function removeToken(
  statements: Statements,
  bank: string,
  name: { readonly tokenHash: string } | { readonly reference: string },
): Promise<string | undefined> {
  const [column, value] = 'tokenHash' in name ? ['token_hash', name.tokenHash] : ['reference', name.reference];
  const [row] = await statements.query(
    `DELETE FROM vault.account_tokens WHERE bank = $1 AND ${column} = $2 RETURNING reference`,
    [bank, value],
  );
  return row === undefined ? undefined : text(row, 'reference');
}

/** A customer's entries, newest first. */
export async function customerTokens(
  statements: Statements,
  bank: string,
  customer: string,
  limit: number,
): Promise<readonly AccountTokenRow[]> {
  const rows = await statements.query(
    `SELECT ${TOKEN_COLUMNS} FROM vault.account_tokens WHERE bank = $1 AND customer = $2
     ORDER BY created_at DESC, reference LIMIT $3`,
    [bank, customer, limit],
  );
  return rows.map(toToken);
}

function toSigningKey(row: Row): SigningKeyRow {
  const algorithm = text(row, 'algorithm');
  if (!isSigningAlgorithm(algorithm))
    throw new Error('a signing key in the database has an algorithm that is not ours');
  return {
    bank: text(row, 'bank'),
    generation: integer(row, 'generation'),
    algorithm,
    kid: text(row, 'kid'),
    sealedKey: text(row, 'sealed_key'),
    retiresAt: optionalInstant(row, 'retires_at'),
  };
}

function toToken(row: Row): AccountTokenRow {
  return {
    bank: text(row, 'bank'),
    tokenHash: text(row, 'token_hash'),
    reference: text(row, 'reference'),
    customer: text(row, 'customer'),
    account: text(row, 'account'),
    sealedNumber: text(row, 'sealed_number'),
    maskedNumber: text(row, 'masked_number'),
    consent: optionalText(row, 'consent'),
    participant: optionalText(row, 'participant'),
    createdAt: instant(row, 'created_at'),
  };
}
