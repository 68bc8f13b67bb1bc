import type { Labels, MetricOptions } from './metrics.ts';

/** From a millisecond to the longest time limit of a request. */
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Series of one metric: labels have few values each; what grows with the callers is a defect and is not counted. */
const MAXIMUM_SERIES = 2_000;

interface Series {
  readonly labels: string;
  /** One for each bucket and one for what is longer: not yet summed up, as Prometheus wants them. */
  readonly counts: number[];
  seconds: number;
}

/** A histogram of durations. */
export interface Durations {
  observe(milliseconds: number, labels?: Labels): void;
  /** In the Prometheus text format. */
  text(): string;
}

/** Counts in place: the library's histogram costs five microseconds an observation, a twentieth of a request. */
export function createDurations({ name, help, labels: names = [] }: MetricOptions): Durations {
  const all = new Map<string, Series>();
  const seriesOf = (labels: Labels): Series | undefined => {
    const key = keyOfLabels(names, labels);
    const known = all.get(key);
    if (known !== undefined || all.size >= MAXIMUM_SERIES) return known;
    const fresh = {
      labels: labelText(names, labels),
      counts: new Array(BUCKETS_SECONDS.length + 1).fill(0),
      seconds: 0,
    };
    all.set(key, fresh);
    return fresh;
  };
  return {
    observe: (milliseconds, labels = {}) => {
      const series = seriesOf(labels);
      if (series === undefined) return;
      const seconds = milliseconds / 1_000;
      series.seconds += seconds;
      const found = BUCKETS_SECONDS.findIndex((limit) => seconds <= limit);
      const bucket = found === -1 ? BUCKETS_SECONDS.length : found;
      series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    },
    text: () => [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...[...all.values()].flatMap(lines)].join('\n'),
  };

  function lines({ labels, counts, seconds }: Series): readonly string[] {
    let sum = 0;
    const buckets = [...BUCKETS_SECONDS, '+Inf'].map((limit, index) => {
      sum += counts[index] ?? 0;
      return `${name}_bucket{le="${limit}"${labels === '' ? '' : `,${labels}`}} ${sum}`;
    });
    return [...buckets, `${name}_sum{${labels}} ${seconds}`, `${name}_count{${labels}} ${sum}`];
  }
}

/** What tells one series of a metric from another. @throws Error for a label that was not declared */
export function keyOfLabels(names: readonly string[], labels: Labels): string {
  let key = '';
  let found = 0;
  for (const name of names) {
    const value = labels[name];
    if (value !== undefined) found += 1;
    key += `${value ?? ''}\n`;
  }
  if (Object.keys(labels).length !== found) throw new Error('a metric has a label that was not declared');
  return key;
}

function labelText(names: readonly string[], labels: Labels): string {
  return names.map((label) => `${label}="${escaped(labels[label] ?? '')}"`).join(',');
}

/** The three characters that the format escapes in a label's value. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
