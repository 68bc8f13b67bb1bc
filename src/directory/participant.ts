/** Standing of a participant (LAB-12, LAB-15, LAB-16). Only `approved` may do anything. */
export type ParticipantStatus = 'pending' | 'approved' | 'suspended' | 'rejected' | 'removed';

/** The PSD2 roles. */
export type Role = 'AISP' | 'PISP' | 'CBPII' | 'ASPSP';

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
  /** RFC 7591 metadata in the engine's form, with inline `jwks`; byte-stable, nothing volatile. No secret. */
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
