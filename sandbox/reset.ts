import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ownPlaces, type Places, projectDirectory } from './places.ts';
import { findProcesses, stopProcess } from './process-book.ts';

/**
 * Stops what runs and removes everything the sandbox made, and nothing else (CLD-57). Gives a sentence for the caller.
 * @throws Error when the directory is no sandbox's
 */
export async function resetSandbox(places: Places): Promise<string> {
  if (!(await exists(places.root))) return 'there is nothing to remove';
  const own = places.root === join(projectDirectory, 'var');
  if (!own && !(await exists(places.sandbox))) {
    throw new Error(`${places.root} holds no sandbox: nothing was removed`);
  }
  const { start, platform } = await findProcesses(places);
  if (start !== undefined) await stopProcess(start);
  if (platform !== undefined) await stopProcess(platform);
  await rm(places.root, { recursive: true, force: true, maxRetries: 3 });
  return `${places.root} is gone; the next start begins from nothing`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) {
  try {
    console.log(await resetSandbox(ownPlaces()));
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause);
    process.exitCode = 1;
  }
}
