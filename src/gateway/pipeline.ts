import type { Call, Rooms } from './call.ts';
import type { Exchange } from './exchange.ts';

/**
 * Runs the checks of the route in order; the first refusal ends it and nothing behind it runs (N-37).
 * @throws Refusal of the check whose id then stands in the exchange
 */
export async function runChecks(exchange: Exchange, call: Call, rooms: Rooms): Promise<void> {
  for (const check of call.route.checks) {
    exchange.check = check.id;
    const waiting = check.run(call, rooms);
    if (waiting !== undefined) await waiting;
  }
  exchange.check = undefined;
}
