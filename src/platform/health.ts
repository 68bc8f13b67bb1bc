import type { ServerResponse } from 'node:http';
import type { DoorHandler } from './door.ts';
import type { Metrics } from './metrics.ts';

/** Whether one thing this process needs is there; false, an error, or no answer in time mean no. */
export type HealthCheck = () => Promise<boolean>;

/** What the operators' door tells. */
export interface HealthOptions {
  /** By the name that is shown when the check fails. */
  readonly checks: ReadonlyMap<string, HealthCheck>;
  readonly metrics: Metrics;
  readonly checkTimeoutMs?: number;
}

/** Shorter than the patience of those who ask: load balancers give up after a few seconds. */
const CHECK_TIMEOUT_MS = 2_000;

/** Answers `/health/live`, `/health/ready` and `/metrics`; for the loopback door alone. */
export function healthHandler({ checks, metrics, checkTimeoutMs = CHECK_TIMEOUT_MS }: HealthOptions): DoorHandler {
  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return answer(response, 405, { status: 'method not allowed' });
    }
    const [path] = (request.url ?? '').split('?', 1);
    if (path === '/health/live') return answer(response, 200, { status: 'live' });
    if (path === '/health/ready') return answerReady(response, await failing(checks, checkTimeoutMs));
    if (path !== '/metrics') return answer(response, 404, { status: 'not found' });
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' });
    response.end(text);
  };
}

function answerReady(response: ServerResponse, names: readonly string[]): void {
  if (names.length === 0) answer(response, 200, { status: 'ready' });
  else answer(response, 503, { status: 'not ready', failing: names });
}

async function failing(checks: HealthOptions['checks'], limitMs: number): Promise<readonly string[]> {
  const outcomes = await Promise.all(
    [...checks].map(async ([name, check]) => ((await passes(check, limitMs)) ? [] : [name])),
  );
  return outcomes.flat();
}

async function passes(check: HealthCheck, limitMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const limit = setTimeout(() => resolve(false), limitMs);
  try {
    return (await Promise.race([check(), late])) === true;
  } catch {
    return false;
  } finally {
    clearTimeout(limit);
  }
}

function answer(response: ServerResponse, status: number, body: Readonly<Record<string, unknown>>): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
