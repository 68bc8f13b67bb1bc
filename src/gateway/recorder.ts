import { monotonicMilliseconds } from '../platform/clock.ts';
import {
  clientCertificateMissing,
  handlerStarted,
  requestEnded,
  requestReceived,
  tokenChecked,
  vaultAsked,
} from './events.ts';
import type { Ending, Exchange } from './exchange.ts';
import type { GatewayOptions } from './gateway.ts';

/** Writes what happened to a request: to the trail, and to the metrics. */
export interface Recorder {
  /** The one record of an exchange (LAB-42). @throws Refusal `audit_unavailable` 503: the caller must not get the answer */
  record(exchange: Exchange, ending: Ending): void;
  /**
   * The steps before a platform action, in order and committed, so that no key is used before its trail stands (LAB-06).
   * @throws Refusal `audit_unavailable` 503
   */
  announce(exchange: Exchange): Promise<void>;
}

/** A recorder over the trail and the metrics of a gateway. */
export function createRecorder({
  audit,
  metrics,
  reference,
}: Pick<GatewayOptions, 'audit' | 'metrics' | 'reference'>): Recorder {
  const subjectOf = (exchange: Exchange): string | undefined => {
    const token = exchange.call?.evidence.token;
    return token?.customer === undefined ? undefined : reference?.(token.bank, token.customer);
  };
  return {
    record(exchange, ending) {
      if (exchange.recorded) throw new Error('an exchange was to be recorded twice');
      // Before the queue is asked: one that cannot commit keeps the record and refuses all the same.
      exchange.recorded = true;
      const milliseconds = monotonicMilliseconds() - exchange.startedAt;
      const missing = ending.kind === 'refused' && ending.reason === 'certificate_missing';
      if (missing) audit.enqueue(clientCertificateMissing(exchange));
      audit.enqueue(requestEnded(exchange, subjectOf(exchange), ending, milliseconds));
      metrics?.observe(observationOf(exchange, ending), milliseconds);
    },
    async announce(exchange) {
      const subject = subjectOf(exchange);
      for (const event of [requestReceived, tokenChecked, handlerStarted, vaultAsked])
        audit.enqueue(event(exchange, subject));
      await audit.flush();
      audit.checkWritable();
    },
  };
}

function observationOf(exchange: Exchange, ending: Ending) {
  return {
    bank: exchange.bank?.id ?? '',
    route: exchange.call?.route.name ?? '',
    status: ending.status,
    reason: ending.kind === 'forwarded' ? '' : ending.reason,
  };
}
