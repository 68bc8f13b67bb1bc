import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';

const MODULES = join(import.meta.dirname, '..', '..', 'node_modules');
const CACHE = join(MODULES, '.cache', 'portcullis');
/** 16 unless told. */
const SEGMENT_MIB = 1;

let template: Promise<Blob> | undefined;

/**
 * An initialised, empty PGlite data directory as a tar archive. Initialising takes about four seconds and unpacking half a
 * second, so the archive is kept beside the installed packages, per version of PGlite; `npm ci` removes it. Its write-ahead
 * log has short segments: every database that is opened from it holds one in memory.
 */
export function pgliteTemplate(): Promise<Blob> {
  template ??= readTemplate();
  return template;
}

async function readTemplate(): Promise<Blob> {
  const file = join(CACHE, `pglite-${await pgliteVersion()}-wal${SEGMENT_MIB}.tar`);
  try {
    return new Blob([await readFile(file)]);
  } catch {
    return makeTemplate(file);
  }
}

async function makeTemplate(file: string): Promise<Blob> {
  const engine = await PGlite.create({ dataDir: 'memory://', initDbStartParams: [`--wal-segsize=${SEGMENT_MIB}`] });
  const archive = await engine.dumpDataDir('none');
  await engine.close();
  await mkdir(CACHE, { recursive: true });
  // Several test files start at once: each writes its own file, and the rename is what the others see.
  const unfinished = `${file}.${randomUUID()}`;
  await writeFile(unfinished, Buffer.from(await archive.arrayBuffer()));
  await rename(unfinished, file);
  return archive;
}

async function pgliteVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(
    await readFile(join(MODULES, '@electric-sql', 'pglite', 'package.json'), 'utf8'),
  );
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new Error('@electric-sql/pglite has no version: is it installed?');
}
