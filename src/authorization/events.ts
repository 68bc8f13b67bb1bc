import type { AuditEvent } from '../audit/index.ts';
import type { Peer } from './peer.ts';

/** An answer of a machine's endpoint: token, pushed request, introspection, revocation, registration. */
export function endpointAnswered(answer: {
  readonly bank: string;
  readonly route: string;
  readonly peer: Peer;
  readonly status: number;
  readonly error: string | undefined;
  readonly duration: number;
}): AuditEvent {
  const { bank, route, peer, status, error, duration } = answer;
  const refused = status >= 400;
  const certificate = peer.verdict?.ok === true ? peer.verdict.certificate : undefined;
  return {
    family: route.startsWith('client') || route === 'registration' ? 'registration' : 'token',
    action: `${route}.${refused ? 'refused' : 'answered'}`,
    outcome: refused ? 'refused' : 'allowed',
    bank,
    participant: peer.standing?.participant.id,
    client: peer.standing?.client.id,
    interaction: peer.interaction,
    reason: peer.refusal?.reason ?? error,
    detail: peer.refusal?.detail,
    facts: { status, duration: Math.round(duration), door: peer.door, thumbprint: certificate?.thumbprint ?? null },
  };
}

/** A certificate that trust refuses, at an endpoint that needs one. */
export function certificateRefused(bank: string, peer: Peer): AuditEvent {
  const verdict = peer.verdict;
  return {
    family: 'authentication',
    action: 'certificate.refused',
    outcome: 'refused',
    bank,
    interaction: peer.interaction,
    reason: verdict?.ok === false ? verdict.reason : undefined,
    detail: verdict?.ok === false ? verdict.detail : undefined,
    facts: { thumbprint: verdict?.certificate?.thumbprint ?? null, subject: verdict?.certificate?.subject ?? null },
  };
}
