import { createBatches } from '../platform/batches.ts';
import type { Database, Statements } from '../platform/database.ts';
import { flag, integer, optionalInstant, optionalText, type Row, text } from '../platform/row.ts';

/** One row of the engine's state. */
export interface Artifact {
  readonly payload: string;
  readonly sealed: boolean;
  readonly consumedAt: Date | undefined;
}

/** What is written for an artifact. */
export interface NewArtifact {
  readonly id: string;
  readonly grant: string | undefined;
  readonly uid: string | undefined;
  readonly payload: string;
  readonly sealed: boolean;
  readonly expiresAt: Date;
}

/** How a write treats a row that is already there. */
export type WriteMode = 'insert' | 'replace' | 'insert-once';

/** Rows removed in one go: bounded, so that a clean-up never holds the table. */
const SWEEP_BATCH = 1_000;
/** Batches of one sweep, so that it ends; the next one continues. */
const SWEEP_BATCHES = 100;

const INSERT = `INSERT INTO oauth.artifacts (bank, model, id, grant_id, uid, payload, sealed, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

const WRITE: Readonly<Record<Exclude<WriteMode, 'insert-once'>, string>> = {
  insert: `${INSERT} RETURNING id`,
  replace: `${INSERT} ON CONFLICT (bank, model, id) DO UPDATE SET grant_id = excluded.grant_id, uid = excluded.uid,
    payload = excluded.payload, sealed = excluded.sealed, expires_at = excluded.expires_at RETURNING id`,
};

/** Marks that are written at the same time go together; while one statement waits for the disk the next is prepared. */
const ONCE_LANES = 2;

/** Somebody was here before. */
class AlreadyThere extends Error {}

interface Mark {
  readonly model: string;
  readonly artifact: NewArtifact;
  readonly now: Date;
}

/** The engine's rows of one bank. */
export interface ArtifactStore {
  /** False when `insert-once` found an unexpired row: somebody was here before. */
  write(model: string, artifact: NewArtifact, mode: WriteMode, now: Date): Promise<boolean>;
  find(model: string, id: string, now: Date): Promise<Artifact | undefined>;
  findByUid(model: string, uid: string, now: Date): Promise<Artifact | undefined>;
  /** One conditional statement: `won` for exactly one caller; the grant is told to the losers, who must revoke it. */
  consume(model: string, id: string, now: Date): Promise<{ readonly won: boolean; readonly grant: string | undefined }>;
  remove(model: string, id: string): Promise<void>;
  removeByGrant(model: string, grant: string): Promise<void>;
  /** Every row of a grant, the grant itself included. */
  removeGrant(grant: string): Promise<void>;
}

/** The store over the platform's database. */
export function createArtifactStore(database: Database, bank: string): ArtifactStore {
  const insertOnce = createBatches<Mark>((marks) => insertMarks(database, bank, marks), ONCE_LANES);
  return {
    write: async (model, artifact, mode, now) => {
      if (mode === 'insert-once') return insertOnce({ model, artifact, now }).then(() => true, isThere);
      const { id, grant, uid, payload, sealed, expiresAt } = artifact;
      const values = [bank, model, id, grant ?? null, uid ?? null, payload, sealed, expiresAt];
      const rows = await database.query(WRITE[mode], values);
      return rows.length === 1;
    },
    find: (model, id, now) => find(database, 'id', [bank, model, id, now]),
    findByUid: (model, uid, now) => find(database, 'uid', [bank, model, uid, now]),
    consume: (model, id, now) => consume(database, bank, model, id, now),
    remove: async (model, id) => {
      await database.query('DELETE FROM oauth.artifacts WHERE bank = $1 AND model = $2 AND id = $3', [bank, model, id]);
    },
    removeByGrant: async (model, grant) => {
      await database.query('DELETE FROM oauth.artifacts WHERE bank = $1 AND model = $2 AND grant_id = $3', [
        bank,
        model,
        grant,
      ]);
    },
    removeGrant: async (grant) => {
      await database.query(
        `DELETE FROM oauth.artifacts WHERE bank = $1 AND (grant_id = $2 OR (model = 'Grant' AND id = $2))`,
        [bank, grant],
      );
    },
  };
}

function isThere(cause: unknown): false {
  if (cause instanceof AlreadyThere) return false;
  throw cause;
}

/** Writes marks of which no unexpired one is there; the first of equal ones counts. In order, so that no two statements wait for each other. */
async function insertMarks(database: Database, bank: string, marks: readonly Mark[]) {
  const keyOf = (model: string, id: string): string => `${model}\n${id}`;
  const rowsIn = new Map(
    marks.toReversed().map(({ model, artifact, now }) => [keyOf(model, artifact.id), { ...artifact, model, now }]),
  );
  const rows = await database.query(
    `INSERT INTO oauth.artifacts AS there (bank, model, id, grant_id, uid, payload, sealed, expires_at)
     SELECT $1, model, id, "grant", uid, payload, sealed, "expiresAt"
       FROM jsonb_to_recordset($2::jsonb) AS new(model text, id text, "grant" text, uid text, payload text,
            sealed boolean, "expiresAt" timestamptz)
      ORDER BY model, id
     ON CONFLICT (bank, model, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at
      WHERE there.expires_at <= $3 RETURNING model, id`,
    [bank, JSON.stringify([...rowsIn.values()]), marks[0]?.now],
  );
  const written = new Set(rows.map((row) => keyOf(text(row, 'model'), text(row, 'id'))));
  return marks.map(({ model, artifact }) =>
    written.delete(keyOf(model, artifact.id)) ? undefined : new AlreadyThere('written before'),
  );
}

/** Whether a grant stands. */
export async function hasGrant(statements: Statements, bank: string, grant: string): Promise<boolean> {
  const rows = await statements.query(
    `SELECT id FROM oauth.artifacts WHERE bank = $1 AND model = 'Grant' AND id = $2`,
    [bank, grant],
  );
  return rows.length === 1;
}

/** Ends grants: codes, refresh tokens and the grants themselves. Gives how many refresh tokens there were. */
export async function removeGrants(statements: Statements, bank: string, grants: readonly string[]): Promise<number> {
  const rows = await statements.query(
    `DELETE FROM oauth.artifacts WHERE bank = $1
       AND (grant_id = ANY($2::text[]) OR (model = 'Grant' AND id = ANY($2::text[]))) RETURNING model`,
    [bank, grants],
  );
  return rows.filter((row) => text(row, 'model') === 'RefreshToken').length;
}

/**
 * Removes expired rows of all banks, leaving alone what another process removes; gives how many. Each authenticated request
 * leaves a replay mark, so that one batch a minute would fall behind.
 */
export async function sweepArtifacts(statements: Statements, now: Date): Promise<number> {
  let removed = 0;
  for (let batch = 0; batch < SWEEP_BATCHES; batch += 1) {
    const [row] = await statements.query(
      `WITH removed AS (
         DELETE FROM oauth.artifacts WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM oauth.artifacts WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
         )) RETURNING id
       )
       SELECT count(*)::int AS removed FROM removed`,
      [now, SWEEP_BATCH],
    );
    const count = row === undefined ? 0 : integer(row, 'removed');
    removed += count;
    if (count < SWEEP_BATCH) break;
  }
  return removed;
}

const SELECT: Readonly<Record<'id' | 'uid', string>> = {
  id: `SELECT payload, sealed, consumed_at FROM oauth.artifacts
    WHERE bank = $1 AND model = $2 AND id = $3 AND expires_at > $4`,
  uid: `SELECT payload, sealed, consumed_at FROM oauth.artifacts
    WHERE bank = $1 AND model = $2 AND uid = $3 AND expires_at > $4`,
};

async function find(database: Database, by: 'id' | 'uid', values: readonly unknown[]): Promise<Artifact | undefined> {
  const [row] = await database.query(SELECT[by], values);
  return row === undefined ? undefined : artifactOf(row);
}

async function consume(database: Database, bank: string, model: string, id: string, now: Date) {
  const [won] = await database.query(
    `UPDATE oauth.artifacts SET consumed_at = $4
      WHERE bank = $1 AND model = $2 AND id = $3 AND consumed_at IS NULL RETURNING grant_id`,
    [bank, model, id, now],
  );
  if (won !== undefined) return { won: true, grant: optionalText(won, 'grant_id') };
  const [lost] = await database.query(
    'SELECT grant_id FROM oauth.artifacts WHERE bank = $1 AND model = $2 AND id = $3',
    [bank, model, id],
  );
  return { won: false, grant: lost === undefined ? undefined : optionalText(lost, 'grant_id') };
}

function artifactOf(row: Row): Artifact {
  return {
    payload: text(row, 'payload'),
    sealed: flag(row, 'sealed'),
    consumedAt: optionalInstant(row, 'consumed_at'),
  };
}
