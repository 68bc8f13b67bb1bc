import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Consent, ConsentAction, ConsentState } from './consent.ts';
import {
  CONSENT_ACTIONS,
  CONSENT_STATES,
  consentAt,
  isDue,
  refuseTransition,
  stateAfter,
  statesBefore,
  stateWhenDue,
  TRANSITIONS,
} from './transitions.ts';

/** Written out by hand from acceptance.md, so that the table is proven and not repeated. */
const ALLOWED: readonly (readonly [ConsentState, ConsentAction, ConsentState])[] = [
  ['Awaiting', 'authorise', 'Authorised'],
  ['Awaiting', 'reject', 'Rejected'],
  ['Awaiting', 'revoke', 'Revoked'],
  ['Awaiting', 'expire', 'Rejected'],
  ['Authorised', 'consume', 'Consumed'],
  ['Authorised', 'revoke', 'Revoked'],
  ['Authorised', 'expire', 'Expired'],
];

const END = new Date('2026-03-01T12:00:00.000Z');

function consentIn(state: ConsentState): Consent {
  return {
    id: 'consent-1',
    bank: 'gobank',
    participant: 'financroo',
    client: 'client-1',
    customer: 'customer-1',
    state,
    scopes: ['accounts'],
    accounts: [],
    authorizationDetails: [],
    createdAt: new Date('2026-01-01T00:00:00Z'),
    changedAt: new Date('2026-01-01T00:00:00Z'),
    expiresAt: END,
    lastUsedAt: undefined,
  };
}

for (const state of CONSENT_STATES) {
  for (const action of CONSENT_ACTIONS) {
    const allowed = ALLOWED.find(([from, by]) => from === state && by === action);
    const outcome = TRANSITIONS[state][action];
    if (allowed !== undefined) {
      test(`ASK-09 ${state} + ${action} leads to ${allowed[2]}`, () => assert.deepEqual(outcome, { to: allowed[2] }));
    } else if (state === 'Revoked' && action === 'revoke') {
      test('ASK-09 N-200 Revoked + revoke stays as it is', () => assert.equal(outcome, 'unchanged'));
    } else {
      test(`ASK-09 N-194 ${state} + ${action} is refused with consent_status_invalid 400`, () => {
        assert.equal(outcome, 'refused');
        const refusal = refuseTransition(state, action);
        assert.equal(refusal.code, 'consent_status_invalid');
        assert.equal(refusal.status, 400);
        assert.match(refusal.message, new RegExp(state));
      });
    }
  }
}

test('ASK-09 every pair of state and action has exactly one outcome', () => {
  assert.deepEqual(Object.keys(TRANSITIONS), [...CONSENT_STATES]);
  for (const state of CONSENT_STATES) {
    assert.deepEqual(Object.keys(TRANSITIONS[state]).sort(), [...CONSENT_ACTIONS].sort());
  }
});

test('the statements ask for the states the table allows', () => {
  assert.deepEqual(statesBefore('revoke'), ['Awaiting', 'Authorised']);
  assert.deepEqual(statesBefore('consume'), ['Authorised']);
  assert.deepEqual(statesBefore('authorise'), ['Awaiting']);
  assert.equal(stateAfter('revoke'), 'Revoked');
  assert.equal(stateAfter('reject'), 'Rejected');
});

test('N-192 an Authorised consent reads as Expired from the very moment it ends', () => {
  const consent = consentIn('Authorised');
  assert.equal(consentAt(consent, new Date(END.getTime() - 1)).state, 'Authorised');
  assert.equal(consentAt(consent, END).state, 'Expired');
  assert.deepEqual(consentAt(consent, END).changedAt, END);
});

test('N-208 an Awaiting consent reads as Rejected from the moment the time to decide is over', () => {
  const consent = consentIn('Awaiting');
  assert.equal(consentAt(consent, new Date(END.getTime() - 1)).state, 'Awaiting');
  assert.equal(consentAt(consent, END).state, 'Rejected');
});

test('what has come to its end does not end again', () => {
  for (const state of ['Rejected', 'Consumed', 'Revoked', 'Expired'] as const) {
    const later = new Date(END.getTime() + 86_400_000);
    assert.equal(stateWhenDue(state), state);
    assert.equal(isDue(consentIn(state), later), false);
    assert.equal(consentAt(consentIn(state), later).state, state);
  }
});
