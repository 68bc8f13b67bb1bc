import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { requestMaker } from './assertions.ts';
import { type Connection, openConnection } from './connection.ts';
import { cpuMilliseconds, familyCpuMilliseconds, residentMebibytes } from './processes.ts';
import type { Caller, Scenario, Slice, Target } from './scenario.ts';

/** The load generator: a closed loop over kept connections, one request at a time on each. Its results go to standard output. */
const scenario: Scenario = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
/** Assertions are made before a slice: signing is no part of what is measured. More than a slice can use, none twice. */
const SPARE = 1.4;
const FIRST_SUPPLY = 40;
/** The garbage of the slice before is gone when the next one starts. */
const PAUSE_MS = 150;
const RAMP_MS = 500;
const MAXIMUM_REPEATS = 4;
/** The platform refuses what its trail cannot record; a disk that was busy elsewhere needs a moment. */
const REST_MS = 5_000;

interface Line {
  connection: Connection;
  readonly caller: Caller;
  readonly fixed: readonly Buffer[];
  readonly make: (() => Buffer) | undefined;
  readonly cold: boolean;
  supply: Buffer[];
  next: number;
}

interface Driven {
  readonly latencies: number[];
  readonly refused: number;
  readonly refusal: string | undefined;
}

const lines = new Map<Target, Line[]>();
const rates = new Map<Target, number>();

for (const target of scenario.targets) {
  const opened: Line[] = [];
  for (const caller of target.callers) opened.push(await openLine(target, caller));
  lines.set(target, opened);
}
const slices: Slice[] = [];
for (const target of scenario.targets) if (target.cold !== true) await measure(target, scenario.warmMs, -1);
for (let round = 0; round < scenario.rounds; round += 1) {
  // Every other round backwards, so that a drift of the machine meets all targets alike.
  const order = round % 2 === 0 ? scenario.targets : scenario.targets.toReversed();
  for (const target of order) slices.push(await measureWhole(target, round));
}
for (const opened of lines.values()) for (const { connection } of opened) connection.close();
process.stdout.write(JSON.stringify(slices));

async function openLine(target: Target, caller: Caller): Promise<Line> {
  const [head = ''] = caller.requests;
  return {
    connection: await openConnection(caller, target.port, scenario.root),
    caller,
    fixed: caller.assertion === undefined ? caller.requests.map((text) => Buffer.from(text)) : [],
    make: caller.assertion === undefined ? undefined : requestMaker(head, caller.assertion),
    cold: target.cold === true,
    supply: [],
    next: target.cold === true ? -1 : Math.floor(Math.random() * caller.requests.length),
  };
}

/** A slice with a refusal measured something else, so it is repeated; how often that happened is told. */
async function measureWhole(target: Target, round: number): Promise<Slice> {
  let repeated = 0;
  for (;;) {
    const slice = await measure(target, scenario.sliceMs, round);
    if (slice.refused === 0 || repeated === MAXIMUM_REPEATS) return { ...slice, repeated };
    repeated += 1;
    await wait(REST_MS);
  }
}

async function measure(target: Target, milliseconds: number, round: number): Promise<Slice> {
  const all = lines.get(target) ?? [];
  for (const line of all) await refresh(target, line, milliseconds, all.length);
  await wait(PAUSE_MS);
  // Connections to the bank that rested were closed meanwhile, and garbage waits: neither belongs to the steady state.
  if (target.cold !== true && all.every(({ make }) => make === undefined))
    await drive(all, performance.now() + RAMP_MS);
  const before = readings(target);
  const started = performance.now();
  const { latencies, refused, refusal } = await drive(all, started + milliseconds);
  const elapsed = performance.now() - started;
  const after = readings(target);
  rates.set(target, latencies.length / elapsed);
  latencies.sort((a, b) => a - b);
  return {
    target: target.name,
    round,
    requests: latencies.length,
    refused,
    refusal,
    repeated: 0,
    milliseconds: elapsed,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpu: after.target - before.target,
    generatorCpu: after.generator - before.generator,
    aroundCpu: Object.fromEntries(
      scenario.around.map(({ name }, index) => [name, after.around(index) - before.around(index)]),
    ),
    memory: residentMebibytes(target.pid),
  };
}

/** A server may have ended a connection that rested; assertions are used up. */
async function refresh(target: Target, line: Line, milliseconds: number, count: number): Promise<void> {
  if (!line.connection.open) line.connection = await openConnection(line.caller, target.port, scenario.root);
  const { make } = line;
  if (make === undefined) return;
  const rate = rates.get(target);
  const wanted = rate === undefined ? FIRST_SUPPLY : Math.ceil(((rate * milliseconds) / count) * SPARE) + 2;
  line.supply = Array.from({ length: wanted }, () => make());
}

function drive(all: readonly Line[], until: number): Promise<Driven> {
  const latencies: number[] = [];
  let refused = 0;
  let refusal: string | undefined;
  let busy = all.length;
  const { promise, resolve } = Promise.withResolvers<Driven>();
  const step = (line: Line): void => {
    const request = take(line);
    if (request === undefined || performance.now() >= until || !line.connection.open) {
      busy -= 1;
      if (busy === 0) resolve({ latencies, refused, refusal });
      return;
    }
    const sent = performance.now();
    line.connection.send(request, (status, answer) => {
      latencies.push(performance.now() - sent);
      if (status !== '200') {
        refused += 1;
        refusal ??= answer.toString('latin1');
      }
      step(line);
    });
  };
  for (const line of all) step(line);
  return promise;
}

function take(line: Line): Buffer | undefined {
  if (line.make !== undefined) return line.supply.pop();
  line.next += 1;
  if (!line.cold) line.next %= line.fixed.length;
  // One that is used up ends its connection's part in the slice.
  return line.fixed[line.next];
}

function readings(target: Target) {
  const around = scenario.around.map(({ pid }) => familyCpuMilliseconds(pid));
  return {
    target: cpuMilliseconds(target.pid),
    generator: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000,
    around: (index: number) => around[index] ?? 0,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
