import type { Statements } from '../platform/database.ts';
import { instant, integer, json, optionalInstant, optionalText, type Row, text, texts } from '../platform/row.ts';
import { SELECTORS, type Selection } from './denial.ts';
import { isRecord } from './shape.ts';
import type { TokenFacts } from './token.ts';

/** Where denials are told to every process. */
export const DENIAL_CHANNEL = 'tokens_denied';

/** Tokens in one list at most: what a portal shows of one client or customer. */
const MAXIMUM_LIST = 500;

const COLUMNS =
  'bank, hash, format, kind, client, participant, customer, subject, scopes, consent, audience, thumbprint, issued_at, expires_at, denied_at';

/** A kept token. */
export interface TokenRow {
  readonly hash: string;
  readonly facts: TokenFacts;
  readonly deniedAt: Date | undefined;
}

/** An issued token that is to be kept. */
export interface NewToken {
  readonly hash: string;
  readonly facts: TokenFacts;
  readonly payload: Readonly<Record<string, unknown>> | undefined;
}

/** Writes issued tokens; for each whether it was written: false when its hash is taken, also by one before it. */
export async function insertTokens(statements: Statements, tokens: readonly NewToken[]): Promise<readonly boolean[]> {
  const rows = await statements.query(
    `INSERT INTO tokens.access_tokens (bank, hash, format, kind, client, participant, customer, subject, scopes, consent,
       audience, thumbprint, issued_at, expires_at, payload)
     SELECT bank, hash, format, kind, client, participant, customer, subject,
            ARRAY(SELECT jsonb_array_elements_text(scopes)), consent, audience, thumbprint, "issuedAt", "expiresAt", payload
       FROM jsonb_to_recordset($1::jsonb) AS new(bank text, hash text, format text, kind text, client text,
            participant text, customer text, subject text, scopes jsonb, consent text, audience text, thumbprint text,
            "issuedAt" timestamptz, "expiresAt" timestamptz, payload jsonb)
     ON CONFLICT (bank, hash) DO NOTHING RETURNING bank, hash`,
    [JSON.stringify(tokens.map(({ hash, facts, payload }) => ({ ...facts, hash, payload })))],
  );
  const written = new Set(rows.map((row) => `${text(row, 'bank')}\n${text(row, 'hash')}`));
  return tokens.map(({ hash, facts }) => written.delete(`${facts.bank}\n${hash}`));
}

/** The kept token of one format: the id of a JWT is no opaque token. */
export async function findToken(
  statements: Statements,
  bank: string,
  hash: string,
  format: TokenFacts['format'],
): Promise<TokenRow | undefined> {
  const rows = await statements.query(
    `SELECT ${COLUMNS} FROM tokens.access_tokens WHERE bank = $1 AND hash = $2 AND format = $3`,
    [bank, hash, format],
  );
  return rows[0] === undefined ? undefined : tokenOf(rows[0]);
}

/** The engine's payload of a token that is neither denied nor expired. */
export async function findLivePayload(
  statements: Statements,
  bank: string,
  hash: string,
  at: Date,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const rows = await statements.query(
    `SELECT payload FROM tokens.access_tokens
      WHERE bank = $1 AND hash = $2 AND format = 'opaque' AND denied_at IS NULL AND expires_at > $3`,
    [bank, hash, at],
  );
  if (rows[0] === undefined) return undefined;
  const payload = json(rows[0], 'payload');
  if (!isRecord(payload)) throw new Error('an opaque token has no payload');
  return payload;
}

/** Denies the selected live tokens, locked in one order so that two denials never wait for each other, and counts them. */
export async function denyTokens(statements: Statements, selection: Selection, at: Date): Promise<number> {
  const values: unknown[] = [at];
  const rows = await statements.query(
    `WITH live AS (
       SELECT bank, hash FROM tokens.access_tokens
        WHERE ${conditionsOf(selection, values)} AND denied_at IS NULL AND expires_at > $1
        ORDER BY bank, hash FOR UPDATE
     ), denied AS (
       UPDATE tokens.access_tokens AS kept SET denied_at = $1
         FROM live WHERE kept.bank = live.bank AND kept.hash = live.hash RETURNING kept.hash
     )
     SELECT count(*)::int AS denied FROM denied`,
    values,
  );
  return rows[0] === undefined ? 0 : integer(rows[0], 'denied');
}

/** Tells every process, when the transaction commits, what was denied. */
export async function announceDenial(statements: Statements, notice: string): Promise<void> {
  await statements.query('SELECT pg_notify($1, $2)', [DENIAL_CHANNEL, notice]);
}

/** Selected tokens that are neither denied nor expired, newest first. */
export async function listTokens(
  statements: Statements,
  selection: Selection,
  at: Date,
): Promise<readonly TokenFacts[]> {
  const values: unknown[] = [at];
  const conditions = conditionsOf(selection, values);
  const rows = await statements.query(
    `SELECT ${COLUMNS} FROM tokens.access_tokens WHERE ${conditions} AND denied_at IS NULL AND expires_at > $1
      ORDER BY issued_at DESC, hash LIMIT $${values.push(MAXIMUM_LIST)}`,
    values,
  );
  return rows.map((row) => tokenOf(row).facts);
}

/** Removes at most `limit` tokens that expired before `before`, leaving alone what another process removes; gives how many. By address, because a join makes PostgreSQL read the whole table. */
export async function removeExpired(statements: Statements, before: Date, limit: number): Promise<number> {
  const rows = await statements.query(
    `WITH removed AS (
       DELETE FROM tokens.access_tokens WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM tokens.access_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
       )) RETURNING hash
     )
     SELECT count(*)::int AS removed FROM removed`,
    [before, limit],
  );
  return rows[0] === undefined ? 0 : integer(rows[0], 'removed');
}

/** The columns are our own words; the values travel as parameters. */
function conditionsOf(selection: Selection, values: unknown[]): string {
  const given = (['bank', ...SELECTORS] as const).filter((member) => selection[member] !== undefined);
  return given.map((member) => `${member} = $${values.push(selection[member])}`).join(' AND ');
}

function tokenOf(row: Row): TokenRow {
  return {
    hash: text(row, 'hash'),
    deniedAt: optionalInstant(row, 'denied_at'),
    facts: {
      bank: text(row, 'bank'),
      format: oneOf(['opaque', 'jwt'], text(row, 'format')),
      kind: oneOf(['customer', 'participant'], text(row, 'kind')),
      client: text(row, 'client'),
      participant: text(row, 'participant'),
      customer: optionalText(row, 'customer'),
      subject: text(row, 'subject'),
      scopes: texts(row, 'scopes'),
      consent: optionalText(row, 'consent'),
      audience: text(row, 'audience'),
      thumbprint: optionalText(row, 'thumbprint'),
      issuedAt: instant(row, 'issued_at'),
      expiresAt: instant(row, 'expires_at'),
    },
  };
}

function oneOf<T extends string>(known: readonly T[], value: string): T {
  const found = known.find((item) => item === value);
  if (found === undefined) throw new Error(`the database gave an unknown word: ${value}`);
  return found;
}
