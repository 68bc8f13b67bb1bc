import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createDurations, type Durations, keyOfLabels } from './durations.ts';

/** Values by label name; every label must have few values, none that grows with the callers. */
export type Labels = Readonly<Record<string, string>>;

/** What a metric is: `help` is shown to operators, `labels` are the names its values must carry. */
export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** The numbers of this process in the Prometheus text format. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** Counts events. */
  counter(options: MetricOptions): (labels?: Labels) => void;
  /** Measures durations; given in milliseconds, shown in seconds as Prometheus wants them. */
  duration(options: MetricOptions): (milliseconds: number, labels?: Labels) => void;
  /** Shows a value that is read when somebody looks. */
  gauge(options: Omit<MetricOptions, 'labels'>, read: () => number): void;
}

/** A registry of its own, with the numbers of the process (memory, event loop, garbage collection) in it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations: Durations[] = [];
  const settings = ({ name, help, labels = [] }: MetricOptions) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    text: async () => [await registry.metrics(), ...durations.map((one) => `${one.text()}\n`)].join(''),
    counter: (options) => {
      const pending = new Map<string, { readonly labels: Labels; count: number }>();
      const { labels: names = [] } = options;
      const counter: Counter = new Counter({
        ...settings(options),
        // Summed up here until somebody looks: the library's own way costs a microsecond a time.
        collect: () => {
          for (const { labels, count } of pending.values()) counter.inc({ ...labels }, count);
          pending.clear();
        },
      });
      return (labels = {}) => {
        const key = keyOfLabels(names, labels);
        const known = pending.get(key);
        if (known === undefined) pending.set(key, { labels, count: 1 });
        else known.count += 1;
      };
    },
    duration: (options) => {
      const own = createDurations(options);
      durations.push(own);
      return own.observe;
    },
    gauge: (options, read) => {
      const gauge: Gauge = new Gauge({ ...settings(options), collect: () => gauge.set(read()) });
    },
  };
}
