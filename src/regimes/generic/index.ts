import type { Regime } from '../regime.ts';
import { routes } from './routes.ts';
import { rolesByScope, scopes } from './scopes.ts';

/** The neutral market: the APIs of the sandbox contract, without any country's rules. */
export const generic: Regime = {
  id: 'generic',
  scopes,
  routes,
  rolesByScope,
  // Delegated Regulation (EU) 2022/2360: strong customer authentication is renewed after 180 days at the latest.
  consentDays: 180,
  errorFormat: 'generic',
};
