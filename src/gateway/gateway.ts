import type { IncomingMessage, ServerResponse } from 'node:http';
import { monotonicMilliseconds } from '../platform/clock.ts';
import type { Metrics } from '../platform/metrics.ts';
import { Refusal } from '../platform/refusal.ts';
import { answerJson } from './answer.ts';
import type { GatewayBank } from './bank.ts';
import { ClientGone } from './body.ts';
import { type Call, type Door, noEvidence, type Rooms, withAnswer } from './call.ts';
import { createEndings, type GatewayLog } from './endings.ts';
import type { Exchange } from './exchange.ts';
import { createFactsSigner } from './facts.ts';
import { createFlights } from './flights.ts';
import { forward } from './forward.ts';
import { interactionOf } from './interaction.ts';
import { parseTarget } from './path.ts';
import { pay } from './pay.ts';
import { runChecks } from './pipeline.ts';
import { createRecorder } from './recorder.ts';
import { createRouteTable, type RouteTable } from './routes.ts';
import { type Answer, tokenize } from './tokenize.ts';

/** What the gateway is made of. */
export interface GatewayOptions extends Rooms {
  readonly banks: readonly GatewayBank[];
  /** The customer as the trail names them; without it the records name the consent alone. */
  readonly reference?: (bank: string, customer: string) => string;
  /** For defects and failures of the bank: what the caller must not see. */
  readonly log?: GatewayLog;
  readonly metrics?: Pick<Metrics, 'duration'>;
}

/** The way to the banks' APIs. */
export interface Gateway {
  /** Answers one request; `path` is what follows `/{bank}` in its target, query included. Never rejects. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    bankId: string,
    path: string,
    door: Door,
  ): Promise<void> | void;
}

/**
 * Opens the gateway over its rooms.
 * @throws Error naming bank and route when a route is contradictory or names an unknown scope (LAB-21)
 */
export function createGateway(options: GatewayOptions): Gateway {
  const banks = new Map(options.banks.map((bank) => [bank.id, { bank, routes: createRouteTable(bank) }]));
  const signer = createFactsSigner(options.vault, options.clock);
  const recorder = createRecorder(options);
  const flights = createFlights();
  const endings = createEndings(recorder, options.log);

  /** In one breath, without a promise, when every room has its answer at hand. */
  function serve(exchange: Exchange, routes: RouteTable | undefined, path: string): Promise<void> | void {
    const fail = (error: unknown) => endings.fail(exchange, error);
    try {
      const call = open(exchange, routes, path);
      const checking = runChecks(exchange, call, options);
      const acting = checking === undefined ? act(exchange, call) : checking.then(() => act(exchange, call));
      return acting?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  function act(exchange: Exchange, call: Call): Promise<void> | void {
    if (call.response.destroyed) throw new ClientGone('the client left while its request was checked');
    flights.enter(call);
    if (call.route.action !== 'forward') return perform(exchange, call, call.route.action);
    return withAnswer(signer.forCall(call), (facts) => relay(exchange, call, facts));
  }

  async function perform(exchange: Exchange, call: Call, action: 'tokenize' | 'pay'): Promise<void> {
    await recorder.announce(exchange);
    switch (action) {
      case 'tokenize':
        return give(exchange, await tokenize(call, options));
      case 'pay':
        return give(exchange, await pay(call, options, signer));
      default:
        throw new Error(`unhandled action ${action satisfies never}`);
    }
  }

  function relay(exchange: Exchange, call: Call, facts: string): void {
    forward(call, facts, {
      started(status) {
        recorder.record(exchange, { kind: 'forwarded', status });
        const { consent } = call.evidence;
        if (consent !== undefined && status < 300) options.consents.touch(call.bank.id, consent.id);
      },
      failed: (error) => endings.fail(exchange, error),
    });
  }

  /** What was done is told even when it can no longer be recorded: the steps before it are in the trail. */
  function give(exchange: Exchange, { status, body }: Answer): void {
    endings.record(exchange, { kind: 'forwarded', status });
    answerJson(exchange, status, JSON.stringify(body));
  }

  return {
    handle(request, response, bankId, path, door) {
      const served = banks.get(bankId);
      const exchange = arrival(request, response, served?.bank, door);
      return serve(exchange, served?.routes, path);
    },
  };
}

function arrival(
  request: IncomingMessage,
  response: ServerResponse,
  bank: GatewayBank | undefined,
  door: Door,
): Exchange {
  const interaction = interactionOf(request);
  const startedAt = monotonicMilliseconds();
  return { request, response, bank, door, interaction, startedAt, call: undefined, check: undefined, recorded: false };
}

/** @throws Refusal `not_found` 404, `method_not_allowed` 405, and those of the request target */
function open(exchange: Exchange, routes: RouteTable | undefined, path: string): Call {
  const { request, response, bank, door, interaction } = exchange;
  if (bank === undefined || routes === undefined) throw new Refusal('not_found', 404, 'There is no such bank here.');
  const target = parseTarget(path);
  const match = routes.match(request.method ?? '', target.path);
  const { route, parameters } = match;
  const evidence = noEvidence();
  const call = {
    request,
    response,
    bank,
    door,
    route,
    parameters,
    target: match.path + target.query,
    interaction,
    evidence,
  };
  exchange.call = call;
  return call;
}
