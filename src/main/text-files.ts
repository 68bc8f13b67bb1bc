import { readFile } from 'node:fs/promises';

/** The texts of files that the settings name, in their order. */
export function readAll(paths: readonly string[]): Promise<readonly string[]> {
  return Promise.all(paths.map((path) => readFile(path, 'utf8')));
}
