import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, Statements } from './database.ts';
import { sha256 } from './random.ts';
import { text } from './row.ts';

/** One file of `migrations/`: plain SQL, applied once, in the order of the names. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Any number will do as long as every process uses the same: it keeps two starting processes from migrating at once. */
const MIGRATION_LOCK = 7_268_401;
const NAME = /^\d{4}-[a-z0-9-]+\.sql$/;

/** The migrations in `directory`, in order. @throws Error when a name is not `0001-what.sql`. */
export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) throw new Error(`migration ${wrong}: name it like 0001-what.sql`);
  return Promise.all(names.map(async (name) => ({ name, sql: await readFile(join(directory, name), 'utf8') })));
}

/**
 * Applies what is missing, all in one transaction, and gives the names applied.
 * @throws Error when a migration that was applied before has since changed: migrations go forward only.
 */
export async function migrate(
  database: Pick<Database, 'transaction'>,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  return database.transaction(async (statements) => {
    // Waiting for another process that migrates, or filling a large table, may take longer than a request may.
    await statements.query('SET LOCAL statement_timeout = 0');
    await statements.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const applied = await readApplied(statements);
    const missing = migrations.filter((migration) => !applied.has(migration.name));
    checkUnchanged(applied, migrations);
    for (const migration of missing) await apply(statements, migration);
    return missing.map((migration) => migration.name);
  });
}

/** True when every migration is in the database: part of readiness. */
export async function isMigrated(database: Database, migrations: readonly Migration[]): Promise<boolean> {
  const rows = await database.query('SELECT name FROM platform.migrations');
  const applied = new Set(rows.map((row) => text(row, 'name')));
  return migrations.every((migration) => applied.has(migration.name));
}

async function readApplied(statements: Statements): Promise<ReadonlyMap<string, string>> {
  await statements.query('CREATE SCHEMA IF NOT EXISTS platform');
  await statements.query(
    'CREATE TABLE IF NOT EXISTS platform.migrations (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const rows = await statements.query('SELECT name, sha256 FROM platform.migrations');
  return new Map(rows.map((row) => [text(row, 'name'), text(row, 'sha256')]));
}

function checkUnchanged(applied: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  const changed = migrations.find((item) => applied.has(item.name) && applied.get(item.name) !== sha256(item.sql));
  if (changed !== undefined)
    throw new Error(`migration ${changed.name} changed after it was applied: add a new one instead`);
}

async function apply(statements: Statements, migration: Migration): Promise<void> {
  for (const statement of splitStatements(migration.sql)) await statements.query(statement);
  await statements.query('INSERT INTO platform.migrations (name, sha256) VALUES ($1, $2)', [
    migration.name,
    sha256(migration.sql),
  ]);
}

/** Migrations end each statement with `;` at the end of a line and use no function bodies: a simple split is exact. */
function splitStatements(sql: string): readonly string[] {
  return sql
    .replaceAll(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
