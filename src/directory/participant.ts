import { Refusal } from '../platform/refusal.ts';

/** Standing of a participant (LAB-12, LAB-15, LAB-16). Only `approved` may do anything. */
export type ParticipantStatus = (typeof PARTICIPANT_STATUSES)[number];

/** Every status there is. */
export const PARTICIPANT_STATUSES = ['pending', 'approved', 'suspended', 'rejected', 'removed'] as const;

/** The PSD2 roles. */
export type Role = (typeof ROLES)[number];

/** Every role there is. */
export const ROLES = ['AISP', 'PISP', 'CBPII', 'ASPSP'] as const;

/** A regulated third party: who it is and what it may do, apart from its OAuth clients. */
export interface Participant {
  /** tppId: short, stable, lower case; `financroo`. */
  readonly id: string;
  /** Registered company name, shown on consent pages. */
  readonly name: string;
  /** Registration or authorisation number, such as `PSDXX-SANDBOX-123456`. */
  readonly registrationNumber: string;
  readonly email: string;
  readonly phone: string | undefined;
  readonly roles: readonly Role[];
  readonly status: ParticipantStatus;
  readonly statusReason: string | undefined;
  /** Requests per minute over all clients and nodes; undefined: no limit. */
  readonly requestsPerMinute: number | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What is known when a participant is entered. */
export type NewParticipant = Pick<Participant, 'id' | 'name' | 'registrationNumber' | 'email' | 'roles' | 'status'> & {
  readonly phone?: string | undefined;
  readonly requestsPerMinute?: number | undefined;
};

/** An OAuth client of a participant at one bank. */
export interface RegisteredClient {
  readonly id: string;
  readonly bank: string;
  readonly participant: string;
  readonly softwareId: string | undefined;
  /** RFC 7591 metadata in the engine's form, with inline `jwks`; byte-stable, nothing volatile, deeply frozen. No secret. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Hashes of secrets that are valid now (baseline banks only; two during a rotation). */
  readonly secretHashes: readonly string[];
  readonly createdAt: Date;
}

/** The stored relation certificate ↔ client (CA-01, CA-02): one active certificate, a second only inside a rotation window. */
export interface BoundCertificate {
  readonly bank: string;
  readonly client: string;
  readonly thumbprint: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** organizationIdentifier of the subject (2.5.4.97), where it has one. */
  readonly organizationIdentifier: string | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly boundAt: Date;
  /** When the rotation window closes for this certificate; undefined while it is the active one. */
  readonly endsAt: Date | undefined;
}

/** Everything the edges ask of a client in one answer; cached, dropped at once on any change. */
export interface Standing {
  readonly client: RegisteredClient;
  readonly participant: Participant;
  readonly certificates: readonly BoundCertificate[];
}

const NEXT: Readonly<Record<ParticipantStatus, readonly ParticipantStatus[]>> = {
  pending: ['approved', 'rejected', 'removed'],
  approved: ['suspended', 'removed'],
  suspended: ['approved', 'removed'],
  rejected: ['removed'],
  removed: [],
};

/** Whether a participant may go from one status to another; `removed` is final (LAB-16). */
export function mayBecome(from: ParticipantStatus, to: ParticipantStatus): boolean {
  return NEXT[from].includes(to);
}

/**
 * Passes an approved participant on; everything else is refused with the reason of acceptance.md §1.3.
 * @throws Refusal `participant_unknown`, `participant_not_approved`, `participant_suspended` 403
 */
export function checkApproved(participant: Participant | undefined): Participant {
  if (participant === undefined)
    throw new Refusal('participant_unknown', 403, 'The participant is not in the directory.');
  const { status } = participant;
  switch (status) {
    case 'approved':
      return participant;
    case 'suspended':
      throw new Refusal('participant_suspended', 403, 'The participant is suspended; contact the bank.');
    case 'pending':
    case 'rejected':
    case 'removed':
      throw new Refusal('participant_not_approved', 403, `The participant is not approved: it is ${status}.`, {
        detail: status,
      });
    default:
      return unknownStatus(status);
  }
}

function unknownStatus(status: never): never {
  throw new Error(`unhandled participant status ${String(status)}`);
}
