import { refusalOf } from './steps.ts';
import type { Exchange } from './wire.ts';

/** What a row of the lab expects, and what it saw. */
export interface Outcome {
  readonly expected: string;
  readonly actual: string;
}

/** A line of the lab's table. */
export interface LabResult extends Outcome {
  readonly id: string;
  readonly title: string;
}

/** `200`, `403 insufficient_scope`, or `no answer`. */
export function answerOf(exchange: Exchange | undefined): string {
  if (exchange === undefined) return 'no answer';
  return exchange.status < 400 ? String(exchange.status) : `${exchange.status} ${reasonOf(exchange)}`;
}

function reasonOf(exchange: Exchange): string {
  try {
    return refusalOf(exchange);
  } catch {
    return exchange.responseHeaders['content-type'] ?? 'without reason';
  }
}

/** Members of a JSON answer; none when there is no such answer. */
export function membersOf(exchange: Exchange | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(exchange?.responseBody ?? '{}');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Facts as one word each, so that expected and actual can be read side by side. */
export function facts(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

/** The table at the end of the lab. */
export function tableOf(results: readonly LabResult[]): string {
  const widths = [8, Math.max(...results.map(({ title }) => title.length)), Math.max(...results.map(longest))];
  const line = (cells: readonly string[]) => cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ');
  return [
    line(['row', 'what', 'expected / actual']),
    ...results.flatMap(({ id, title, expected, actual }) =>
      expected === actual
        ? [`${line([id, title, expected])}  ✓`]
        : [`${line([id, title, expected])}  ✗`, line(['', '', actual])],
    ),
  ].join('\n');
}

function longest({ expected, actual }: Outcome): number {
  return Math.max(expected.length, actual.length);
}
