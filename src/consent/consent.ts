import type { Actor } from '../audit/index.ts';

/** The internal states (acceptance.md §1.2); each regime shows its own names. */
export type ConsentState = 'Awaiting' | 'Authorised' | 'Rejected' | 'Consumed' | 'Revoked' | 'Expired';

/** What can be done to a consent. */
export type ConsentAction = 'authorise' | 'reject' | 'consume' | 'revoke' | 'expire';

/** What a customer allowed, to whom, for which accounts, until when. Its id is the grant id of the tokens. */
export interface Consent {
  readonly id: string;
  readonly bank: string;
  readonly participant: string;
  readonly client: string;
  /** The bank's own id of the customer; undefined until somebody signed in. */
  readonly customer: string | undefined;
  /** The state at the time of reading: an Authorised consent past `expiresAt` reads as Expired. */
  readonly state: ConsentState;
  /** API scopes as granted (as asked while Awaiting). */
  readonly scopes: readonly string[];
  readonly accounts: readonly string[];
  readonly authorizationDetails: readonly Readonly<Record<string, unknown>>[];
  readonly createdAt: Date;
  readonly changedAt: Date;
  /** End of an Authorised consent; while Awaiting, the end of the time to decide. */
  readonly expiresAt: Date;
  readonly lastUsedAt: Date | undefined;
  /** True while a withdrawal is in force here and the bank's own store has not confirmed it: show "being revoked" (N-201). */
  readonly revoking?: true;
}

/** One step of a consent's life. */
export interface ConsentStep {
  readonly at: Date;
  readonly action: 'create' | 'change' | ConsentAction;
  readonly state: ConsentState;
  readonly actor: Actor['kind'];
  readonly actorReference: string;
  readonly reason: string | undefined;
  /** Of `change`: the accounts before and after it (N-207). */
  readonly accounts?: { readonly before: readonly string[]; readonly after: readonly string[] };
}

/** The accounts a customer wants to share from now on. */
export interface AccountChange {
  readonly customer: string;
  readonly accounts: readonly string[];
}

/** A consent that is asked for. */
export interface NewConsent {
  readonly id: string;
  readonly bank: string;
  readonly participant: string;
  readonly client: string;
  readonly customer: string | undefined;
  readonly scopes: readonly string[];
  readonly authorizationDetails: readonly Readonly<Record<string, unknown>>[];
  /** The end of the time to decide. */
  readonly decideBefore: Date;
}

/** What the customer agreed to. */
export interface Authorisation {
  readonly customer: string;
  readonly scopes: readonly string[];
  readonly accounts: readonly string[];
  readonly expiresAt: Date;
}

/** Narrowing of a list of consents; newest first. */
export interface ConsentFilter {
  readonly bank: string;
  readonly customer?: string;
  readonly participant?: string;
  readonly client?: string;
  readonly state?: ConsentState;
  readonly limit?: number;
  /** Continue after this consent, the last one of the list before. */
  readonly after?: { readonly createdAt: Date; readonly id: string };
}
