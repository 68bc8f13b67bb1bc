import { Refusal } from '../platform/refusal.ts';
import { answerRefusal } from './answer.ts';
import { ClientGone } from './body.ts';
import type { Ending, Exchange } from './exchange.ts';
import type { Recorder } from './recorder.ts';

/** Where defects and failures of the bank go; pino's loggers fit. */
export interface GatewayLog {
  error(details: Readonly<Record<string, unknown>>, message: string): void;
}

/** The ways a request ends that is not simply forwarded. */
export interface Endings {
  /** Records and answers whatever was thrown on the way. */
  fail(exchange: Exchange, error: unknown): void;
  /** For endings that nothing can change any more: a trail that takes no record of them is a failure of ours, not another answer. */
  record(exchange: Exchange, ending: Ending): void;
}

/** The status a record gives to a request whose client left before the answer; it is never sent. */
const clientGoneStatus = 499;
/** Reasons of failures: what reached the bank without a usable answer, a client that left, a defect. */
const failures: ReadonlySet<string> = new Set(['upstream_unavailable', 'client_gone', 'internal_error']);

/** The endings over a gateway's recorder and log. */
export function createEndings(recorder: Recorder, log: GatewayLog | undefined): Endings {
  function record(exchange: Exchange, ending: Ending): void {
    try {
      recorder.record(exchange, ending);
    } catch (err) {
      log?.error({ err, interaction: exchange.interaction }, 'the end of a request could not be recorded');
    }
  }
  function refusalOf(exchange: Exchange, error: unknown): Refusal {
    if (error instanceof ClientGone) return new Refusal('client_gone', clientGoneStatus, 'The client left.');
    const refusal = error instanceof Refusal ? error : defect(error);
    const { interaction, check } = exchange;
    if (refusal.status >= 500) log?.error({ err: error, interaction, check }, `request ended with ${refusal.code}`);
    return refusal;
  }
  return {
    record,
    fail(exchange, error) {
      const refusal = refusalOf(exchange, error);
      if (!exchange.recorded) record(exchange, endingOf(refusal));
      if (exchange.response.headersSent || error instanceof ClientGone) exchange.response.destroy();
      else answerRefusal(exchange, refusal);
    },
  };
}

function defect(cause: unknown): Refusal {
  return new Refusal('internal_error', 500, 'Something went wrong here; the trace id helps us to find it.', { cause });
}

function endingOf({ status, code: reason, detail }: Refusal): Ending {
  return { kind: failures.has(reason) ? 'failed' : 'refused', status, reason, detail };
}
