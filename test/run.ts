import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { type PostgresServer, startPostgres } from './support/postgres-server.ts';
import { findPrograms } from './support/programs.ts';

const ROOT = join(import.meta.dirname, '..');
const EVERYTHING = ['src/**/*.test.ts', 'sandbox/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'];
/** One test that hangs must not hold up the rest for ever. */
const TEST_LIMIT_MS = 420_000;

/** What a run came to. */
interface Counts {
  readonly tests: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

async function main(patterns: readonly string[]): Promise<boolean> {
  process.chdir(ROOT);
  const files = await findFiles(patterns.length === 0 ? EVERYTHING : patterns);
  if (files.length === 0) throw new Error(`There are no tests in ${patterns.join(' ')}.`);
  const programs = findPrograms();
  process.env.PORTCULLIS_TEST_CHROMIUM = programs.chromium;
  const server = await startPostgres(programs.postgres);
  try {
    return await runTwice(files, server);
  } finally {
    await server.stop();
  }
}

/** Everything on the embedded database, then what uses a database on PostgreSQL as well. */
async function runTwice(files: readonly string[], server: PostgresServer): Promise<boolean> {
  const stop = new AbortController();
  const interrupted = (): void => stop.abort();
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  process.env.PORTCULLIS_TEST_POSTGRES_URL = server.url;
  delete process.env.PORTCULLIS_TEST_DATABASE;
  const embedded = await runTests('embedded database', files, stop.signal);
  process.env.PORTCULLIS_TEST_DATABASE = 'postgres';
  const again = files.filter(usesDatabase);
  const shared = stop.signal.aborted ? undefined : await runTests('PostgreSQL', again, stop.signal);
  const total = shared === undefined ? embedded : sum(embedded, shared);
  report(total);
  return total.failed === 0 && total.passed > 0 && !stop.signal.aborted;
}

async function findFiles(patterns: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for await (const file of glob([...patterns], { cwd: ROOT })) found.add(relative(ROOT, join(ROOT, file)));
  return [...found].filter((file) => file.endsWith('.test.ts')).sort();
}

/** The flows, and every test that opens a database of its own: one connection hides the races of many. */
function usesDatabase(file: string): boolean {
  return (
    file.startsWith('test/flows/') || /\bopen(?:Test|Empty)Database\b/.test(readFileSync(join(ROOT, file), 'utf8'))
  );
}

async function runTests(name: string, files: readonly string[], signal: AbortSignal): Promise<Counts> {
  let counts: Counts = { tests: 0, passed: 0, failed: 0, skipped: 0 };
  if (files.length === 0) return counts;
  process.stdout.write(`\n${files.length} test files on the ${name}\n`);
  const stream = run({
    files: files.map((file) => join(ROOT, file)),
    concurrency: Math.min(availableParallelism(), 4),
    timeout: TEST_LIMIT_MS,
    signal,
  });
  stream.on('test:summary', ({ file, counts: all }) => {
    if (file !== undefined) return;
    const skipped = all.skipped + all.todo;
    counts = { tests: all.tests, passed: all.passed, skipped, failed: all.tests - all.passed - skipped };
  });
  for await (const text of stream.compose(spec)) process.stdout.write(text);
  return counts;
}

function sum(a: Counts, b: Counts): Counts {
  const add = (name: keyof Counts): number => a[name] + b[name];
  return { tests: add('tests'), passed: add('passed'), failed: add('failed'), skipped: add('skipped') };
}

function report({ tests, passed, failed, skipped }: Counts): void {
  const lines = [`# tests ${tests}`, `# pass ${passed}`, `# fail ${failed}`, `# skipped ${skipped}`];
  process.stdout.write(`\n${lines.join('\n')}\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (cause) {
  process.stderr.write(`${cause instanceof Error ? cause.message : 'the tests could not run'}\n`);
  process.exitCode = 1;
}
