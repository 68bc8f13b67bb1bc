import type { Adapter } from 'oidc-provider';
import type { Actor } from '../audit/index.ts';
import type { Consents } from '../consent/index.ts';
import { Refusal } from '../platform/refusal.ts';

/**
 * The engine's grants: its rows, alive only while the consent of the same id is. Revocation therefore needs no write here:
 * from the moment the consent says so, code, refresh and introspection find no grant (design §3e). The other way round the
 * engine ends a grant when a refresh token is revoked (RFC 7009 §2.1) or a code comes twice: then the consent is revoked too,
 * so that the customer sees what is true.
 */
export function createGrantAdapter(rows: Adapter, consents: Consents, bank: string, actor: () => Actor): Adapter {
  return {
    ...rows,
    find: async (id) => {
      const consent = await consents.current(bank, id);
      return consent?.state === 'Authorised' ? rows.find(id) : undefined;
    },
    destroy: async (id) => {
      await rows.destroy(id);
      await endConsent(consents, bank, id, actor());
    },
  };
}

/** Revokes a consent that is still in force; one that has ended already stays as it is. */
export async function endConsent(
  consents: Pick<Consents, 'find' | 'revoke'>,
  bank: string,
  id: string,
  actor: Actor,
): Promise<void> {
  const consent = await consents.find(bank, id);
  if (consent?.state !== 'Authorised') return;
  await consents.revoke(bank, id, actor).catch((cause: unknown) => {
    // It ended in another way between the two: that is as good.
    if (!(cause instanceof Refusal && cause.code === 'consent_status_invalid')) throw cause;
  });
}
