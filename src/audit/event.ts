/** Every family there is. */
export const AUDIT_FAMILIES = [
  'authentication',
  'registration',
  'token',
  'consent',
  'directory',
  'key',
  'handler',
  'gateway',
  'administration',
] as const;
/** Every outcome there is. */
export const AUDIT_OUTCOMES = ['allowed', 'refused', 'changed', 'failed'] as const;

/** The kinds of event the trail is searched by (acceptance.md LAB-43 and the audit room of the design). */
export type AuditFamily = (typeof AUDIT_FAMILIES)[number];

/** True for a text that names a family, such as a search parameter. */
export function isAuditFamily(value: string): value is AuditFamily {
  return AUDIT_FAMILIES.some((family) => family === value);
}

/** True for a text that names an outcome. */
export function isAuditOutcome(value: string): value is AuditEvent['outcome'] {
  return AUDIT_OUTCOMES.some((outcome) => outcome === value);
}

/**
 * One decision, as the trail keeps it. No secret, token, account number or personal detail: `subject` is a reference
 * (the bank's customer id as a keyed hash), never a name.
 */
export interface AuditEvent {
  readonly family: AuditFamily;
  /** What happened, as `noun.verb`: `request.forwarded`, `consent.revoked`, `key.rotated`. */
  readonly action: string;
  readonly outcome: (typeof AUDIT_OUTCOMES)[number];
  readonly bank?: string | undefined;
  readonly participant?: string | undefined;
  readonly client?: string | undefined;
  readonly subject?: string | undefined;
  readonly consent?: string | undefined;
  /** `x-fapi-interaction-id` of the request the decision belongs to. */
  readonly interaction?: string | undefined;
  /** The stable reason code of a refusal (acceptance.md §1.3). */
  readonly reason?: string | undefined;
  /** The finer code, such as a certificate verdict; or the id of the gateway check that refused. */
  readonly detail?: string | undefined;
  /** Small facts worth keeping: route, method, status, duration in milliseconds, thumbprint, actor. */
  readonly facts?: Readonly<Record<string, string | number | boolean | null>>;
}

/** What a room passes along so that its event can name who acted in which request. */
export interface Actor {
  /** `customer`, `participant`, `staff`, or `system`. */
  readonly kind: 'customer' | 'participant' | 'staff' | 'system';
  /** A reference to who: client id, staff name, customer reference. */
  readonly reference: string;
  readonly interaction?: string | undefined;
  /** Why, where a person gave a reason. */
  readonly reason?: string | undefined;
}

/** An event as it stands in the trail. */
export interface AuditRecord extends AuditEvent {
  /** The writing process's chain. */
  readonly chain: string;
  readonly sequence: number;
  readonly at: Date;
  readonly hash: string;
}

/** The last record of a chain at one moment. */
export interface AuditHead {
  readonly chain: string;
  readonly sequence: number;
  readonly hash: string;
}

/** Search in the trail: every given member narrows; newest first, at most `limit` records. */
export interface AuditFilter {
  readonly bank?: string;
  readonly participant?: string;
  readonly client?: string;
  readonly consent?: string;
  readonly interaction?: string;
  readonly family?: AuditFamily;
  readonly action?: string;
  readonly outcome?: AuditEvent['outcome'];
  readonly reason?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly limit?: number;
  /** Continue after this record of the previous page. */
  readonly after?: { readonly at: Date; readonly chain: string; readonly sequence: number };
}

/** The verdict over all chains: intact, or the first bad record of a chain and what is wrong with it. */
export type AuditVerification =
  | { readonly intact: true; readonly chains: number; readonly records: number }
  | {
      readonly intact: false;
      readonly chain: string;
      readonly sequence: number;
      readonly problem: 'changed' | 'removed' | 'reordered' | 'chain removed';
    };
