import { createCache } from '../platform/cache.ts';
import type { Clock } from '../platform/clock.ts';
import type { RevocationQuestion, RevocationStatus } from './revocation-status.ts';
import { issuerSerial } from './x509.ts';

/** Certificates remembered as withdrawn: far more than ever call again. */
const MAXIMUM_WITHDRAWN = 10_000;

/** What was withdrawn for good. */
export interface Withdrawn {
  /**
   * The status as it is, except that silence does not undo a withdrawal: whoever can cut us off from the authority must not
   * bring a certificate back where reads go on without an answer.
   */
  after(question: RevocationQuestion, status: RevocationStatus): RevocationStatus;
  clear(): void;
}

/** Remembers withdrawals that are not a mere hold until the certificate ends, or its authority says otherwise. */
export function createWithdrawn(clock: Clock): Withdrawn {
  const known = createCache<true>({ maximum: MAXIMUM_WITHDRAWN, clock });
  return {
    after: ({ certificate, issuer }, status) => {
      const key = `${issuer.spkiSha256} ${issuerSerial(certificate)}`;
      if (status.permanent) void known.load(key, async () => ({ value: true, validUntil: certificate.notAfter }));
      if (status.state === 'good') known.drop(key);
      const silent = status.state === 'unavailable' && known.get(key) === true;
      return silent ? { ...status, state: 'revoked', permanent: true } : status;
    },
    clear: known.clear,
  };
}
