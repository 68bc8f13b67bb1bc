import type { Slice } from './scenario.ts';

/** A target's slices in one number each: medians over the rounds. */
export interface Summary {
  readonly target: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** CPU of the target per request, in microseconds. */
  readonly cpuEach: number;
  /** Shares of one processor: the target's, the generator's, and of what stands around. */
  readonly cpuShare: number;
  readonly generatorShare: number;
  readonly aroundShare: Readonly<Record<string, number>>;
  /** The same, all that is around the target together: near 1 the run says nothing on two processors. */
  readonly outsideShare: number;
  /** Slices that were void, because an answer was refused, and were repeated. */
  readonly repeated: number;
  readonly memory: number;
}

/** A target beside its baseline: medians of the ratios of neighbouring slices, which met the same machine. */
export interface Comparison {
  readonly summary: Summary;
  readonly throughput: number;
  readonly p99: number;
  readonly cpu: number;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** One target over all rounds. */
export function summarise(slices: readonly Slice[], target: string): Summary {
  const own = slices.filter((slice) => slice.target === target);
  const middle = (value: (slice: Slice) => number): number => median(own.map(value));
  const names = Object.keys(own[0]?.aroundCpu ?? {});
  const around = (name: string) => middle((slice) => (slice.aroundCpu[name] ?? 0) / slice.milliseconds);
  const aroundShare = Object.fromEntries(names.map((name) => [name, around(name)]));
  const generatorShare = middle((slice) => slice.generatorCpu / slice.milliseconds);
  return {
    target,
    perSecond: middle((slice) => (slice.requests / slice.milliseconds) * 1000),
    p50: middle(({ p50 }) => p50),
    p99: middle(({ p99 }) => p99),
    cpuEach: middle((slice) => (slice.cpu * 1000) / slice.requests),
    cpuShare: middle((slice) => slice.cpu / slice.milliseconds),
    generatorShare,
    aroundShare,
    outsideShare: generatorShare + Object.values(aroundShare).reduce((sum, share) => sum + share, 0),
    repeated: own.reduce((sum, { repeated }) => sum + repeated, 0),
    memory: Math.max(...own.map(({ memory }) => memory)),
  };
}

/** A target against the baseline, round by round. */
export function compare(slices: readonly Slice[], target: string, baseline: string): Comparison {
  const of = (name: string) => slices.filter((slice) => slice.target === name).toSorted((a, b) => a.round - b.round);
  const [own, base] = [of(target), of(baseline)];
  const ratio = (value: (slice: Slice) => number): number =>
    median(own.flatMap((slice, index) => (base[index] === undefined ? [] : [value(slice) / value(base[index])])));
  return {
    summary: summarise(slices, target),
    throughput: ratio(({ requests, milliseconds }) => requests / milliseconds),
    p99: ratio(({ p99 }) => p99),
    cpu: ratio(({ cpu, requests }) => cpu / requests),
  };
}
