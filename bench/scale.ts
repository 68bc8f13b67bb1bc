import { apiCallers } from './gateway.ts';
import { type Effort, measure } from './measure.ts';
import { type Running, residentMebibytes } from './processes.ts';
import type { Target } from './scenario.ts';
import { type Comparison, compare, median } from './statistics.ts';
import { BANKS, type World } from './world.ts';

/** How many consents the database holds. */
export const SIZES: readonly number[] = [1_000, 100_000, 1_000_000];
export const CROWD = 10_000;
/** Looked up one after the other, each for the first time. */
const LOOKUPS = 2_000;
/** For the requests that find nothing in memory: more tokens for each connection than a slice can use. */
const COLD_TOKENS = 150;

/** What one size of the database came to. */
export interface AtSize {
  readonly consents: number;
  /** Milliseconds of a look-up that no cache answers. */
  readonly lookup: { readonly p50: number; readonly p99: number };
  /** Requests whose answers are at hand, against the bare proxy in the same minutes. */
  readonly warm: Comparison;
  /** Requests with tokens never seen before: token and consent are read from the database. */
  readonly cold: Comparison;
  readonly memory: number;
}

/** Measures again and again while the database grows. */
export async function measureSizes(
  world: World,
  bare: { readonly running: Running; readonly port: number },
  effort: Effort,
  sizes: readonly number[],
): Promise<readonly AtSize[]> {
  await world.rows.addCrowd(BANKS.opaque, CROWD);
  const callers = await apiCallers(world, 'opaque', world.parties);
  const found: AtSize[] = [];
  for (const size of sizes) {
    await world.rows.addConsents(BANKS.opaque, size, CROWD);
    await world.rows.settle();
    const lookup = await lookUp(world);
    const unseen = await apiCallers(world, 'opaque', world.parties, COLD_TOKENS * effort.rounds);
    const platform = { port: world.port, pid: world.platform.pid };
    const targets: readonly Target[] = [
      { name: 'bare', port: bare.port, pid: bare.running.pid, callers },
      { name: 'warm', ...platform, callers },
      { name: 'cold', ...platform, callers: unseen, cold: true },
    ];
    const slices = await measure(world, `scale-${size}`, targets, effort);
    const [warm, cold] = [compare(slices, 'warm', 'bare'), compare(slices, 'cold', 'bare')];
    const consents = await world.rows.countConsents();
    found.push({ consents, lookup, warm, cold, memory: residentMebibytes(world.platform.pid) });
  }
  return found;
}

async function lookUp(world: World): Promise<AtSize['lookup']> {
  const ids = await world.rows.sampleConsents(BANKS.opaque, LOOKUPS);
  const times: number[] = [];
  for (const id of ids) {
    const started = performance.now();
    if ((await world.findConsent('opaque', id)) === undefined) throw new Error(`consent ${id} is not there`);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return { p50: median(times), p99: times[Math.floor(times.length * 0.99)] ?? 0 };
}

/** What the process holds once more tokens and consents were used than it remembers. */
export interface MemoryBound {
  readonly tokens: number;
  readonly before: number;
  readonly after: number;
  /** The same again after as many requests more: it must not have grown with them. */
  readonly later: number;
}

/** The caches of tokens and consents hold 50,000 each: use more. */
const TOKENS_OVER_ALL = 70_000;

/** Uses each of very many tokens, twice over. */
export async function measureMemory(world: World, perSecond: number, tokens = TOKENS_OVER_ALL): Promise<MemoryBound> {
  const before = residentMebibytes(world.platform.pid);
  const each = Math.ceil(tokens / world.parties.length);
  const callers = await apiCallers(world, 'opaque', world.parties, each);
  const targets: readonly Target[] = [{ name: 'flood', port: world.port, pid: world.platform.pid, callers }];
  const turn = { rounds: 1, warmMs: 0, sliceMs: Math.ceil((tokens / perSecond) * 1_000) };
  await measure(world, 'flood', targets, turn);
  const after = residentMebibytes(world.platform.pid);
  await measure(world, 'flood-again', targets, turn);
  return { tokens, before, after, later: residentMebibytes(world.platform.pid) };
}
