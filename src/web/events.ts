import type { AuditEvent } from '../audit/index.ts';

/** Where an event of the pages happened. `subject` is a keyed hash of the user name, never the name. */
export interface EventPlace {
  readonly bank: string;
  /** Undefined where nobody but the customer takes part. */
  readonly participant: string | undefined;
  readonly client: string | undefined;
  readonly interaction: string;
}

/** A customer signed in; `subject` refers to the customer, by the same keyed hash. */
export function signedIn(place: EventPlace, subject: string): AuditEvent {
  return { ...place, family: 'authentication', action: 'sign_in.succeeded', outcome: 'allowed', subject };
}

/** The bank said no to a user name and password. */
export function signInFailed(place: EventPlace, subject: string, attempts: number): AuditEvent {
  return {
    ...place,
    family: 'authentication',
    action: 'sign_in.failed',
    outcome: 'refused',
    subject,
    reason: 'sign_in_failed',
    facts: { attempts },
  };
}

/** The last attempt allowed has failed: the user name is locked. */
export function signInLocked(place: EventPlace, subject: string, until: Date): AuditEvent {
  return {
    ...place,
    family: 'authentication',
    action: 'sign_in.locked',
    outcome: 'changed',
    subject,
    reason: 'sign_in_locked',
    facts: { until: until.toISOString() },
  };
}

/** Somebody tried a user name that is locked; the bank was not asked. */
export function signInRefused(place: EventPlace, subject: string): AuditEvent {
  return {
    ...place,
    family: 'authentication',
    action: 'sign_in.refused',
    outcome: 'refused',
    subject,
    reason: 'sign_in_locked',
  };
}

/** Too many failures from one address: the bank was not asked. */
export function sourceRefused(place: EventPlace, subject: string): AuditEvent {
  return { ...signInRefused(place, subject), reason: 'sign_in_source_locked' };
}

/** The bank did not answer a sign-in. */
export function signInUnanswered(place: EventPlace, subject: string): AuditEvent {
  return {
    ...place,
    family: 'authentication',
    action: 'sign_in.unanswered',
    outcome: 'failed',
    subject,
    reason: 'upstream_unavailable',
  };
}

/** A page of a participant's request answered with a refusal; codes only, and whom it was about is on the records before. */
export function pageRefused(bank: string, interaction: string, code: string, status: number): AuditEvent {
  const outcome = status >= 500 ? 'failed' : 'refused';
  return {
    family: 'authentication',
    action: 'page.refused',
    outcome,
    bank,
    interaction,
    reason: code,
    facts: { status },
  };
}

/** A form came without its token, from another site, or with something that is not the customer's (N-195, N-215). */
export function formRefused(place: EventPlace, reason: string): AuditEvent {
  return { ...place, family: 'authentication', action: 'form.refused', outcome: 'refused', reason };
}
