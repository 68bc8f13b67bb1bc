import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The oldest PostgreSQL the platform supports. */
const POSTGRES_MAJOR = 15;
const DEBIAN_POSTGRES = '/usr/lib/postgresql';
/** Debian asks this file before a package starts its service. */
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';
const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Programs of the system that the tests use. */
export interface Programs {
  /** The directory of `initdb` and `postgres`. */
  readonly postgres: string;
  readonly chromium: string;
  readonly nginx: string;
  readonly haproxy: string;
}

/**
 * Finds them, and installs Debian's packages for what is missing where this user may.
 * @throws Error with one sentence that says what to install
 */
export function findPrograms(): Programs {
  const finders = { postgresql: findPostgres, chromium: findChromium, nginx: findNginx, haproxy: findHaproxy };
  const missing = Object.entries(finders).filter(([, locate]) => locate() === undefined);
  if (missing.length > 0) install(missing.map(([name]) => name));
  const [postgres, chromium] = [findPostgres(), findChromium()];
  if (postgres === undefined)
    throw new Error(`The tests need PostgreSQL ${POSTGRES_MAJOR} or later: install the package postgresql.`);
  if (chromium === undefined) throw new Error('The tests need a browser: install the package chromium.');
  return { postgres, chromium, ...findProxies() };
}

/** The load balancers that the platform is tried behind. @throws Error with one sentence that names the package */
export function findProxies(): Pick<Programs, 'nginx' | 'haproxy'> {
  const [nginx, haproxy] = [findNginx(), findHaproxy()];
  if (nginx === undefined) throw new Error('The tests need nginx: install the package nginx.');
  if (haproxy === undefined) throw new Error('The tests need HAProxy: install the package haproxy.');
  return { nginx, haproxy };
}

function install(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || find('apt-get') === undefined) return;
  process.stderr.write(`installing ${packages.join(' and ')} …\n`);
  const options: SpawnSyncOptions = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  spawnSync('apt-get', ['-qq', 'update'], options);
  withoutServices(() =>
    spawnSync('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...packages], options),
  );
}

/** The tests start what they need themselves: a package that is installed for them must leave no server behind. */
function withoutServices(work: () => void): void {
  const own = !existsSync(SERVICE_POLICY);
  if (own) writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    if (own) rmSync(SERVICE_POLICY);
  }
}

const findNginx = (): string | undefined => find('nginx');
const findHaproxy = (): string | undefined => find('haproxy');

function findPostgres(): string | undefined {
  const initdb = find('initdb');
  const candidates = [...(initdb === undefined ? [] : [dirname(realpathSync(initdb))]), ...debianPostgres()];
  return candidates.find(isNewPostgres);
}

/** Debian keeps its servers out of PATH; the newest comes first. */
function debianPostgres(): readonly string[] {
  try {
    const versions = readdirSync(DEBIAN_POSTGRES).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(DEBIAN_POSTGRES, version, 'bin'));
  } catch {
    return [];
  }
}

function isNewPostgres(directory: string): boolean {
  if (!isExecutable(join(directory, 'initdb'))) return false;
  const { stdout } = spawnSync(join(directory, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1] ?? 0) >= POSTGRES_MAJOR;
}

function findChromium(): string | undefined {
  const named = process.env.PORTCULLIS_TEST_CHROMIUM;
  if (named !== undefined) return isExecutable(named) ? named : undefined;
  return CHROMIUM_NAMES.map(find).find((path) => path !== undefined);
}

function find(name: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/local/bin', '/usr/sbin'].filter(
    (path) => path !== '',
  );
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
