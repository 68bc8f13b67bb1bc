import { monotonicMilliseconds } from '../platform/clock.ts';
import type { Labels } from '../platform/metrics.ts';
import type { TokenFacts } from '../tokens/index.ts';
import { clientCertificateMissing, handlerStarted, requestEnded, requestReceived, tokenChecked } from './events.ts';
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
  const observe = metrics?.duration({
    name: 'portcullis_gateway_request_seconds',
    help: 'Time from the arrival of an API request until its answer was decided.',
    labels: ['bank', 'route', 'status', 'reason'],
  });
  /** A keyed hash costs more than all checks together; it lives with the token's facts, which the token room bounds. */
  const subjects = new WeakMap<TokenFacts, string>();
  const subjectOf = (exchange: Exchange): string | undefined => {
    const token = exchange.call?.evidence.token;
    if (token?.customer === undefined || reference === undefined) return undefined;
    const known = subjects.get(token);
    if (known !== undefined) return known;
    const subject = reference(token.bank, token.customer);
    subjects.set(token, subject);
    return subject;
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
      observe?.(milliseconds, labelsOf(exchange, ending));
    },
    async announce(exchange) {
      const subject = subjectOf(exchange);
      for (const event of [requestReceived, tokenChecked, handlerStarted]) audit.enqueue(event(exchange, subject));
      await audit.flush();
      audit.checkWritable();
    },
  };
}

/** Labels without a value that grows with the callers. */
function labelsOf(exchange: Exchange, ending: Ending): Labels {
  return {
    bank: exchange.bank?.id ?? '',
    route: exchange.call?.route.name ?? '',
    status: String(ending.status),
    reason: ending.kind === 'forwarded' ? '' : ending.reason,
  };
}
