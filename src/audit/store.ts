import type { Statement, Statements } from '../platform/database.ts';
import { isRecord } from '../platform/json.ts';
import { instant, integer, json, optionalText, type Row, text } from '../platform/row.ts';
import type { AuditFilter, AuditRecord } from './event.ts';
import { isAuditFamily, isAuditOutcome } from './event.ts';
import type { Head, LinkedRecord, NewRecord } from './record.ts';

/** A chain as it stands; `base` is what retention has removed up to, `last` the newest record there is. */
export interface Chain {
  readonly chain: string;
  readonly ordinal: number;
  readonly base: Head;
  readonly head: Head;
  readonly last: number | undefined;
}

const DEFAULT_PAGE = 100;
/** Records of one page; a caller that wants more asks again with `after`. */
const MAXIMUM_PAGE = 1_000;

const EVENT_COLUMNS =
  'chain, sequence, at, family, action, outcome, bank, participant, client, subject, consent, interaction, reason, detail, facts, previous_hash, hash';

/** Counts one more chain and gives its ordinal; the trail's one row stays locked until the transaction ends. */
export async function countChain(statements: Statements, chain: string): Promise<number> {
  const [row] = await statements.query(
    'UPDATE audit.trail SET chains = chains + 1, last_chain = $1::uuid WHERE id = 1 RETURNING chains',
    [chain],
  );
  if (row === undefined) throw new Error('audit.trail has no row: the trail was tampered with');
  return integer(row, 'chains');
}

/** How many chains were ever begun, and the last of them. */
export async function readTrail(statements: Statements): Promise<{ chains: number; lastChain: string | undefined }> {
  const [row] = await statements.query('SELECT chains, last_chain::text AS last_chain FROM audit.trail WHERE id = 1');
  if (row === undefined) return { chains: 0, lastChain: undefined };
  return { chains: integer(row, 'chains'), lastChain: optionalText(row, 'last_chain') };
}

/** Enters a chain that has no record yet. */
export async function insertChain(
  statements: Statements,
  chain: { chain: string; ordinal: number; kind: string; startedAt: Date; head: Head },
): Promise<void> {
  const { sequence, hash } = chain.head;
  await statements.query(
    `INSERT INTO audit.chains (chain, ordinal, kind, started_at, base_sequence, base_hash, head_sequence, head_hash)
     VALUES ($1::uuid, $2, $3, $4::timestamptz, $5, $6, $5, $6)`,
    [chain.chain, chain.ordinal, chain.kind, chain.startedAt.toISOString(), sequence, hash],
  );
}

/** Heads of the newest chains. */
export async function recentHeads(
  statements: Statements,
  limit: number,
): Promise<readonly { chain: string; head: Head }[]> {
  const rows = await statements.query(
    'SELECT chain::text AS chain, head_sequence, head_hash FROM audit.chains ORDER BY ordinal DESC LIMIT $1',
    [limit],
  );
  return rows.map(toHead);
}

/** Locks one of the chains that no other transaction holds, or waits for one, in turns, when all are held. */
export async function lockHead(
  statements: Statements,
  chains: readonly string[],
  turn: number,
): Promise<{ chain: string; head: Head }> {
  const select = 'SELECT chain::text AS chain, head_sequence, head_hash FROM audit.chains WHERE chain';
  const [free] = await statements.query(`${select} = ANY($1::uuid[]) ORDER BY ordinal LIMIT 1 FOR UPDATE SKIP LOCKED`, [
    chains,
  ]);
  if (free !== undefined) return toHead(free);
  const [row] = await statements.query(`${select} = $1::uuid FOR UPDATE`, [chains[turn % chains.length]]);
  if (row === undefined) throw new Error('a chain of this process is gone from audit.chains');
  return toHead(row);
}

/** The chain's head now; undefined when the chain is gone. */
export async function findHead(statements: Statements, chain: string): Promise<Head | undefined> {
  const [row] = await statements.query(
    'SELECT chain::text AS chain, head_sequence, head_hash FROM audit.chains WHERE chain = $1::uuid',
    [chain],
  );
  return row === undefined ? undefined : toHead(row).head;
}

/** Appends records, linked in order from `from`, in one statement; false, and nothing written, when the head has moved. */
export async function append(
  statements: Statements,
  chain: string,
  from: Head,
  records: readonly NewRecord[],
): Promise<boolean> {
  if (records.length === 0) return true;
  const [row] = await statements.query(`${APPEND} SELECT count(*) AS written FROM written`, [
    ...appendValues(chain, from, records),
  ]);
  return row !== undefined && integer(row, 'written') === records.length;
}

/** As `append`, for a transaction whose statements are sent at once: when the head has moved it fails, and all of them. */
export function appending(chain: string, from: Head, records: readonly NewRecord[]): Statement {
  return {
    text: `${APPEND} SELECT CASE WHEN count(*) = $7 THEN count(*) ELSE (${MOVED} || count(*))::bigint END FROM written`,
    values: [...appendValues(chain, from, records), records.length],
  };
}

/** What is no number makes the statement fail, with these words. */
const MOVED = "'the audit chain is not as its writer left it, records written: '";

const APPEND = `WITH moved AS (
       UPDATE audit.chains SET head_sequence = $2, head_hash = $3
       WHERE chain = $1::uuid AND head_sequence = $4 AND head_hash = $5 RETURNING chain
     ), written AS (
       INSERT INTO audit.events (${EVENT_COLUMNS})
       SELECT moved.chain, (r->>1)::bigint, timestamptz 'epoch' + (r->>3)::bigint * interval '1 millisecond',
              r->>4, r->>5, r->>6, r->>7, r->>8, r->>9, r->>10, r->>11, r->>12, r->>13, r->>14,
              r->16, r->>2, r->>17
       FROM moved, jsonb_array_elements($6::jsonb) AS r
       RETURNING 1
     )`;

function appendValues(chain: string, from: Head, records: readonly NewRecord[]): readonly unknown[] {
  const last = records.at(-1) ?? from;
  // Each record is its canonical form, an array in a fixed order, with its facts as an object and its hash behind.
  const rows = records.map(({ canonical, facts, hash }) => `${canonical.slice(0, -1)},${facts},"${hash}"]`).join(',');
  return [chain, last.sequence, last.hash, from.sequence, from.hash, `[${rows}]`];
}

/** Chains in the order they were begun, each with its newest record, seen in one moment. */
export async function chainsAfter(statements: Statements, ordinal: number, limit: number): Promise<readonly Chain[]> {
  const rows = await statements.query(`${SELECT_CHAIN} WHERE c.ordinal > $1 ORDER BY c.ordinal LIMIT $2`, [
    ordinal,
    limit,
  ]);
  return rows.map(toChain);
}

/** One chain as it stands now. */
export async function findChain(statements: Statements, chain: string): Promise<Chain | undefined> {
  const [row] = await statements.query(`${SELECT_CHAIN} WHERE c.chain = $1::uuid`, [chain]);
  return row === undefined ? undefined : toChain(row);
}

const SELECT_CHAIN = `SELECT c.chain::text AS chain, c.ordinal, c.base_sequence, c.base_hash, c.head_sequence, c.head_hash,
  (SELECT max(e.sequence) FROM audit.events e WHERE e.chain = c.chain) AS last FROM audit.chains c`;

/** Records of a chain in order, after one sequence and up to another. */
export async function recordsBetween(
  statements: Statements,
  chain: string,
  after: number,
  upTo: number,
  limit: number,
): Promise<readonly LinkedRecord[]> {
  const rows = await statements.query(
    `SELECT ${EVENT_COLUMNS} FROM audit.events
     WHERE chain = $1::uuid AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4`,
    [chain, after, upTo, limit],
  );
  return rows.map(toLinkedRecord);
}

/** True when a record of the chain, wherever it stands, names `previousHash` as the one before it. */
export async function hasSuccessor(statements: Statements, chain: string, previousHash: string): Promise<boolean> {
  const rows = await statements.query(
    'SELECT sequence FROM audit.events WHERE chain = $1::uuid AND previous_hash = $2 LIMIT 1',
    [chain, previousHash],
  );
  return rows.length > 0;
}

/** Of a chain's `limit` oldest records, the last one before the first that is not older than `before`. */
export async function findExpiredEnd(
  statements: Statements,
  chain: Chain,
  before: Date,
  limit: number,
): Promise<Head | undefined> {
  const [row] = await statements.query(
    `WITH oldest AS (
       SELECT sequence, hash, at FROM audit.events WHERE chain = $1::uuid AND sequence > $2 ORDER BY sequence LIMIT $4
     ) SELECT $1 AS chain, sequence AS head_sequence, hash AS head_hash FROM oldest
     WHERE sequence < coalesce((SELECT min(sequence) FROM oldest WHERE at >= $3::timestamptz), 9223372036854775807)
     ORDER BY sequence DESC LIMIT 1`,
    [chain.chain, chain.base.sequence, before.toISOString(), limit],
  );
  return row === undefined ? undefined : toHead(row).head;
}

/** Retention, the one place that removes records: the oldest of a chain, up to and including its new base. */
export async function removeUpTo(statements: Statements, chain: string, base: Head): Promise<number> {
  const [row] = await statements.query(
    `WITH moved AS (
       UPDATE audit.chains SET base_sequence = $2, base_hash = $3
       WHERE chain = $1::uuid AND base_sequence < $2 RETURNING chain
     ), removed AS (
       DELETE FROM audit.events e USING moved WHERE e.chain = moved.chain AND e.sequence <= $2 RETURNING 1
     ) SELECT count(*) AS removed FROM removed`,
    [chain, base.sequence, base.hash],
  );
  return row === undefined ? 0 : integer(row, 'removed');
}

/** A place in a chain that a later chain's first record vouches for. */
export interface Anchor {
  readonly chain: string;
  readonly head: Head;
}

/** For each anchor whose chain is still there: the chain's base, and the hash that stands at the anchored place. */
export async function findAnchored(
  statements: Statements,
  anchors: readonly Anchor[],
): Promise<ReadonlyMap<string, { readonly base: Head; readonly hash: string | undefined }>> {
  const rows = await statements.query(
    `SELECT c.chain::text AS chain, c.base_sequence AS head_sequence, c.base_hash AS head_hash, e.hash AS hash
     FROM unnest($1::text[], $2::bigint[]) AS wanted (chain, sequence)
     JOIN audit.chains c ON c.chain::text = wanted.chain
     LEFT JOIN audit.events e ON e.chain = c.chain AND e.sequence = wanted.sequence`,
    [anchors.map(({ chain }) => chain), anchors.map(({ head }) => head.sequence)],
  );
  return new Map(rows.map((row) => [text(row, 'chain'), { base: toHead(row).head, hash: optionalText(row, 'hash') }]));
}

/** Newest first; a page continues after the last record of the one before. */
export async function searchEvents(statements: Statements, filter: AuditFilter): Promise<readonly AuditRecord[]> {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const place = (value: unknown): string => `$${values.push(value)}`;
  for (const [column, value] of Object.entries(equalities(filter)))
    if (value !== undefined) conditions.push(`${column} = ${place(value)}`);
  if (filter.from !== undefined) conditions.push(`at >= ${place(filter.from.toISOString())}::timestamptz`);
  if (filter.to !== undefined) conditions.push(`at < ${place(filter.to.toISOString())}::timestamptz`);
  if (filter.after !== undefined) {
    const { at, chain, sequence } = filter.after;
    const position = `${place(at.toISOString())}::timestamptz, ${place(chain)}::uuid, ${place(sequence)}`;
    conditions.push(`(at, chain, sequence) < (${position})`);
  }
  const limit = Math.min(Math.max(filter.limit ?? DEFAULT_PAGE, 1), MAXIMUM_PAGE);
  const rows = await statements.query(
    `SELECT ${EVENT_COLUMNS} FROM audit.events ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
     ORDER BY at DESC, chain DESC, sequence DESC LIMIT ${place(limit)}`,
    values,
  );
  return rows.map(toAuditRecord);
}

/** Columns that must equal what the filter gives; the names are ours, never a caller's. */
function equalities(filter: AuditFilter): Readonly<Record<string, string | undefined>> {
  const { bank, participant, client, consent, interaction, family, action, outcome, reason } = filter;
  return { bank, participant, client, consent, interaction, family, action, outcome, reason };
}

function toHead(row: Row): { chain: string; head: Head } {
  return {
    chain: text(row, 'chain'),
    head: { sequence: integer(row, 'head_sequence'), hash: text(row, 'head_hash') },
  };
}

function toChain(row: Row): Chain {
  return {
    ...toHead(row),
    ordinal: integer(row, 'ordinal'),
    base: { sequence: integer(row, 'base_sequence'), hash: text(row, 'base_hash') },
    last: row.last === null ? undefined : integer(row, 'last'),
  };
}

function toLinkedRecord(row: Row): LinkedRecord {
  return {
    chain: text(row, 'chain'),
    sequence: integer(row, 'sequence'),
    // Tampering may have put a time here that no Date holds; it then differs from what was hashed.
    at: row.at instanceof Date ? row.at : new Date(Number.NaN),
    family: text(row, 'family'),
    action: text(row, 'action'),
    outcome: text(row, 'outcome'),
    bank: optionalText(row, 'bank'),
    participant: optionalText(row, 'participant'),
    client: optionalText(row, 'client'),
    subject: optionalText(row, 'subject'),
    consent: optionalText(row, 'consent'),
    interaction: optionalText(row, 'interaction'),
    reason: optionalText(row, 'reason'),
    detail: optionalText(row, 'detail'),
    facts: json(row, 'facts'),
    previousHash: text(row, 'previous_hash'),
    hash: text(row, 'hash'),
  };
}

function toAuditRecord(row: Row): AuditRecord {
  const { family, outcome, facts, previousHash: _, ...record } = toLinkedRecord(row);
  if (!isAuditFamily(family) || !isAuditOutcome(outcome) || !isFacts(facts))
    throw new Error(`audit record ${record.chain} ${record.sequence} was tampered with: run the verification`);
  return { ...record, family, outcome, facts, at: instant(row, 'at') };
}

function isFacts(value: unknown): value is NonNullable<AuditRecord['facts']> {
  return isRecord(value) && Object.values(value).every((fact) => fact === null || typeof fact !== 'object');
}
