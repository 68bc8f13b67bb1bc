import { endConsent, listConsents, readConsent } from './consents.ts';
import type { DefinedOperation } from './operation.ts';
import { participantOperations } from './participants.ts';
import { tokenOperations } from './tokens.ts';
import { participantHistory, searchTrail } from './trail.ts';

/** Every operation of the management API. Each declares the scope it needs. */
export const managementOperations: readonly DefinedOperation[] = [
  listConsents,
  readConsent,
  endConsent,
  ...tokenOperations,
  ...participantOperations,
  participantHistory,
  searchTrail,
];
