import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { type Actor, type AttributeValue, actorKinds, type Consent, type State, type Step, states } from './consent.ts';

/** Narrowing of a list; newest first. */
export interface ListFilter {
  readonly customer?: string | undefined;
  readonly participant?: string | undefined;
  readonly client?: string | undefined;
  readonly state?: State | undefined;
  readonly createdFrom?: number | undefined;
  readonly createdTo?: number | undefined;
  readonly after?: { readonly createdAt: number; readonly id: string } | undefined;
  readonly limit: number;
}

/** A call-back that has not arrived yet. */
export interface Due {
  readonly consent: string;
  readonly attempts: number;
}

/** The store's own storage: one SQLite file. Every change is one conditional statement. */
export interface Ledger {
  find(id: string): Consent | undefined;
  /** False when the id is taken. */
  insert(consent: Consent, step: Step, key: { readonly key: string; readonly digest: string }): boolean;
  /** What an idempotency key was used for. */
  findKey(key: string): { readonly digest: string; readonly consent: string } | undefined;
  /** Writes `next` in place of the version before it; false when that is no longer there. */
  replace(next: Consent, step: Step | undefined, callBack: boolean): boolean;
  list(filter: ListFilter, now: number): readonly Consent[];
  steps(id: string): readonly Step[];
  noteUse(id: string, at: number): void;
  dueCallbacks(now: number): readonly Due[];
  /** Undefined `nextAt`: it arrived. */
  settleCallback(consent: string, nextAt: number | undefined): void;
  /** How SQLite would find a list: for the proof that it uses an index (CLD-53). */
  explainList(filter: ListFilter, now: number): readonly string[];
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS consents (
    id TEXT PRIMARY KEY, participant TEXT NOT NULL, client TEXT NOT NULL, customer TEXT, state TEXT NOT NULL,
    scopes TEXT NOT NULL, accounts TEXT NOT NULL, details TEXT NOT NULL, attributes TEXT NOT NULL,
    created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, last_used_at INTEGER,
    version INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS newest ON consents (created_at DESC, id DESC);
  CREATE INDEX IF NOT EXISTS of_customer ON consents (customer, created_at DESC, id DESC);
  CREATE INDEX IF NOT EXISTS of_participant ON consents (participant, created_at DESC, id DESC);
  CREATE INDEX IF NOT EXISTS of_client ON consents (client, created_at DESC, id DESC);
  CREATE TABLE IF NOT EXISTS steps (
    number INTEGER PRIMARY KEY, consent TEXT NOT NULL REFERENCES consents (id), at INTEGER NOT NULL, action TEXT NOT NULL,
    state TEXT NOT NULL, actor TEXT NOT NULL, reference TEXT NOT NULL, reason TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS of_consent ON steps (consent, number);
  CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, digest TEXT NOT NULL, consent TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS callbacks (consent TEXT PRIMARY KEY, attempts INTEGER NOT NULL, next_at INTEGER NOT NULL) STRICT;
`;

const COLUMNS =
  'id, participant, client, customer, state, scopes, accounts, details, attributes, created_at, changed_at, expires_at, last_used_at, version';

/** Call-backs taken at once. */
const CALLBACKS_AT_ONCE = 50;

/** Opens the file, and makes it when there is none; undefined: in memory alone. */
export function openLedger(file: string | undefined): Ledger {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file ?? ':memory:');
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  database.exec(SCHEMA);
  const prepared = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    const statement = prepared.get(text) ?? database.prepare(text);
    prepared.set(text, statement);
    return statement;
  };
  const together = <T>(work: () => T): T => {
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (cause) {
      database.exec('ROLLBACK');
      throw cause;
    }
  };
  return {
    ...writes(sql, together),
    find: (id) => {
      const row = sql(`SELECT ${COLUMNS} FROM consents WHERE id = ?`).get(id);
      return row === undefined ? undefined : consentOf(row);
    },
    findKey: (key) => {
      const row = sql('SELECT digest, consent FROM keys WHERE key = ?').get(key);
      return row === undefined ? undefined : { digest: text(row.digest), consent: text(row.consent) };
    },
    list: (filter, now) => {
      const { where, values } = conditionsOf(filter, now);
      return sql(listStatement(where))
        .all(...values)
        .map(consentOf);
    },
    steps: (id) =>
      sql('SELECT at, action, state, actor, reference, reason FROM steps WHERE consent = ? ORDER BY number')
        .all(id)
        .map(stepOf),
    dueCallbacks: (now) =>
      sql('SELECT consent, attempts FROM callbacks WHERE next_at <= ? ORDER BY next_at LIMIT ?')
        .all(now, CALLBACKS_AT_ONCE)
        .map((row) => ({ consent: text(row.consent), attempts: number(row.attempts) })),
    explainList: (filter, now) => {
      const { where, values } = conditionsOf(filter, now);
      return sql(`EXPLAIN QUERY PLAN ${listStatement(where)}`)
        .all(...values)
        .map((row) => text(row.detail));
    },
    close: () => database.close(),
  };
}

function writes(
  sql: (text: string) => StatementSync,
  together: <T>(work: () => T) => T,
): Pick<Ledger, 'insert' | 'replace' | 'noteUse' | 'settleCallback'> {
  const addStep = (consent: string, { at, action, state, actor }: Step): void => {
    sql('INSERT INTO steps (consent, at, action, state, actor, reference, reason) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      consent,
      at,
      action,
      state,
      actor.kind,
      actor.reference,
      actor.reason ?? null,
    );
  };
  return {
    insert: (consent, step, { key, digest }) =>
      together(() => {
        const values = [...membersOf(consent), consent.createdAt, consent.id];
        const done = sql(
          `INSERT INTO consents (participant, client, customer, state, scopes, accounts, details, attributes, changed_at,
             expires_at, last_used_at, version, created_at, id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        ).run(...values);
        if (done.changes === 0) return false;
        addStep(consent.id, step);
        sql('INSERT INTO keys (key, digest, consent) VALUES (?, ?, ?)').run(key, digest, consent.id);
        return true;
      }),
    replace: (next, step, callBack) =>
      together(() => {
        const done = sql(
          `UPDATE consents SET participant = ?, client = ?, customer = ?, state = ?, scopes = ?, accounts = ?, details = ?,
             attributes = ?, changed_at = ?, expires_at = ?, last_used_at = ?, version = ?
           WHERE id = ? AND version = ?`,
        ).run(...membersOf(next), next.id, next.version - 1);
        if (done.changes === 0) return false;
        if (step !== undefined) addStep(next.id, step);
        if (callBack)
          sql(
            'INSERT INTO callbacks (consent, attempts, next_at) VALUES (?, 0, 0) ON CONFLICT DO UPDATE SET attempts = 0, next_at = 0',
          ).run(next.id);
        return true;
      }),
    noteUse: (id, at) => {
      sql('UPDATE consents SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)').run(
        at,
        id,
        at,
      );
    },
    settleCallback: (consent, nextAt) => {
      if (nextAt === undefined) sql('DELETE FROM callbacks WHERE consent = ?').run(consent);
      else sql('UPDATE callbacks SET attempts = attempts + 1, next_at = ? WHERE consent = ?').run(nextAt, consent);
    },
  };
}

function membersOf(consent: Consent): (string | number | null)[] {
  const { participant, client, customer, state, changedAt, expiresAt, lastUsedAt, version } = consent;
  const lists = [consent.scopes, consent.accounts, consent.authorizationDetails, consent.attributes];
  const texts = lists.map((list) => JSON.stringify(list));
  return [participant, client, customer, state, ...texts, changedAt, expiresAt, lastUsedAt, version];
}

function listStatement(where: string): string {
  return `SELECT ${COLUMNS} FROM consents WHERE ${where} ORDER BY created_at DESC, id DESC LIMIT ?`;
}

function conditionsOf(filter: ListFilter, now: number): { where: string; values: (string | number)[] } {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const narrow = (condition: string, ...given: readonly (string | number | undefined)[]): void => {
    const known = given.filter((value) => value !== undefined);
    if (known.length !== given.length) return;
    conditions.push(condition);
    values.push(...known);
  };
  narrow('customer = ?', filter.customer);
  narrow('participant = ?', filter.participant);
  narrow('client = ?', filter.client);
  narrow('created_at >= ?', filter.createdFrom);
  narrow('created_at <= ?', filter.createdTo);
  narrow('(created_at, id) < (?, ?)', filter.after?.createdAt, filter.after?.id);
  narrow(
    `CASE WHEN expires_at > ? THEN state WHEN state = 'Authorised' THEN 'Expired' WHEN state = 'Awaiting' THEN 'Rejected' ELSE state END = ?`,
    now,
    filter.state,
  );
  return { where: conditions.length === 0 ? 'TRUE' : conditions.join(' AND '), values: [...values, filter.limit] };
}

type Row = Record<string, SQLOutputValue>;

function consentOf(row: Row): Consent {
  return {
    id: text(row.id),
    participant: text(row.participant),
    client: text(row.client),
    customer: row.customer === null ? null : text(row.customer),
    state: oneOf(states, text(row.state)),
    scopes: texts(row.scopes),
    accounts: texts(row.accounts),
    authorizationDetails: listOf(row.details),
    attributes: attributesOf(row.attributes),
    createdAt: number(row.created_at),
    changedAt: number(row.changed_at),
    expiresAt: number(row.expires_at),
    lastUsedAt: row.last_used_at === null ? null : number(row.last_used_at),
    version: number(row.version),
  };
}

const actions = ['create', 'authorise', 'reject', 'consume', 'revoke', 'expire'] as const;

function stepOf(row: Row): Step {
  const actor: Actor = {
    kind: oneOf(actorKinds, text(row.actor)),
    reference: text(row.reference),
    reason: row.reason === null ? undefined : text(row.reason),
  };
  return { at: number(row.at), action: oneOf(actions, text(row.action)), state: oneOf(states, text(row.state)), actor };
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('the file holds no text where one is due');
  return value;
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('the file holds no number where one is due');
  return value;
}

function listOf(value: unknown): readonly unknown[] {
  const list: unknown = JSON.parse(text(value));
  if (!Array.isArray(list)) throw new Error('the file holds no list where one is due');
  return list;
}

function texts(value: unknown): readonly string[] {
  return listOf(value).map(text);
}

function attributesOf(value: unknown): Readonly<Record<string, AttributeValue>> {
  const record: unknown = JSON.parse(text(value));
  if (typeof record !== 'object' || record === null) throw new Error('the file holds no attributes');
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, AttributeValue] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );
}

function oneOf<T extends string>(known: readonly T[], value: string): T {
  const found = known.find((item) => item === value);
  if (found === undefined) throw new Error('the file holds an unknown word');
  return found;
}
