import type { Statement, Statements } from '../platform/database.ts';
import { isRecord } from '../platform/json.ts';
import { instant, integer, json, optionalInstant, optionalText, type Row, text, texts } from '../platform/row.ts';
import { SELECTORS, type Selection } from './denial.ts';
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
  /** The engine's own record, as JSON. */
  readonly payload: string | undefined;
}

/** Writes issued tokens: all of them, or none when the hash of one is taken. */
export function insertingTokens(tokens: readonly NewToken[]): Statement {
  return {
    text: `INSERT INTO tokens.access_tokens (bank, hash, format, kind, client, participant, customer, subject, scopes, consent,
       audience, thumbprint, issued_at, expires_at, payload)
     SELECT r->>0, r->>1, r->>2, r->>3, r->>4, r->>5, r->>6, r->>7, ARRAY(SELECT jsonb_array_elements_text(r->8)), r->>9,
            r->>10, r->>11, timestamptz 'epoch' + (r->>12)::bigint * interval '1 millisecond',
            timestamptz 'epoch' + (r->>13)::bigint * interval '1 millisecond', nullif(r->14, 'null')
       FROM jsonb_array_elements($1::jsonb) AS r`,
    values: [`[${tokens.map(rowOf).join(',')}]`],
  };
}

/** The row as JSON; the payload is JSON already. */
function rowOf({ hash, facts, payload }: NewToken): string {
  const row = [
    facts.bank,
    hash,
    facts.format,
    facts.kind,
    facts.client,
    facts.participant,
    facts.customer ?? null,
    facts.subject,
    facts.scopes,
    facts.consent ?? null,
    facts.audience,
    facts.thumbprint ?? null,
    facts.issuedAt.getTime(),
    facts.expiresAt.getTime(),
  ];
  return `${JSON.stringify(row).slice(0, -1)},${payload ?? 'null'}]`;
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
