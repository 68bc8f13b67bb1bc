import type { Actor } from '../audit/index.ts';
import type { ClientCertificate } from '../trust/index.ts';
import type {
  BoundCertificate,
  NewParticipant,
  Participant,
  ParticipantStatus,
  RegisteredClient,
  Standing,
} from './participant.ts';

export type {
  BoundCertificate,
  NewParticipant,
  Participant,
  ParticipantStatus,
  RegisteredClient,
  Role,
  Standing,
} from './participant.ts';

/** A client to be kept together with its certificate. */
export interface ClientRegistration {
  readonly bank: string;
  readonly id: string;
  readonly participant: string;
  readonly softwareId: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Undefined only for clients of a baseline bank that authenticate by secret alone. */
  readonly certificate: ClientCertificate | undefined;
  readonly secretHash?: string | undefined;
}

/** Participants, their clients and certificates. */
export interface Directory {
  /** @throws Refusal `participant_exists` 409, `field_invalid` 400 naming the field */
  createParticipant(participant: NewParticipant, actor: Actor): Promise<Participant>;
  /** Inserts those that are absent, never overrules staff; gives the ids inserted. */
  importParticipants(participants: readonly unknown[], actor: Actor): Promise<readonly string[]>;
  findParticipant(id: string): Promise<Participant | undefined>;
  listParticipants(): Promise<readonly Participant[]>;
  /** Takes effect from the next request on, on every node. `removed` is final. @throws Refusal `participant_unknown` 404, `status_invalid` 409 */
  changeStatus(id: string, status: ParticipantStatus, actor: Actor): Promise<Participant>;
  changeRateLimit(id: string, requestsPerMinute: number | undefined, actor: Actor): Promise<Participant>;

  /**
   * Client, certificate binding and audit event in one transaction.
   * @throws Refusal `certificate_already_bound` 409, naming nobody, when another client of the bank owns the certificate;
   *   `participant_not_approved` and kin 403; `client_exists` 409
   */
  registerClient(registration: ClientRegistration, actor: Actor): Promise<RegisteredClient>;
  /** Replaces the metadata (RFC 7592 PUT). @throws Refusal `client_unknown` 404 */
  replaceClient(
    bank: string,
    id: string,
    metadata: Readonly<Record<string, unknown>>,
    actor: Actor,
  ): Promise<RegisteredClient>;
  /** Removes client, relation and secrets; true when there was one. Its tokens are the caller's to deny. */
  removeClient(bank: string, id: string, actor: Actor): Promise<boolean>;
  /** Adds a secret; earlier ones end after `overlapSeconds`. */
  rotateSecret(bank: string, id: string, secretHash: string, overlapSeconds: number, actor: Actor): Promise<void>;
  listClients(bank: string, participant?: string): Promise<readonly RegisteredClient[]>;

  /** Renewal (CA-18): the new certificate becomes the active one, the old ends after `overlapSeconds` (0: at once). */
  rebindCertificate(
    bank: string,
    client: string,
    certificate: ClientCertificate,
    overlapSeconds: number,
    actor: Actor,
  ): Promise<BoundCertificate>;
  /** CA-19: the relation is gone; calls are refused. */
  unbindCertificate(bank: string, client: string, thumbprint: string, actor: Actor): Promise<boolean>;

  /** Client, participant and certificates in force now; undefined when there is no such client. Cached, bounded, dropped by notification. */
  standing(bank: string, client: string): Promise<Standing | undefined>;
  /** Counts one request. Answers the seconds to wait when the participant is over its limit, else undefined. Never waits for the database. */
  takeRequest(participant: Participant): number | undefined;
  /** Calls `changed` with a participant's id after its standing changed, here or elsewhere. */
  onChange(changed: (change: { participant: string; bank?: string; client?: string }) => void): void;
  close(): Promise<void>;
}
