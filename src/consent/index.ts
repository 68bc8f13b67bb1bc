export type {
  AccountChange,
  Authorisation,
  Consent,
  ConsentAction,
  ConsentFilter,
  ConsentState,
  ConsentStep,
  NewConsent,
} from './consent.ts';
export { type ConsentsOptions, createConsents } from './consents.ts';
export type { Ending } from './ending-store.ts';
export {
  createExternalConsentStore,
  type ExternalConsentStore,
  type ExternalConsentStoreOptions,
} from './external-store.ts';
export type { ConsentStore, Consents } from './port.ts';
export { createSqlConsentStore, type SqlConsentStore, type SqlConsentStoreOptions } from './sql-consents.ts';
export { announceConsent } from './store.ts';
export { CONSENT_ACTIONS, CONSENT_STATES, consentAt, type Outcome, TRANSITIONS } from './transitions.ts';
export { storeUnavailable } from './unavailable.ts';
