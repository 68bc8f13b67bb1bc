import { writeFile } from 'node:fs/promises';
import { run } from './processes.ts';
import type { Scenario, Slice, Target } from './scenario.ts';
import type { World } from './world.ts';

/** How long and how often. */
export interface Effort {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmMs: number;
}

/** Drives all targets in turns from a process of its own. @throws Error when a target refused requests: then nothing was measured */
export async function measure(
  world: World,
  name: string,
  targets: readonly Target[],
  effort: Effort,
): Promise<readonly Slice[]> {
  const around = [
    { name: 'upstream', pid: world.upstream.pid },
    { name: 'PostgreSQL', pid: world.postgres.pid },
  ];
  const scenario: Scenario = { root: world.authority.root, targets, around, ...effort };
  const file = world.at(`${name}.json`);
  await writeFile(file, JSON.stringify(scenario), { mode: 0o600 });
  const slices: readonly Slice[] = JSON.parse(await run('around', 'load.ts', [file]));
  for (const { target, refused, requests, refusal } of slices)
    if (refused > 0 || requests === 0)
      throw new Error(`${target}: ${refused} of ${requests} answers were not 200: ${refusal}`);
  return slices;
}
