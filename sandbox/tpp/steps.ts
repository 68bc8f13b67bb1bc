import { describeExchange } from './transcript.ts';
import type { Exchange } from './wire.ts';

/** Prints what happens, step by step, and remembers whether every step was as it should be. */
export interface Steps {
  /** For wires: every exchange belongs to the step that is under way. */
  readonly listen: (exchange: Exchange) => void;
  /** Runs a step; what it gives is what the step learned. @throws StepFailed when it differs */
  take<Learned>(title: string, work: () => Promise<Learned>): Promise<Learned>;
  /** A line inside the step under way. */
  say(line: string): void;
  readonly taken: number;
}

/** A step that was not as it should be; everything about it is printed already. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

/** Steps that print. */
export function createSteps(print: (line: string) => void): Steps {
  let taken = 0;
  const indented = (text: string) => print(text.replaceAll(/^/gm, '   '));
  return {
    listen: (exchange) => indented(describeExchange(exchange)),
    say: indented,
    get taken() {
      return taken;
    },
    take: async (title, work) => {
      taken += 1;
      print(`\n${taken}. ${title}`);
      try {
        const learned = await work();
        indented('✓ as it should be');
        return learned;
      } catch (cause) {
        indented(`✗ ${reasonOf(cause)}`);
        throw new StepFailed(title, { cause });
      }
    },
  };
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause instanceof Error ? ` (${cause.cause.message})` : '';
  return `${cause.message}${inner}`;
}

/** @throws Error with the sentence when the condition does not hold */
export function check(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence);
}

/** @throws Error that names both statuses when they differ */
export function checkStatus(exchange: Exchange, expected: number): void {
  check(exchange.status === expected, `expected ${expected}, was answered ${exchange.status}`);
}

/** A JSON object of an answer. @throws Error when it is something else */
export function jsonOf(exchange: Exchange): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(exchange.responseBody);
  check(typeof value === 'object' && value !== null && !Array.isArray(value), 'the answer is no JSON object');
  return { ...value };
}

/** The reason of a refusal: of the gateway's envelope, or OAuth's `error`. */
export function refusalOf(exchange: Exchange): string {
  const { error } = jsonOf(exchange);
  if (typeof error === 'string') return error;
  return typeof error === 'object' && error !== null && 'reason' in error ? String(error.reason) : 'no reason';
}
