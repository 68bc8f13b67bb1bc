import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

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

/** From a millisecond to the longest time limit of a request. */
const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A registry of its own, with the numbers of the process (memory, event loop, garbage collection) in it. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const settings = ({ name, help, labels = [] }: MetricOptions) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    counter: (options) => {
      const counter = new Counter(settings(options));
      return (labels = {}) => counter.inc({ ...labels });
    },
    duration: (options) => {
      const histogram = new Histogram({ ...settings(options), buckets: DURATION_BUCKETS_SECONDS });
      return (milliseconds, labels = {}) => histogram.observe({ ...labels }, milliseconds / 1_000);
    },
    gauge: (options, read) => {
      const gauge: Gauge = new Gauge({ ...settings(options), collect: () => gauge.set(read()) });
    },
  };
}
