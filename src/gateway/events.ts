import type { AuditEvent } from '../audit/index.ts';
import { verdictFacts } from '../trust/index.ts';
import type { Call } from './call.ts';
import type { Ending, Exchange } from './exchange.ts';

/** The one record of a request (LAB-42): who, with which certificate, on which route, how it ended, and how long it took. */
export function requestEnded(
  exchange: Exchange,
  subject: string | undefined,
  ending: Ending,
  milliseconds: number,
): AuditEvent {
  const { call, request, door, check } = exchange;
  const refused = ending.kind === 'refused';
  return {
    ...who(exchange),
    subject,
    family: 'gateway',
    action: refused ? 'request.refused' : 'request.forwarded',
    outcome: refused ? 'refused' : ending.kind === 'failed' ? 'failed' : 'allowed',
    reason: ending.kind === 'forwarded' ? undefined : ending.reason,
    detail: ending.kind === 'forwarded' ? undefined : (ending.detail ?? check),
    facts: {
      ...verdictFacts(call?.evidence.verdict),
      route: call?.route.name ?? null,
      method: request.method ?? null,
      status: ending.status,
      milliseconds: Math.round(milliseconds * 10) / 10,
      role: call?.evidence.role ?? null,
      check: check ?? null,
      door,
    },
  };
}

/** LAB-36: a request reached the gateway without the certificate it needs; the peer is all that is known of it. */
export function clientCertificateMissing(exchange: Exchange): AuditEvent {
  return {
    ...who(exchange),
    family: 'authentication',
    action: 'tls.client_certificate_missing',
    outcome: 'refused',
    reason: 'certificate_missing',
    facts: { peer: exchange.request.socket.remoteAddress ?? null },
  };
}

/** LAB-06, first step: a request for a platform action arrived at the gateway. */
export function requestReceived(exchange: Exchange, subject: string | undefined): AuditEvent {
  return { ...step(exchange, subject), family: 'gateway', action: 'request.received' };
}

/** LAB-06, second step: its token was checked. */
export function tokenChecked(exchange: Exchange, subject: string | undefined): AuditEvent {
  return { ...step(exchange, subject), family: 'authentication', action: 'token.checked' };
}

/** LAB-06, third step: the handler of the action starts. Vault lookup and key use, the next two, are the vault's own records. */
export function handlerStarted(exchange: Exchange, subject: string | undefined): AuditEvent {
  return { ...step(exchange, subject), family: 'handler', action: 'handler.started' };
}

function step(exchange: Exchange, subject: string | undefined): Omit<AuditEvent, 'family' | 'action'> {
  return { ...who(exchange), subject, outcome: 'allowed', facts: { route: exchange.call?.route.name ?? null } };
}

function who(exchange: Exchange): Pick<AuditEvent, 'bank' | 'participant' | 'client' | 'consent' | 'interaction'> {
  const token: Call['evidence']['token'] = exchange.call?.evidence.token;
  return {
    bank: exchange.bank?.id,
    participant: token?.participant,
    client: token?.client,
    consent: token?.consent,
    interaction: exchange.interaction,
  };
}
