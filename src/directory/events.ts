import type { Actor, AuditEvent } from '../audit/index.ts';
import type { BoundCertificate, Participant, ParticipantStatus } from './participant.ts';

/** Which client of whom at which bank. */
export interface ClientReference {
  readonly bank: string;
  readonly id: string;
  readonly participant: string;
}

/** The same for a client that may not exist: whose it is stays open. */
export type ClaimingClient = Omit<ClientReference, 'participant'> & { readonly participant: string | undefined };

type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** A participant was entered by hand or by request. */
export function participantCreated(participant: Participant, actor: Actor): AuditEvent {
  return changed('directory', 'participant.created', actor, participant.id, factsOf(participant));
}

/** A participant was taken over from a list. */
export function participantImported(participant: Participant, actor: Actor): AuditEvent {
  return changed('directory', 'participant.imported', actor, participant.id, factsOf(participant));
}

/** A participant's status changed (LAB-15: who, when and why). */
export function participantStatusChanged(participant: Participant, from: ParticipantStatus, actor: Actor): AuditEvent {
  return changed('directory', 'participant.status_changed', actor, participant.id, { from, to: participant.status });
}

/** A participant's rate limit changed; null stands for no limit (LAB-17). */
export function rateLimitChanged(participant: Participant, from: number | undefined, actor: Actor): AuditEvent {
  const facts = { from: from ?? null, to: participant.requestsPerMinute ?? null };
  return changed('directory', 'participant.rate_limit_changed', actor, participant.id, facts);
}

/** A client was registered together with its certificate (CA-10, CA-13). */
export function clientRegistered(
  client: ClientReference,
  certificate: BoundCertificate | undefined,
  actor: Actor,
): AuditEvent {
  const facts = {
    thumbprint: certificate?.thumbprint ?? null,
    serial: certificate?.serial ?? null,
    issuer: certificate?.issuer ?? null,
    notAfter: certificate?.notAfter.toISOString() ?? null,
  };
  return ofClient('registration', 'client.registered', client, actor, facts);
}

/** A client's metadata were replaced (RFC 7592 §2.2). */
export function clientReplaced(client: ClientReference, actor: Actor): AuditEvent {
  return ofClient('registration', 'client.replaced', client, actor, {});
}

/** A client was removed, with its relation and secrets (RFC 7592 §2.3, LAB-16). */
export function clientRemoved(client: ClientReference, actor: Actor): AuditEvent {
  return ofClient('registration', 'client.removed', client, actor, {});
}

/** A client got a new secret; earlier ones end after the overlap, in seconds (LAB-08). */
export function secretRotated(client: ClientReference, overlapSeconds: number, actor: Actor): AuditEvent {
  return ofClient('registration', 'client.secret_rotated', client, actor, { overlapSeconds });
}

/** A client's certificate was renewed; old and new thumbprint (CA-14, CA-18). */
export function certificateRebound(
  client: ClientReference,
  former: string | undefined,
  certificate: BoundCertificate,
  overlapSeconds: number,
  actor: Actor,
): AuditEvent {
  const facts = { from: former ?? null, to: certificate.thumbprint, overlapSeconds };
  return ofClient('registration', 'certificate.rebound', client, actor, facts);
}

/** A rotation was finished before its window closed (CA-18). */
export function rotationFinished(client: ClientReference, ended: string, actor: Actor): AuditEvent {
  return ofClient('registration', 'certificate.rotation_finished', client, actor, { from: ended, to: null });
}

/** The relation between a certificate and a client was taken away (CA-19). */
export function certificateUnbound(client: ClientReference, thumbprint: string, actor: Actor): AuditEvent {
  return ofClient('registration', 'certificate.unbound', client, actor, { from: thumbprint, to: null });
}

/** Somebody asked for a certificate that is bound to another client, or was withdrawn (CA-02, N-171). */
export function certificateClaimRefused(
  client: ClaimingClient,
  thumbprint: string,
  reason: string,
  actor: Actor,
): AuditEvent {
  const event = ofClient('registration', 'certificate.claim_refused', client, actor, { thumbprint });
  return { ...event, outcome: 'refused', reason };
}

function ofClient(
  family: AuditEvent['family'],
  action: string,
  client: ClaimingClient,
  actor: Actor,
  facts: Facts,
): AuditEvent {
  return { ...changed(family, action, actor, client.participant, facts), bank: client.bank, client: client.id };
}

function changed(
  family: AuditEvent['family'],
  action: string,
  actor: Actor,
  participant: string | undefined,
  facts: Facts,
): AuditEvent {
  return {
    family,
    action,
    outcome: 'changed',
    participant,
    interaction: actor.interaction,
    facts: { ...facts, actorKind: actor.kind, actor: actor.reference, why: actor.reason ?? null },
  };
}

/** What a new record starts with; contacts and names stay in the directory. */
function factsOf(participant: Participant): Facts {
  return {
    status: participant.status,
    roles: participant.roles.join(' '),
    requestsPerMinute: participant.requestsPerMinute ?? null,
  };
}
