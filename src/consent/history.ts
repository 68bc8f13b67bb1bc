import type { Actor } from '../audit/index.ts';
import type { Consent, ConsentStep } from './consent.ts';
import { consentAt, isDue } from './transitions.ts';

/** Who ends a consent when its time is over. */
export const EXPIRY: Actor = { kind: 'system', reference: 'clock' };

/** Characters of what a person wrote or a reference names, as history keeps it. */
export const MAXIMUM_WORDS = 500;

/** The step that brought a consent to its present state. */
export function stepOf(action: ConsentStep['action'], consent: Consent, actor: Actor): ConsentStep {
  return {
    at: consent.changedAt,
    action,
    state: consent.state,
    actor: actor.kind,
    actorReference: words(actor.reference),
    reason: actor.reason === undefined ? undefined : words(actor.reason),
  };
}

/** The steps as written, and the end that time brought when none of them says so yet. */
export function withEnd(steps: readonly ConsentStep[], consent: Consent, now: Date): readonly ConsentStep[] {
  const ended = isDue(consent, now) && !steps.some(({ action }) => action === 'expire');
  return ended ? [...steps, stepOf('expire', consentAt(consent, now), EXPIRY)] : steps;
}

/** What a database can keep: PostgreSQL takes neither NUL nor lone surrogates. */
export function words(value: string): string {
  return value.toWellFormed().replaceAll('\0', ' ').slice(0, MAXIMUM_WORDS);
}
