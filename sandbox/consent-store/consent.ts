/** The states a consent can be in (docs/integrate/consent-store.md). */
export const states = ['Awaiting', 'Authorised', 'Rejected', 'Consumed', 'Revoked', 'Expired'] as const;
export type State = (typeof states)[number];

/** Who can act on a consent. */
export const actorKinds = ['customer', 'participant', 'staff', 'system'] as const;

/** Who did something, as history keeps it. */
export interface Actor {
  readonly kind: (typeof actorKinds)[number];
  readonly reference: string;
  readonly reason?: string | undefined;
}

/** A value of a bank-defined attribute. */
export type AttributeValue = string | number | boolean;

/** A consent as the bank keeps it; times in milliseconds since the epoch. */
export interface Consent {
  readonly id: string;
  readonly participant: string;
  readonly client: string;
  readonly customer: string | null;
  readonly state: State;
  readonly scopes: readonly string[];
  readonly accounts: readonly string[];
  readonly authorizationDetails: readonly unknown[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly expiresAt: number;
  readonly lastUsedAt: number | null;
  /** Counts changes: the entity tag. */
  readonly version: number;
}

/** One step of a consent's life. */
export interface Step {
  readonly at: number;
  readonly action: 'create' | 'authorise' | 'reject' | 'consume' | 'revoke' | 'expire';
  readonly state: State;
  readonly actor: Actor;
}

/** A state that somebody can bring about; time alone makes Expired. */
export type Target = Exclude<State, 'Awaiting' | 'Expired'>;

/** From which states each one can be reached, and what the step is called. */
export const reaching: Readonly<Record<Target, { readonly from: readonly State[]; readonly action: Step['action'] }>> =
  {
    Authorised: { from: ['Awaiting'], action: 'authorise' },
    Rejected: { from: ['Awaiting'], action: 'reject' },
    Consumed: { from: ['Authorised'], action: 'consume' },
    Revoked: { from: ['Awaiting', 'Authorised'], action: 'revoke' },
  };

/** The state a consent reads as when its time is over. */
export function stateAt({ state, expiresAt }: Pick<Consent, 'state' | 'expiresAt'>, now: number): State {
  if (now < expiresAt) return state;
  if (state === 'Authorised') return 'Expired';
  return state === 'Awaiting' ? 'Rejected' : state;
}

/** The consent as it reads now: it changed when it ended. */
export function consentAt(consent: Consent, now: number): Consent {
  const state = stateAt(consent, now);
  return state === consent.state ? consent : { ...consent, state, changedAt: consent.expiresAt };
}

/** The consent as the contract writes it. */
export function written(consent: Consent): Readonly<Record<string, unknown>> {
  const { version: _, createdAt, changedAt, expiresAt, lastUsedAt, ...rest } = consent;
  return {
    ...rest,
    createdAt: time(createdAt),
    changedAt: time(changedAt),
    expiresAt: time(expiresAt),
    lastUsedAt: lastUsedAt === null ? null : time(lastUsedAt),
  };
}

/** A step as the contract writes it. */
export function writtenStep({ at, action, state, actor }: Step): Readonly<Record<string, unknown>> {
  const { kind, reference, reason } = actor;
  return { at: time(at), action, state, actor: kind, actorReference: reference, reason: reason ?? null };
}

function time(at: number): string {
  return new Date(at).toISOString();
}
