import { rmSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startHaproxy } from './haproxy.ts';
import type { Effort } from './measure.ts';
import { isPinned, isPreferred } from './processes.ts';
import { documentOf, type Section, withSections } from './report.ts';
import { type Bench, SECTIONS } from './sections.ts';
import { openWorld } from './world.ts';

/** Connections to the gateway, each a participant of its own. */
const PARTIES = 64;
const EFFORT: Effort = { rounds: 10, sliceMs: 1_500, warmMs: 4_000 };
const QUICK: Effort = { rounds: 3, sliceMs: 1_000, warmMs: 1_500 };
const DOCUMENT = new URL('../docs/reference/performance.md', import.meta.url);

/** `npm run bench`: everything, printed and written to the reference. `--only gateway,tokens` replaces those
 * sections in it, `--quick` prints alone. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean' } } });
  const names = values.only?.split(',') ?? [...SECTIONS.keys()];
  const unknown = names.find((name) => !SECTIONS.has(name));
  if (unknown !== undefined) throw new Error(`--only: ${unknown} is none of ${[...SECTIONS.keys()].join(', ')}`);
  const quick = values.quick === true;
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  try {
    // PostgreSQL runs as another user and has its cluster inside.
    await chmod(directory, 0o755);
    const { sections, document } = await measureAll(directory, names, quick);
    if (quick) return;
    const kept = values.only === undefined ? undefined : await readFile(DOCUMENT, 'utf8');
    await writeFile(DOCUMENT, kept === undefined ? document : withSections(kept, sections));
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function measureAll(directory: string, names: readonly string[], quick: boolean) {
  const world = await openWorld(directory, PARTIES);
  const haproxy = await startHaproxy(world);
  try {
    const bench = { world, haproxy, effort: quick ? QUICK : EFFORT, quick };
    const sections = await measureSections(bench, names);
    const document = documentOf(sections, {
      node: process.version,
      postgres: world.postgres.version,
      haproxy: haproxy?.version,
      processor: cpus()[0]?.model ?? 'unknown processor',
      processors: availableParallelism(),
      pinned: isPinned,
      preferred: isPreferred,
    });
    return { sections, document };
  } finally {
    await haproxy?.running.stop();
    await world.close();
  }
}

async function measureSections(bench: Bench, names: readonly string[]): Promise<readonly Section[]> {
  const sections: Section[] = [];
  for (const name of names) {
    const section = await SECTIONS.get(name)?.(bench);
    if (section === undefined) continue;
    sections.push(section);
    process.stdout.write(`\n${section.title} (load average ${section.load})\n\n${section.lines.join('\n')}\n`);
  }
  return sections;
}

main().catch((cause: unknown) => {
  process.stderr.write(`${cause instanceof Error ? (cause.stack ?? cause.message) : 'the benchmark failed'}\n`);
  process.exitCode = 1;
});
