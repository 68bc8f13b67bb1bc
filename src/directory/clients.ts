import type { Actor, Audit } from '../audit/index.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { Database, Statements } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { ClientCertificate } from '../trust/index.ts';
import { auditedClaim, bind, renewWithin } from './certificates.ts';
import type { Commit } from './changes.ts';
import { checkClientId, checkOverlap, checkSecretHash, checkSoftwareId, metadataText } from './client-fields.ts';
import { clientRegistered, clientRemoved, clientReplaced, secretRotated } from './events.ts';
import { clientUnknown, lockChangeable } from './owner.ts';
import { checkApproved, type RegisteredClient } from './participant.ts';
import {
  type ClientRow,
  deleteClient,
  hasClients,
  insertClient,
  insertSecret,
  lockOwner,
  lockParticipant,
  selectClient,
  selectClients,
  updateMetadata,
} from './store.ts';

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

/** One participant's software products at one bank; above it something registers in a loop. */
const MAXIMUM_CLIENTS_PER_PARTICIPANT = 1_000;

/** Registering clients and changing what they are. */
export interface Clients {
  /**
   * Client, certificate binding and audit event in one transaction.
   * @throws Refusal `certificate_already_bound` 409, naming nobody, when another client of the bank owns the certificate;
   *   `certificate_review_required` 403 when its relation was removed; `participant_not_approved` and kin 403;
   *   `client_exists`, `client_limit_reached` 409; `field_missing`, `field_invalid` 400
   */
  registerClient(registration: ClientRegistration, actor: Actor): Promise<RegisteredClient>;
  /**
   * Replaces the metadata (RFC 7592 PUT) and, with `renewed`, in the same transaction the certificate (CA-18): both or neither.
   * @throws Refusal `client_unknown` 404; `participant_not_approved` and kin 403 for a participant; those of `rebindCertificate`
   */
  replaceClient(
    bank: string,
    id: string,
    metadata: Readonly<Record<string, unknown>>,
    actor: Actor,
    renewed?: ClientCertificate,
  ): Promise<RegisteredClient>;
  /**
   * Removes client, relation and secrets; true when there was one. Its tokens are the caller's to deny.
   * @throws Refusal `participant_not_approved` and kin 403 for a participant
   */
  removeClient(bank: string, id: string, actor: Actor): Promise<boolean>;
  /**
   * Adds a secret; the one before it ends after `overlapSeconds`, one before that at once.
   * @throws Refusal `client_unknown` 404; `participant_not_approved` and kin 403 for a participant
   */
  rotateSecret(bank: string, id: string, secretHash: string, overlapSeconds: number, actor: Actor): Promise<void>;
  listClients(bank: string, participant?: string): Promise<readonly RegisteredClient[]>;
}

interface Parts {
  readonly database: Database;
  readonly audit: Audit;
  readonly commit: Commit;
  readonly now: () => Date;
}

/** Clients in the database; every change announced and audited in its transaction. */
export function createClients({ database, audit, commit, now }: Parts): Clients {
  return {
    registerClient: (registration, actor) => {
      const { bank, id, participant, certificate } = registration;
      const claimed = { client: { bank, id, participant }, thumbprint: certificate?.thumbprint };
      return auditedClaim(audit, claimed, actor, () => register(commit, registration, actor));
    },
    replaceClient: (bank, id, metadata, actor, renewed) => {
      const claimed = { client: { bank, id, participant: undefined }, thumbprint: renewed?.thumbprint };
      return auditedClaim(audit, claimed, actor, () => replace(commit, { bank, id, metadata, renewed }, actor));
    },
    removeClient: (bank, id, actor) => remove(commit, bank, id, actor),
    rotateSecret: (bank, id, secretHash, overlapSeconds, actor) =>
      rotateSecret(commit, { bank, id, secretHash, overlapSeconds }, actor),
    listClients: (bank, participant) => selectClients(database, bank, participant, now()),
  };
}

async function register(commit: Commit, registration: ClientRegistration, actor: Actor): Promise<RegisteredClient> {
  const { bank, id, participant, certificate, secretHash } = registration;
  const row = rowOf(registration);
  return commit(actor, async (statements, now) => {
    checkApproved(await lockParticipant(statements, participant));
    await insert(statements, row, now);
    const bound = certificate && (await bind(statements, { bank, id, participant }, certificate, actor, now));
    if (secretHash !== undefined) await insertSecret(statements, row, secretHash, now, now);
    return {
      result: await load(statements, bank, id, now),
      changes: [{ participant, bank, client: id }],
      events: [clientRegistered(row, bound, actor)],
    };
  });
}

function rowOf(registration: ClientRegistration): ClientRow {
  const { bank, id, participant, softwareId, certificate, secretHash } = registration;
  checkClientId(bank, id);
  checkSoftwareId(softwareId);
  if (certificate === undefined && secretHash === undefined)
    throw new Refusal('field_missing', 400, 'A client needs a certificate, or a secret where the bank allows one.');
  if (secretHash !== undefined) checkSecretHash(secretHash);
  return { bank, id, participant, softwareId, metadata: metadataText(registration.metadata) };
}

async function insert(statements: Statements, row: ClientRow, now: Date): Promise<void> {
  if (await hasClients(statements, row.bank, row.participant, MAXIMUM_CLIENTS_PER_PARTICIPANT))
    throw new Refusal('client_limit_reached', 409, 'The participant has as many clients as a bank keeps; remove one.');
  if (!(await insertClient(statements, row, now)))
    throw new Refusal('client_exists', 409, 'A client with this id exists already.');
}

interface Replacement {
  readonly bank: string;
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly renewed: ClientCertificate | undefined;
}

async function replace(
  commit: Commit,
  { bank, id, metadata, renewed }: Replacement,
  actor: Actor,
): Promise<RegisteredClient> {
  const canonical = metadataText(metadata);
  return commit(actor, async (statements, now) => {
    const { id: participant } = await lockChangeable(statements, bank, id, actor);
    if (!(await updateMetadata(statements, bank, id, canonical, now))) throw clientUnknown();
    const client = { bank, id, participant };
    const rebound = renewed === undefined ? [] : await renewWithin(statements, client, renewed, actor, now);
    return {
      result: await load(statements, bank, id, now),
      changes: [{ participant, bank, client: id }],
      events: [clientReplaced(client, actor), ...rebound],
    };
  });
}

async function remove(commit: Commit, bank: string, id: string, actor: Actor): Promise<boolean> {
  return commit(actor, async (statements) => {
    const owner = await lockOwner(statements, bank, id);
    // Asked again under the lock: a participant keeps what it has while it is suspended.
    if (owner !== undefined && actor.kind === 'participant') checkApproved(owner);
    if (owner === undefined || !(await deleteClient(statements, bank, id)))
      return { result: false, changes: [], events: [] };
    return {
      result: true,
      changes: [{ participant: owner.id, bank, client: id }],
      events: [clientRemoved({ bank, id, participant: owner.id }, actor)],
    };
  });
}

interface SecretRotation {
  readonly bank: string;
  readonly id: string;
  readonly secretHash: string;
  readonly overlapSeconds: number;
}

async function rotateSecret(commit: Commit, rotation: SecretRotation, actor: Actor): Promise<void> {
  const { bank, id, secretHash, overlapSeconds } = rotation;
  checkOverlap(overlapSeconds);
  checkSecretHash(secretHash);
  return commit(actor, async (statements, now) => {
    const { id: participant } = await lockChangeable(statements, bank, id, actor);
    const client = { bank, id, participant };
    if (!(await insertSecret(statements, client, secretHash, secondsAfter(now, overlapSeconds), now)))
      throw new Error('the hash of a new secret equals a former one: it has no salt');
    return {
      result: undefined,
      changes: [{ participant, bank, client: id }],
      events: [secretRotated(client, overlapSeconds, actor)],
    };
  });
}

async function load(statements: Statements, bank: string, id: string, now: Date): Promise<RegisteredClient> {
  const stored = await selectClient(statements, bank, id, now);
  if (stored === undefined) throw clientUnknown();
  return stored.client;
}
