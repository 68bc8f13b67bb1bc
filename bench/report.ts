import type { BenchHaproxy } from './haproxy.ts';
import type { AtSize, MemoryBound } from './scale.ts';
import type { Comparison, Summary } from './statistics.ts';

/** What the machine was like. */
export interface Surroundings {
  readonly node: string;
  readonly postgres: string;
  readonly haproxy: BenchHaproxy['version'] | undefined;
  readonly processor: string;
  readonly processors: number;
  readonly pinned: boolean;
  readonly preferred: boolean;
}

/** One comparison under one heading, with what was asked of it. */
export interface Section {
  readonly title: string;
  readonly load: string;
  readonly lines: readonly string[];
}

/** Parts alone, in microseconds. */
export interface Parts {
  readonly alone: number;
  readonly cold: number;
  readonly remembered: number;
  readonly grouped: number;
  readonly single: number;
}

const number = (value: number, digits = 2): string => value.toFixed(digits);
const whole = (value: number): string => value.toFixed(0);
const percent = (share: number): string => `${whole(share * 100)} %`;

const HEAD = [
  '| Server | Throughput, ratio | p99, ratio | CPU a request, ratio | requests a second | p50 ms | p99 ms | CPU µs | its CPU | generator | around | void |',
  '|---|---|---|---|---|---|---|---|---|---|---|---|',
];

/** Comparisons with their baseline, as a table. */
export function comparisonTable(rows: readonly Comparison[]): readonly string[] {
  return [...HEAD, ...rows.map(rowOf)];
}

function rowOf({ summary, throughput, p99, cpu }: Comparison): string {
  const { target, perSecond, p50, p99: slow, cpuEach, cpuShare, generatorShare, aroundShare, repeated } = summary;
  const ratios = [throughput, p99, cpu].map((ratio) => number(ratio));
  const figures = [whole(perSecond), number(p50, 1), number(slow, 1), whole(cpuEach)];
  return `| ${[target, ...ratios, ...figures, percent(cpuShare), percent(generatorShare), aroundText(aroundShare), repeated].join(' | ')} |`;
}

function aroundText(shares: Summary['aroundShare']): string {
  return Object.entries(shares)
    .map(([name, share]) => `${name} ${percent(share)}`)
    .join(', ');
}

/** A sentence that holds a figure against what is asked of it. */
export function verdict(what: string, figure: number, limit: number, atLeast: boolean): string {
  const met = atLeast ? figure >= limit : figure <= limit;
  return `- ${what}: **${number(figure)}**, asked: ${atLeast ? 'at least' : 'at most'} ${number(limit)}. ${met ? 'Met.' : 'Not met in this run.'}`;
}

/** The sizes of the database, as a table. */
export function sizesTable(sizes: readonly AtSize[]): readonly string[] {
  return [
    '| Consents | look-up p50 ms | look-up p99 ms | at hand: throughput, ratio | at hand: p99, ratio | first use: throughput, ratio | first use: p99, ratio | memory MiB |',
    '|---|---|---|---|---|---|---|---|',
    ...sizes.map(({ consents, lookup, warm, cold, memory }) => {
      const ratios = [warm.throughput, warm.p99, cold.throughput, cold.p99].map((ratio) => number(ratio));
      return `| ${[whole(consents), number(lookup.p50), number(lookup.p99), ...ratios, memory].join(' | ')} |`;
    }),
  ];
}

/** The memory of the process, in a sentence. */
export function memoryLine({ tokens, before, after, later }: MemoryBound): string {
  return `Memory of the platform's process: ${before} MiB before, ${after} MiB after ${tokens} different tokens with a consent each (the caches keep 50,000 of either), ${later} MiB after the same tokens once more.`;
}

/** The parts alone. */
export function partsTable({ alone, cold, remembered, grouped, single }: Parts): readonly string[] {
  return [
    '| Part | µs | ratio |',
    '|---|---|---|',
    `| \`new X509Certificate\` and its fingerprint, no verdict | ${number(alone, 1)} | 1.00 |`,
    `| verdict of trust over a certificate never seen: strict parse, path, signature, purpose | ${number(cold, 1)} | ${number(cold / alone)} |`,
    `| the same, remembered | ${number(remembered, 1)} | ${number(remembered / alone)} |`,
    `| audit: one record in a transaction of its own, committed to disk | ${number(single, 1)} | 1.00 |`,
    `| audit: one record of the request path, committed to disk in a group | ${number(grouped, 1)} | ${number(grouped / single)} |`,
  ];
}

const METHOD = `## Method

Every server stands before the same upstream and meets the same requests over the same kept TLS 1.3 connections with client
certificates, one request at a time on each. The load generator drives all of them in one run, in slices of some seconds, in
turns; every other round runs backwards. Ratios are taken between the slices of one round, which met the same machine, and the
medians of these ratios are shown; p50 and p99 are medians over the slices as well. A slice with a refused answer is void and
repeated; "void" counts them (the platform refuses what its trail cannot record, as when the disk is busy elsewhere).

The server under measurement has one processor (\`taskset\`) and runs as a process of its own; load generator, upstream and
PostgreSQL are processes of their own on the others. PostgreSQL is durable: commits wait for the disk. "its CPU" is the share of
its processor that the server used: near 100 % it was the limit, well below it somebody else was. "generator" and "around" are shares
of one processor too. "CPU a request" is taken from \`/proc\`; on a machine that others use it says more than throughput.

The machine is shared with other work while this runs: the load average stands with each section. Compare ratios; the absolute
figures say nothing about other machines, and differ from run to run.`;

/** The whole document. */
export function documentOf(sections: readonly Section[], surroundings: Surroundings): string {
  const { node, postgres, haproxy, processor, processors, pinned, preferred } = surroundings;
  const machine = [
    `Node ${node}`,
    `PostgreSQL ${postgres}`,
    haproxy === undefined ? 'HAProxy not installed' : `HAProxy ${haproxy}`,
    `${processors} × ${processor}`,
    pinned ? 'processes bound to processors' : 'processes not bound to processors',
    preferred ? 'with precedence over other work of the machine' : 'without precedence over other work of the machine',
  ];
  return [
    '# Measured speed',
    '',
    '<!-- Written by `npm run bench`, not by `node src/main.ts reference`. -->',
    '',
    `Written by \`npm run bench\`: ${machine.join('; ')}.`,
    '',
    METHOD,
    '',
    ...sections.flatMap(sectionLines),
  ].join('\n');
}

function sectionLines({ title, load, lines }: Section): readonly string[] {
  return [`## ${title}`, '', `Load average ${load}.`, '', ...lines, ''];
}

/** The document with some sections measured anew on the same machine; the others stay. @throws Error when it lacks one of them */
export function withSections(document: string, sections: readonly Section[]): string {
  return sections.reduce((text, section) => {
    const from = text.indexOf(`## ${section.title}\n`);
    if (from === -1) throw new Error(`performance.md has no section "${section.title}": run the whole benchmark`);
    const next = text.indexOf('\n## ', from);
    return `${text.slice(0, from)}${sectionLines(section).join('\n')}${next === -1 ? '' : text.slice(next)}`;
  }, document);
}
