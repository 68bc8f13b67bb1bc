import { readFileSync } from 'node:fs';
import { glob, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { COVERAGE, COVERED_ROOM, type Covered, coverageLines, isEnough } from './coverage.ts';
import { makeDatabaseTemplates } from './support/database-templates.ts';
import { startPostgres } from './support/postgres-server.ts';
import { findPrograms } from './support/programs.ts';

const ROOT = join(import.meta.dirname, '..');
const EVERYTHING = ['src/**/*.test.ts', 'sandbox/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'];
/** Several processes each, and a browser: two of them at once are enough for two processors. */
const HEAVY = /^(?:sandbox\/sandbox\.|test\/browser\/)/;
/** They start first: a long one that starts last runs beside idle processors. */
const LONG = /^(?:test\/flows\/(?:two-processes|attacks|forwarded)|src\/trust\/fuzz)/;
/** One test that hangs must not hold up the rest for ever. */
const TEST_LIMIT_MS = 420_000;

/** A test file is over before it pays to compile the embedded database a second time, for speed. */
const BRIEF = ['--liftoff-only'];

/** Files: fewer migrate their own database sooner. */
const WORTH_A_TEMPLATE = 4;

/** What a run came to. */
interface Counts {
  readonly tests: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of the room that is covered alone. */
  readonly covered?: Covered | undefined;
}

async function main(patterns: readonly string[]): Promise<boolean> {
  process.chdir(ROOT);
  const files = await findFiles(patterns.length === 0 ? EVERYTHING : patterns);
  if (files.length === 0) throw new Error(`There are no tests in ${patterns.join(' ')}.`);
  const programs = findPrograms();
  process.env.PORTCULLIS_TEST_CHROMIUM = programs.chromium;
  const compiled = await mkdtemp(join(tmpdir(), 'portcullis-compiled-'));
  const server = await startPostgres(programs.postgres);
  try {
    process.env.PORTCULLIS_TEST_POSTGRES_URL = server.url;
    if (files.length < WORTH_A_TEMPLATE) return await runTwice(files, compiled);
    const templates = await makeDatabaseTemplates(server.url);
    Object.assign(process.env, templates.environment);
    return await runTwice(files, compiled).finally(templates.remove);
  } finally {
    await server.stop();
    await rm(compiled, { recursive: true, force: true });
  }
}

/** First the room whose coverage counts; then everything else on the embedded database, then what uses a database on PostgreSQL as well. */
async function runTwice(files: readonly string[], compiled: string): Promise<boolean> {
  const stop = new AbortController();
  const interrupted = (): void => stop.abort();
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  delete process.env.PORTCULLIS_TEST_DATABASE;
  const room = files.filter((file) => file.startsWith(COVERED_ROOM));
  // A part of the room's tests says nothing about its coverage.
  const whole = room.length === (await findFiles([`${COVERED_ROOM}**/*.test.ts`])).length;
  const first = whole ? await runTests(`${COVERED_ROOM}, covered`, room, stop.signal, COVERAGE) : undefined;
  // Every file loads much the same code: compiled once and kept. Not before, it would make the coverage less exact.
  process.env.NODE_COMPILE_CACHE = compiled;
  const rest = whole ? files.filter((file) => !room.includes(file)) : files;
  const others = await runTests('embedded database', rest, stop.signal);
  const embedded = first === undefined ? others : sum(first, others);
  process.env.PORTCULLIS_TEST_DATABASE = 'postgres';
  const again = files.filter(usesDatabase);
  const shared = stop.signal.aborted ? undefined : await runTests('PostgreSQL', again, stop.signal);
  const total = shared === undefined ? embedded : sum(embedded, shared);
  report(total);
  const covered = first === undefined || told(first.covered);
  return total.failed === 0 && total.passed > 0 && covered && !stop.signal.aborted;
}

/** Absent figures are as bad as low ones: the room's tests did not come to their end. */
function told(covered: Covered | undefined): boolean {
  const lines = covered === undefined ? [`${COVERED_ROOM}: no coverage was counted`] : coverageLines(covered);
  process.stdout.write(`\n${lines.join('\n')}\n`);
  return covered !== undefined && isEnough(covered);
}

async function findFiles(patterns: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  // A room or folder means all of its tests.
  const wanted = patterns.map((pattern) =>
    pattern.endsWith('.ts') ? pattern : `${pattern.replace(/\/$/, '')}/**/*.test.ts`,
  );
  for await (const file of glob(wanted, { cwd: ROOT })) found.add(relative(ROOT, join(ROOT, file)));
  const isLong = (file: string): number => Number(LONG.test(file));
  return spread(
    [...found]
      .filter((file) => file.endsWith('.test.ts'))
      .sort((one, other) => isLong(other) - isLong(one) || (one < other ? -1 : 1)),
  );
}

/** The heavy ones one after the other among the first half of the rest: side by side they starve each other, and whatever runs beside them. */
function spread(files: readonly string[]): readonly string[] {
  const [heavy, rest] = [files.filter((file) => HEAVY.test(file)), files.filter((file) => !HEAVY.test(file))];
  const between = Math.ceil(rest.length / 2 / Math.max(heavy.length, 1));
  return [
    ...heavy.flatMap((file, place) => [file, ...rest.slice(place * between, (place + 1) * between)]),
    ...rest.slice(heavy.length * between),
  ];
}

/** The flows, and every test that opens a database of its own: one connection hides the races of many. A page looks the same on both. */
function usesDatabase(file: string): boolean {
  if (file.startsWith('test/browser/')) return false;
  return (
    file.startsWith('test/flows/') ||
    /\bopen(?:(?:Test|Empty)Database|Directories|ConsentRoom|TokenRoom)\b/.test(readFileSync(join(ROOT, file), 'utf8'))
  );
}

async function runTests(
  name: string,
  files: readonly string[],
  signal: AbortSignal,
  coverage: Partial<typeof COVERAGE> = {},
): Promise<Counts> {
  let counts: Counts = { tests: 0, passed: 0, failed: 0, skipped: 0 };
  if (files.length === 0) return counts;
  process.stdout.write(`\n${files.length} test files on the ${name}\n`);
  const stream = run({
    files: files.map((file) => join(ROOT, file)),
    // One more than there are processors: tests that drive a browser or wait for a disk leave theirs idle.
    concurrency: Math.min(availableParallelism() + 1, 4),
    timeout: TEST_LIMIT_MS,
    signal,
    execArgv: BRIEF,
    ...coverage,
  });
  let covered: Covered | undefined;
  stream.on('test:coverage', ({ summary: { totals, files: each } }) => {
    covered = { ...totals, files: each };
  });
  stream.on('test:summary', ({ file, counts: all }) => {
    if (file !== undefined) return;
    const skipped = all.skipped + all.todo;
    counts = { tests: all.tests, passed: all.passed, skipped, failed: all.tests - all.passed - skipped };
  });
  const told = stream.filter(({ type }: { readonly type: string }) => type !== 'test:coverage').compose(spec);
  for await (const text of told) process.stdout.write(text);
  return { ...counts, covered };
}

function sum(a: Counts, b: Counts): Counts {
  const add = (name: Exclude<keyof Counts, 'covered'>): number => a[name] + b[name];
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
