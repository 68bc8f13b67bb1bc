import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './ports.ts';
import { endWithUs, placed } from './processes.ts';

const USER = 'portcullis';
const START_LIMIT_MS = 30_000;
const DEBIAN = '/usr/lib/postgresql';

/** The database of one run. */
export interface BenchPostgres {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  stop(): Promise<void>;
}

/**
 * PostgreSQL in a directory of its own, durable as in production: commits wait for the disk. (The tests' server does not, so it
 * would flatter what writes.)
 */
export async function startBenchPostgres(directory: string): Promise<BenchPostgres> {
  const programs = findPrograms();
  const owner = findOwner();
  const [cluster, secret, password] = [join(directory, 'cluster'), join(directory, 'password'), newPassword()];
  await mkdir(cluster, { mode: 0o700 });
  await writeFile(secret, password, { mode: 0o600 });
  if (owner.uid !== undefined) for (const path of [directory, cluster, secret]) chownSync(path, owner.uid, owner.gid);
  const words = ['-D', cluster, '-U', USER, `--pwfile=${secret}`, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C'];
  const made = spawnSync(join(programs, 'initdb'), words, { ...owner, cwd: directory, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const port = await freePort();
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', shared_buffers: '256MB' };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = join(programs, 'postgres');
  const [program, all] = placed('around', command, ['-D', cluster, ...options]);
  const child = spawn(program, all, { ...owner, cwd: directory, stdio: 'ignore' });
  endWithUs(child);
  const url = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
  const version = await connected(url, child);
  return { url, pid: child.pid ?? 0, version, stop: () => stop(child) };
}

function newPassword(): string {
  return randomBytes(16).toString('hex');
}

/** @throws Error with one sentence that says what to install */
function findPrograms(): string {
  const versions = listed(DEBIAN).sort((a, b) => Number(b) - Number(a));
  const found = versions.map((version) => join(DEBIAN, version, 'bin'));
  const [newest] = found;
  if (newest === undefined)
    throw new Error('The benchmark needs PostgreSQL 15 or later: install the package postgresql.');
  return newest;
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** PostgreSQL refuses to be root. */
function findOwner(): { readonly uid: number; readonly gid: number } | Record<string, never> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((word) => spawnSync('id', [word, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: Number(uid), gid: Number(gid) };
}

async function connected(url: string, child: ChildProcess): Promise<string> {
  const until = Date.now() + START_LIMIT_MS;
  while (Date.now() < until && child.exitCode === null) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
      await client.end();
      return rows[0]?.server_version ?? 'unknown';
    } catch {
      await wait(50);
    }
  }
  throw new Error('PostgreSQL did not start');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  // SIGINT: a fast shutdown that does not wait for clients.
  child.kill('SIGINT');
  await ended;
}
