import { Refusal } from '../platform/refusal.ts';
import type { AccountChange, Consent, ConsentAction, ConsentState } from './consent.ts';
import { missing } from './unavailable.ts';

/** What an action leads to: another state, the same state again (`unchanged`), or a refusal. */
export type Outcome = { readonly to: ConsentState } | 'unchanged' | 'refused';

/** Every state, in the order of a consent's life. */
export const CONSENT_STATES = ['Awaiting', 'Authorised', 'Rejected', 'Consumed', 'Revoked', 'Expired'] as const;

/** Every action that can be tried on a consent. */
export const CONSENT_ACTIONS = ['authorise', 'reject', 'consume', 'revoke', 'expire'] as const;

const FINAL = {
  authorise: 'refused',
  reject: 'refused',
  consume: 'refused',
  revoke: 'refused',
  expire: 'refused',
} as const;

/**
 * The life of a consent (ASK-09): read a row for a state, a column for what each action makes of it. The statements, the
 * refusals and the documentation all come from here.
 */
export const TRANSITIONS: Readonly<Record<ConsentState, Readonly<Record<ConsentAction, Outcome>>>> = {
  Awaiting: {
    authorise: { to: 'Authorised' },
    reject: { to: 'Rejected' },
    consume: 'refused',
    revoke: { to: 'Revoked' },
    expire: { to: 'Rejected' },
  },
  Authorised: {
    authorise: 'refused',
    reject: 'refused',
    consume: { to: 'Consumed' },
    revoke: { to: 'Revoked' },
    expire: { to: 'Expired' },
  },
  Rejected: FINAL,
  Consumed: FINAL,
  Revoked: { ...FINAL, revoke: 'unchanged' },
  Expired: FINAL,
};

/** The states from which an action changes something: what a conditional statement asks for. */
export function statesBefore(action: ConsentAction): readonly ConsentState[] {
  return CONSENT_STATES.filter((state) => typeof TRANSITIONS[state][action] === 'object');
}

/** The state an action leads to from each state it is allowed in; one state for every action but `expire`. */
export function stateAfter(action: Exclude<ConsentAction, 'expire'>): ConsentState {
  const [before] = statesBefore(action);
  const outcome = before === undefined ? 'refused' : TRANSITIONS[before][action];
  if (typeof outcome !== 'object') throw new Error(`no state allows ${action}`);
  return outcome.to;
}

/** What an expired `state` reads as: Authorised becomes Expired, Awaiting becomes Rejected, the others have no end. */
export function stateWhenDue(state: ConsentState): ConsentState {
  const outcome = TRANSITIONS[state].expire;
  return typeof outcome === 'object' ? outcome.to : state;
}

/** True from the very moment a consent ends (N-192): the moment itself is no longer within. */
export function isDue(consent: Pick<Consent, 'state' | 'expiresAt'>, at: Date): boolean {
  return stateWhenDue(consent.state) !== consent.state && at.getTime() >= consent.expiresAt.getTime();
}

/** The consent as it reads at a time; it changed when it ended, not when somebody noticed (N-192, N-208, N-214). */
export function consentAt(consent: Consent, at: Date): Consent {
  if (!isDue(consent, at)) return consent;
  return { ...consent, state: stateWhenDue(consent.state), changedAt: consent.expiresAt };
}

/** The refusal of an action in a state: `consent_status_invalid` 400, with the state in words for the caller. */
export function refuseTransition(state: ConsentState, action: ConsentAction): Refusal {
  const sentence = `The consent is ${state}; it can no longer be ${PAST_TENSE[action]}.`;
  return new Refusal('consent_status_invalid', 400, state === 'Awaiting' ? AWAITING_SENTENCE : sentence, {
    detail: `${action}_when_${state.toLowerCase()}`,
  });
}

const AWAITING_SENTENCE = 'The consent is Awaiting; the customer has to decide first.';

const PAST_TENSE = {
  authorise: 'authorised',
  reject: 'rejected',
  consume: 'used',
  revoke: 'revoked',
  expire: 'ended',
} as const;

/** Why accounts did not change: `kept` again when it has them already. @throws Refusal as `ConsentStore.changeAccounts` says */
export function keptAccounts(kept: Consent | undefined, { customer, accounts }: AccountChange, now: Date): Consent {
  if (kept === undefined) throw missing();
  if (kept.customer !== customer) throw new Refusal('consent_wrong_user', 403, "The consent is another customer's.");
  const consent = consentAt(kept, now);
  if (consent.state !== 'Authorised')
    throw new Refusal('consent_status_invalid', 400, `The consent is ${consent.state}: its accounts stay as they are.`);
  if (consent.accounts.length === accounts.length && accounts.every((account) => consent.accounts.includes(account)))
    return consent;
  throw new Refusal('consent_status_invalid', 400, 'The accounts were changed too often; agree to a new consent.');
}
