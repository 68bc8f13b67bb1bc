import type { AuditEvent } from '../audit/index.ts';
import { verdictFacts } from '../trust/index.ts';
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
    facts: { ...clearedBy(peer), status, duration: Math.round(duration), door: peer.door },
  };
}

/** A request that ended as a page in somebody's browser: the code the page tells, and the client only where the directory has it. */
export function pageRefused(bank: string, peer: Peer, code: string): AuditEvent {
  return {
    family: 'authentication',
    action: 'authorization.refused',
    outcome: 'refused',
    bank,
    participant: peer.standing?.participant.id,
    client: peer.standing?.client.id,
    interaction: peer.interaction,
    reason: code,
    facts: { door: peer.door },
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
    facts: verdictFacts(verdict),
  };
}

/** Which certificate, and how it is known that it was not withdrawn (WSN-12, WSO-07); a refused one has a record of its own. */
function clearedBy({ verdict }: Peer): Readonly<Record<string, string | null>> {
  return verdictFacts(verdict?.ok === true ? verdict : undefined);
}
