import type { Actor, Audit, AuditEvent } from '../audit/index.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { Statements } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { ClientCertificate } from '../trust/index.ts';
import {
  deleteCertificate,
  deleteEnded,
  deleteRotating,
  deleteWithdrawn,
  endActive,
  insertCertificate,
  insertWithdrawn,
  isWithdrawn,
  selectCertificates,
} from './certificate-store.ts';
import type { Commit } from './changes.ts';
import { checkOverlap, checkThumbprint } from './client-fields.ts';
import {
  type ClaimingClient,
  type ClientReference,
  certificateClaimRefused,
  certificateRebound,
  certificateUnbound,
  rotationFinished,
} from './events.ts';
import { lockChangeable } from './owner.ts';
import type { BoundCertificate } from './participant.ts';
import { lockOwner } from './store.ts';

/** Renewing and removing the relation between certificates and clients. */
export interface Certificates {
  /**
   * Renewal (CA-18): the new certificate becomes the active one, the old ends after `overlapSeconds` (0: at once, and a
   * rotation under way ends with it).
   * @throws Refusal `certificate_already_bound`, `rotation_in_progress` 409; `authorisation_number_mismatch`,
   *   `certificate_review_required` 403; `client_unknown` 404; `participant_not_approved` and kin 403 for a participant
   */
  rebindCertificate(
    bank: string,
    client: string,
    certificate: ClientCertificate,
    overlapSeconds: number,
    actor: Actor,
  ): Promise<BoundCertificate>;
  /** Closes a rotation window early: the former certificate ends now. False when no window is open. */
  finishRotation(bank: string, client: string, actor: Actor): Promise<boolean>;
  /** CA-19: the relation is gone; calls are refused, and only staff may enrol the certificate again. */
  unbindCertificate(bank: string, client: string, thumbprint: string, actor: Actor): Promise<boolean>;
}

interface Parts {
  readonly audit: Audit;
  readonly commit: Commit;
}

interface Rotation {
  readonly bank: string;
  readonly client: string;
  readonly certificate: ClientCertificate;
  readonly overlapSeconds: number;
}

/** Relations in the database; every change announced and audited in its transaction. */
export function createCertificates({ audit, commit }: Parts): Certificates {
  return {
    rebindCertificate: (bank, client, certificate, overlapSeconds, actor) => {
      const claimed = { client: { bank, id: client, participant: undefined }, thumbprint: certificate.thumbprint };
      const rotation = { bank, client, certificate, overlapSeconds };
      return auditedClaim(audit, claimed, actor, () => rebind(commit, rotation, actor));
    },
    finishRotation: (bank, client, actor) => finishRotation(commit, bank, client, actor),
    unbindCertificate: (bank, client, thumbprint, actor) => unbind(commit, bank, client, thumbprint, actor),
  };
}

/**
 * Relates a certificate to a client, inside the transaction that makes or changes the client.
 * @throws Refusal `certificate_already_bound` 409, `certificate_review_required` 403, `field_invalid` 400
 */
export async function bind(
  statements: Statements,
  client: ClientReference,
  certificate: ClientCertificate,
  actor: Actor,
  now: Date,
): Promise<BoundCertificate> {
  checkThumbprint(certificate.thumbprint);
  const bound = relationOf(client, certificate, now);
  await deleteEnded(statements, bound, now);
  if (!(await insertCertificate(statements, bound))) throw alreadyBound();
  // After the insert, which waits for whoever is just taking this certificate's relation away.
  if (await isWithdrawn(statements, bound)) {
    if (actor.kind !== 'staff') throw reviewRequired();
    await deleteWithdrawn(statements, bound);
  }
  return bound;
}

/** Runs work that claims a certificate; a refused claim is kept in the trail, because the transaction took its own record along. */
export async function auditedClaim<T>(
  audit: Audit,
  claimed: { readonly client: ClaimingClient; readonly thumbprint: string | undefined },
  actor: Actor,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Refusal && CLAIM_REFUSALS.has(cause.code) && claimed.thumbprint !== undefined)
      audit.enqueue(certificateClaimRefused(claimed.client, claimed.thumbprint, cause.code, actor));
    throw cause;
  }
}

async function rebind(commit: Commit, rotation: Rotation, actor: Actor): Promise<BoundCertificate> {
  const { bank, client, overlapSeconds } = rotation;
  checkOverlap(overlapSeconds);
  return commit(actor, async (statements, now) => {
    const { id: participant } = await lockChangeable(statements, bank, client, actor);
    const inForce = await selectCertificates(statements, bank, client, now);
    const { bound, event } = await rotate(statements, participant, inForce, rotation, actor, now);
    return { result: bound, changes: [{ participant, bank, client }], events: [event] };
  });
}

async function rotate(
  statements: Statements,
  participant: string,
  inForce: readonly BoundCertificate[],
  rotation: Rotation,
  actor: Actor,
  now: Date,
) {
  const { bank, client, certificate, overlapSeconds } = rotation;
  const reference = { bank, id: client, participant };
  const former = checkRotation(inForce, rotation);
  await endActive(statements, bank, client, secondsAfter(now, overlapSeconds));
  if (overlapSeconds === 0) await deleteRotating(statements, bank, client, now);
  const bound = await bind(statements, reference, certificate, actor, now);
  return { bound, event: certificateRebound(reference, former?.thumbprint, bound, overlapSeconds, actor) };
}

/**
 * The certificate of an update becomes the client's, at once and inside the update's transaction (CA-18); the record of it, or
 * none when it is the client's already. @throws Refusal like `rebindCertificate`
 */
export async function renewWithin(
  statements: Statements,
  { bank, id: client, participant }: ClientReference,
  certificate: ClientCertificate,
  actor: Actor,
  now: Date,
): Promise<readonly AuditEvent[]> {
  const inForce = await selectCertificates(statements, bank, client, now);
  if (inForce.some(({ thumbprint }) => thumbprint === certificate.thumbprint)) return [];
  const rotation = { bank, client, certificate, overlapSeconds: 0 };
  return [(await rotate(statements, participant, inForce, rotation, actor, now)).event];
}

/** What may replace what (CA-02, CA-18); gives the certificate that is active until now. */
function checkRotation(
  inForce: readonly BoundCertificate[],
  { certificate, overlapSeconds }: Rotation,
): BoundCertificate | undefined {
  const active = inForce.find(({ endsAt }) => endsAt === undefined);
  if (active !== undefined && isSame(active, certificate)) throw alreadyBound();
  if (overlapSeconds > 0 && inForce.some(({ endsAt }) => endsAt !== undefined))
    throw new Refusal('rotation_in_progress', 409, 'A rotation is under way for this client; finish it first.');
  if (inForce.some((bound) => differs(bound.organizationIdentifier, certificate.organizationIdentifier)))
    throw new Refusal(
      'authorisation_number_mismatch',
      403,
      'The new certificate names another organisation than the one it would replace.',
    );
  return active;
}

/** An altered signature makes another thumbprint, not another certificate (F7). */
function isSame(bound: BoundCertificate, { issuer, serial, thumbprint }: ClientCertificate): boolean {
  return bound.thumbprint === thumbprint || (bound.issuer === issuer && bound.serial === serial);
}

/** A certificate that names an organisation is never replaced by one that names another, or none. */
function differs(former: string | undefined, next: string | undefined): boolean {
  return former !== undefined && former !== next;
}

async function finishRotation(commit: Commit, bank: string, client: string, actor: Actor): Promise<boolean> {
  return commit(actor, async (statements, now) => {
    const owner = await lockOwner(statements, bank, client);
    const ended = owner && (await deleteRotating(statements, bank, client, now));
    if (owner === undefined || ended === undefined) return { result: false, changes: [], events: [] };
    return {
      result: true,
      changes: [{ participant: owner.id, bank, client }],
      events: [rotationFinished({ bank, id: client, participant: owner.id }, ended, actor)],
    };
  });
}

async function unbind(
  commit: Commit,
  bank: string,
  client: string,
  thumbprint: string,
  actor: Actor,
): Promise<boolean> {
  checkThumbprint(thumbprint);
  return commit(actor, async (statements, now) => {
    const owner = await lockOwner(statements, bank, client);
    const ended = owner && (await deleteCertificate(statements, bank, client, thumbprint, now));
    if (owner === undefined || ended === undefined) return { result: false, changes: [], events: [] };
    const participant = owner.id;
    await insertWithdrawn(statements, { ...ended, client, participant }, now);
    return {
      result: true,
      changes: [{ participant, bank, client }],
      events: [certificateUnbound({ bank, id: client, participant }, thumbprint, actor)],
    };
  });
}

function relationOf(client: ClientReference, certificate: ClientCertificate, now: Date): BoundCertificate {
  const { thumbprint, subject, issuer, serial, organizationIdentifier, notBefore, notAfter } = certificate;
  return {
    bank: client.bank,
    client: client.id,
    thumbprint,
    subject,
    issuer,
    serial,
    organizationIdentifier,
    notBefore,
    notAfter,
    boundAt: now,
    endsAt: undefined,
  };
}

/** What a claim for a certificate can be refused with: worth an alert, whoever asks. */
const CLAIM_REFUSALS = new Set(['certificate_already_bound', 'certificate_review_required']);

function alreadyBound(): Refusal {
  return new Refusal('certificate_already_bound', 409, 'This certificate is already bound to a client of this bank.');
}

function reviewRequired(): Refusal {
  return new Refusal(
    'certificate_review_required',
    403,
    'This certificate was taken away from a client; the bank must review it before it is enrolled again.',
  );
}
