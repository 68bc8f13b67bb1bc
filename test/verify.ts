import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const NODE = process.execPath;

/** What must hold before a change is handed over, cheapest first. */
const STEPS: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit']],
  ['lint and format', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']],
  ['generated reference', ['src/main.ts', 'reference', '--check']],
  ['tests', ['test/run.ts']],
];

function holds([name, [program = '', ...words]]: (typeof STEPS)[number]): boolean {
  process.stdout.write(`\n${name}\n`);
  if (!existsSync(join(ROOT, program))) {
    process.stdout.write(`${program} is missing\n`);
    return false;
  }
  return spawnSync(NODE, [join(ROOT, program), ...words], { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

const failed = STEPS.filter((step) => !holds(step)).map(([name]) => name);
process.stdout.write(failed.length === 0 ? '\neverything holds\n' : `\nfailed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
