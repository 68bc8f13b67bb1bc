import type { Call, Rooms } from './call.ts';
import type { Exchange } from './exchange.ts';

/**
 * Runs the checks of the route in order; the first refusal ends it and nothing behind it runs (N-37).
 * @throws Refusal of the check whose id then stands in the exchange
 */
export function runChecks(exchange: Exchange, call: Call, rooms: Rooms, from = 0): void | Promise<void> {
  const { checks } = call.route;
  for (let index = from; index < checks.length; index += 1) {
    const check = checks[index];
    if (check === undefined) throw new Error('a check is missing from its table');
    exchange.check = check.id;
    const waiting = check.run(call, rooms);
    // What every room has at hand is answered without waiting: a promise per check costs more than the check.
    if (waiting !== undefined) return waiting.then(() => runChecks(exchange, call, rooms, index + 1));
  }
  exchange.check = undefined;
}
