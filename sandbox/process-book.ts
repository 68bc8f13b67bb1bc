import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { readIfThere, writePublic } from './authority/files.ts';
import type { Places } from './places.ts';

/** The processes of a running sandbox, as `start.pid` has them. */
export interface Running {
  readonly start: number;
  readonly platform: number | undefined;
}

const run = promisify(execFile);

/** How long an orderly stop may take, and how often it is looked at, in milliseconds. */
const STOP_MS = 30_000;
const LOOK_MS = 100;

/** Notes the processes of this sandbox. */
export function noteProcesses(places: Places, running: Running): Promise<void> {
  return writePublic(places.processId, `${JSON.stringify(running)}\n`);
}

/** Forgets them. */
export function forgetProcesses(places: Places): Promise<void> {
  return rm(places.processId, { force: true });
}

/** The noted processes that still run and still are what was noted: process ids are used again by others. */
export async function findProcesses(places: Places): Promise<Partial<Running>> {
  const noted = parse(await readIfThere(places.processId));
  const start = noted.start !== undefined && (await isOurs(noted.start, 'sandbox/')) ? noted.start : undefined;
  const platform =
    noted.platform !== undefined && (await isOurs(noted.platform, places.configuration)) ? noted.platform : undefined;
  return { ...(start === undefined ? {} : { start }), ...(platform === undefined ? {} : { platform }) };
}

/** Asks a process to stop and waits until it is gone. @throws Error when it stays */
export async function stopProcess(pid: number): Promise<void> {
  signal(pid, 'SIGTERM');
  const deadline = Date.now() + STOP_MS;
  while (signal(pid, 0)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} does not stop: end it by hand (kill -9 ${pid})`);
    await wait(LOOK_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ESRCH') return false;
    throw cause;
  }
}

function parse(text: string | undefined): Partial<Running> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    return { ...numberOf(value, 'start'), ...numberOf(value, 'platform') };
  } catch {
    // A file that was cut off names no process.
    return {};
  }
}

function numberOf(value: object, name: 'start' | 'platform'): Partial<Running> {
  const number = new Map<string, unknown>(Object.entries(value)).get(name);
  return typeof number === 'number' && Number.isInteger(number) && number > 1 ? { [name]: number } : {};
}

async function isOurs(pid: number, mark: string): Promise<boolean> {
  return (await commandLine(pid))?.includes(mark) ?? false;
}

/** What a process was started with; undefined when it is gone. */
async function commandLine(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
    return line?.replaceAll('\0', ' ');
  }
  const found = await run('ps', ['-p', String(pid), '-o', 'args=']).catch(() => undefined);
  return found?.stdout;
}
