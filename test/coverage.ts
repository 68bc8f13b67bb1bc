import type { run } from 'node:test';

/** The room whose own tests must reach nearly all of it: what it lets pass is believed everywhere else. */
export const COVERED_ROOM = 'src/trust/';
/** Percent of lines and of branches. */
const REQUIRED_PERCENT = 98;

/** What `run` is told, so that it counts the room alone and not its tests. */
export const COVERAGE = {
  coverage: true,
  coverageIncludeGlobs: [`${COVERED_ROOM}**/*.ts`],
  coverageExcludeGlobs: ['**/*.test.ts'],
} satisfies Parameters<typeof run>[0];

/** The room's figures as Node counts them. */
export interface Covered {
  readonly coveredLinePercent: number;
  readonly coveredBranchPercent: number;
  readonly files: readonly CoveredFile[];
}

/** One file of the room. */
export interface CoveredFile {
  readonly path: string;
  readonly coveredLinePercent: number;
  readonly coveredBranchPercent: number;
  readonly branches: readonly { readonly line: number; readonly count: number }[];
}

/** True when the room's tests reach enough of it. */
export function isEnough({ coveredLinePercent, coveredBranchPercent }: Covered): boolean {
  return Math.min(coveredLinePercent, coveredBranchPercent) >= REQUIRED_PERCENT;
}

/** The figures in a line; when they are too low, also every file with branches that no test takes. */
export function coverageLines(covered: Covered): readonly string[] {
  const { coveredLinePercent: lines, coveredBranchPercent: branches } = covered;
  const told = `${COVERED_ROOM} by its own tests: ${lines.toFixed(2)} % of lines, ${branches.toFixed(2)} % of branches`;
  if (isEnough(covered)) return [`${told}; at least ${REQUIRED_PERCENT} % are required`];
  const low = covered.files.filter((file) => file.coveredBranchPercent < 100);
  return [`${told}: TOO LOW, at least ${REQUIRED_PERCENT} % are required`, ...low.map(missing)];
}

function missing({ path, coveredLinePercent: lines, coveredBranchPercent: branches, branches: all }: CoveredFile) {
  const untaken = [...new Set(all.filter(({ count }) => count === 0).map(({ line }) => line))];
  const file = path.slice(path.indexOf(COVERED_ROOM));
  return `  ${file}: lines ${lines.toFixed(2)} %, branches ${branches.toFixed(2)} %, untaken from line ${untaken.join(', ')}`;
}
