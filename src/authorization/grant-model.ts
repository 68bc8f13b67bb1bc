import type { Adapter } from 'oidc-provider';
import type { Consents } from '../consent/index.ts';

/**
 * The engine's grants: its rows, alive only while the consent of the same id is. Revocation therefore needs no write here:
 * from the moment the consent says so, code, refresh and introspection find no grant (design §3e).
 */
export function createGrantAdapter(rows: Adapter, consents: Consents, bank: string): Adapter {
  return {
    ...rows,
    find: async (id) => {
      const consent = await consents.current(bank, id);
      return consent?.state === 'Authorised' ? rows.find(id) : undefined;
    },
  };
}
