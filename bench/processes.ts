import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

const STOP_LIMIT_MS = 15_000;
const READY_LIMIT_MS = 60_000;

/** Which processor a process may use: what is measured has one to itself, everything around it the others. */
export type Place = 'measured' | 'around';

/** A program of the benchmark. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** The line it printed when it was ready. */
  readonly ready: string;
  stop(): Promise<void>;
}

/** How a program is started and how it says that it is ready. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly words: readonly string[];
  readonly place: Place;
  readonly env?: Readonly<Record<string, string>>;
  /** Found in a line of its output when it is ready; undefined: `isReady` is asked instead. */
  readonly readyWhen?: RegExp;
  readonly isReady?: () => Promise<boolean>;
}

/** True when processes can be bound to processors here. */
export const isPinned = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGINT');
});
// A run that is told to stop leaves nothing behind that goes on using the machine.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Ends a child with this process, however that ends. */
export function endWithUs(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
}

const NICENESS = '-10';
/**
 * Before other work of the machine, where this user may: a server that is kept waiting is not measured. Linux weighs sessions
 * against each other, and every process of this run belongs to this one.
 */
export const isPreferred = takePrecedence();

function takePrecedence(): boolean {
  try {
    writeFileSync('/proc/self/autogroup', NICENESS);
    return true;
  } catch {
    // Not Linux, or not ours to say: the report tells.
    return false;
  }
}

/** The command line that gives a program its place. */
export function placed(place: Place, command: string, words: readonly string[]): readonly [string, readonly string[]] {
  const cores = place === 'measured' ? '0' : `1-${availableParallelism() - 1}`;
  const line = [...(isPinned ? ['taskset', '-c', cores] : []), command, ...words];
  return [line[0] ?? command, line.slice(1)];
}

/** Starts a program and waits until it is ready. @throws Error with what it printed when it does not become so */
export async function start(program: Program): Promise<Running> {
  const [command, words] = placed(program.place, program.command, program.words);
  const child = spawn(command, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...program.env },
  });
  endWithUs(child);
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => keep(said, text));
  const lines = createInterface({ input: child.stdout });
  const { promise: ready, resolve, reject } = Promise.withResolvers<string>();
  lines.on('line', (line) => {
    keep(said, `${line}\n`);
    if (program.readyWhen?.test(line) === true) resolve(line);
  });
  child.once('exit', () => reject(new Error(`${program.name} ended: ${said.join('').trim()}`)));
  const limit = setTimeout(() => reject(new Error(`${program.name} is not ready: ${said.join('')}`)), READY_LIMIT_MS);
  try {
    if (program.isReady !== undefined) poll(program.isReady, child, () => resolve(''));
    const line = await ready;
    return { name: program.name, pid: child.pid ?? 0, ready: line, stop: () => end(child) };
  } catch (cause) {
    await end(child);
    throw cause;
  } finally {
    clearTimeout(limit);
  }
}

/** A program of this folder, which prints `ready …`. */
export function startOwn(
  name: string,
  place: Place,
  file: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const path = new URL(file, import.meta.url).pathname;
  return start({
    name,
    place,
    command: process.execPath,
    words: [...profiling(name), path, ...words],
    env,
    readyWhen: /^ready\b/,
  });
}

/** With `PORTCULLIS_BENCH_PROFILE=<directory>` every Node process leaves a CPU profile there. */
export function profiling(name: string): readonly string[] {
  const directory = process.env.PORTCULLIS_BENCH_PROFILE;
  return directory === undefined
    ? []
    : ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${name}.cpuprofile`];
}

/** Runs a program of this folder to its end and gives what it printed. */
export async function run(place: Place, file: string, words: readonly string[]): Promise<string> {
  const [command, all] = placed(place, process.execPath, [new URL(file, import.meta.url).pathname, ...words]);
  const child = spawn(command, all, { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(child);
  const printed: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`${file} ended with ${status}`);
  return printed.join('');
}

function keep(said: string[], text: string): void {
  said.push(text);
  if (said.length > 200) said.shift();
}

function poll(isReady: () => Promise<boolean>, child: ChildProcess, done: () => void): void {
  const ask = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    if (await isReady().catch(() => false)) done();
    else setTimeout(() => void ask(), 100);
  };
  void ask();
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}

/** Ticks of `/proc` in one second: fixed at 100 in what Linux tells user space. */
const TICK_MS = 10;

/** CPU milliseconds a process has used so far, over all its threads. */
export function cpuMilliseconds(pid: number): number {
  const [user, system] = ticksOf(pid);
  return (user + system) * TICK_MS;
}

/** Ticks of a process, as user and in the kernel; and the same of its children that ended and were waited for. */
function ticksOf(pid: number): readonly [number, number, number, number] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number): number => Number(fields[index]);
  return [ticks(11), ticks(12), ticks(13), ticks(14)];
}

/** CPU milliseconds of every process below one, itself and those that ended included: a PostgreSQL server is many. */
export function familyCpuMilliseconds(pid: number): number {
  const own = cpuOrNothing(pid);
  return own + childrenOf(pid).reduce((sum, child) => sum + familyCpuMilliseconds(child), 0);
}

function cpuOrNothing(pid: number): number {
  try {
    const [user, system, endedUser, endedSystem] = ticksOf(pid);
    return (user + system + endedUser + endedSystem) * TICK_MS;
  } catch {
    // It ended since it was listed.
    return 0;
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Resident memory of a process, in MiB. */
export function residentMebibytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}
