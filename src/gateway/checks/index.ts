import type { Check } from '../check.ts';
import type { Route, RouteAction, TokenKind } from '../route.ts';
import { accountInConsent } from './account-in-consent.ts';
import { bodySize } from './body-size.ts';
import { certificateEnrolled } from './certificate-enrolled.ts';
import { certificateOrganisation } from './certificate-organisation.ts';
import { certificateRole } from './certificate-role.ts';
import { certificateTrusted } from './certificate-trusted.ts';
import { clientKnown } from './client-known.ts';
import { consentAuthorised } from './consent-authorised.ts';
import { consentFound } from './consent-found.ts';
import { consentOwner } from './consent-owner.ts';
import { consentPermission } from './consent-permission.ts';
import { participantActive } from './participant-active.ts';
import { participantRegistered } from './participant-registered.ts';
import { participantRole } from './participant-role.ts';
import { paymentBody } from './payment-body.ts';
import { rateLimit } from './rate-limit.ts';
import { tokenActive } from './token-active.ts';
import { tokenAudience } from './token-audience.ts';
import { tokenBound } from './token-bound.ts';
import { tokenKind } from './token-kind.ts';
import { tokenPresent } from './token-present.ts';
import { tokenScope } from './token-scope.ts';
import { tokenizeBody } from './tokenize-body.ts';
import { trailWritable } from './trail-writable.ts';

export type { Check } from '../check.ts';

/** What a check can guard: a kind of route, a route that needs a consent, one that names an account, or one action. */
export type Column = TokenKind | 'consent' | 'account' | RouteAction;

/** A row of the table. */
export interface Row {
  readonly check: Check;
  readonly guards: readonly Column[];
}

/**
 * Every check of the gateway. Read it down: the order of acceptance.md §1.3. Read it across: what a check guards.
 * The first refusal decides, and nothing behind it runs.
 */
export const table: readonly Row[] = [
  { check: certificateTrusted, guards: ['customer', 'participant', 'any'] },
  { check: certificateRole, guards: ['customer', 'participant', 'any'] },
  { check: tokenPresent, guards: ['customer', 'participant', 'any'] },
  { check: tokenActive, guards: ['customer', 'participant', 'any'] },
  { check: tokenBound, guards: ['customer', 'participant', 'any'] },
  { check: clientKnown, guards: ['customer', 'participant', 'any'] },
  { check: certificateEnrolled, guards: ['customer', 'participant', 'any'] },
  { check: participantActive, guards: ['customer', 'participant', 'any'] },
  { check: certificateOrganisation, guards: ['customer', 'participant', 'any'] },
  { check: participantRegistered, guards: ['customer', 'participant', 'any'] },
  { check: participantRole, guards: ['customer', 'participant', 'any'] },
  { check: tokenAudience, guards: ['customer', 'participant', 'any'] },
  { check: tokenScope, guards: ['customer', 'participant', 'any'] },
  { check: tokenKind, guards: ['customer', 'participant'] },
  { check: rateLimit, guards: ['customer', 'participant', 'any'] },
  { check: bodySize, guards: ['customer', 'participant', 'any'] },
  { check: tokenizeBody, guards: ['tokenize'] },
  { check: paymentBody, guards: ['pay'] },
  { check: consentFound, guards: ['consent'] },
  { check: consentOwner, guards: ['consent'] },
  { check: consentAuthorised, guards: ['consent'] },
  { check: consentPermission, guards: ['consent'] },
  { check: accountInConsent, guards: ['account'] },
  { check: trailWritable, guards: ['customer', 'participant', 'any'] },
];

/** The checks of a route, in order. */
export function checksFor(route: Route): readonly Check[] {
  const columns = columnsOf(route);
  return table.filter(({ guards }) => guards.some((column) => columns.has(column))).map(({ check }) => check);
}

function columnsOf(route: Route): ReadonlySet<Column> {
  const columns = new Set<Column>([route.token, route.action]);
  if (route.consent) columns.add('consent');
  if (route.path.includes('{account}') || route.action === 'tokenize') columns.add('account');
  return columns;
}
