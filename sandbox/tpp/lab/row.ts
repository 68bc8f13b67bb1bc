import type { Bench, Door } from '../bench.ts';
import type { LabTokens } from '../lab-tokens.ts';
import { answerOf, type Outcome } from '../outcome.ts';
import type { Exchange } from '../wire.ts';

/** A row of the lab: what it proves, and how. */
export interface LabRow {
  readonly id: string;
  readonly title: string;
  readonly run: (bench: Bench, tokens: LabTokens) => Promise<Outcome>;
}

/** Small, so that the lab can be repeated often. */
export const AMOUNT = 2;

/** The header of a token. */
export function bearer(token: string, more: Readonly<Record<string, string>> = {}) {
  return { headers: { authorization: `Bearer ${token}`, ...more } };
}

/** `POST /payments` with a vault token. */
export function pay(bench: Bench, token: string, body: unknown, door: Door = 'plain', interaction?: string) {
  const trace = interaction === undefined ? {} : { 'x-fapi-interaction-id': interaction };
  return bench.send(door, '/payments', {
    method: 'POST',
    ...bearer(token, { 'content-type': 'application/json', ...trace }),
    body: JSON.stringify(body),
  });
}

/** What an answer should be, and what it is. */
export function answers(expected: string, exchange: Exchange | undefined): Outcome {
  return { expected, actual: answerOf(exchange) };
}
