import type { Refusal } from '../platform/refusal.ts';
import { endsConnection } from './body.ts';
import { challengeOf, errorBodies } from './error-format.ts';
import type { Exchange } from './exchange.ts';
import { interactionHeader } from './interaction.ts';

/** Answers a refusal in the format of the regime (acceptance.md §1.3). A body still under way ends with the connection. */
export function answerRefusal(exchange: Exchange, refusal: Refusal): void {
  const { bank, call } = exchange;
  const body = errorBodies[bank?.regime.errorFormat ?? 'generic'](refusal, exchange.interaction);
  const challenge = challengeOf(refusal, bank?.id ?? 'portcullis', call?.route.scope);
  const headers = Object.entries(refusal.headers).flat();
  if (challenge !== undefined) headers.push('www-authenticate', challenge);
  answerJson(exchange, refusal.status, body, headers);
}

/** Answers JSON made here: never cached, always with the interaction id. */
export function answerJson(exchange: Exchange, status: number, body: string, more: readonly string[] = []): void {
  const { request, response, interaction } = exchange;
  const headers = [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
  ];
  headers.push('cache-control', 'no-store', interactionHeader, interaction, ...more);
  if (endsConnection(request)) headers.push('connection', 'close');
  response.writeHead(status, headers);
  response.end(body);
}
