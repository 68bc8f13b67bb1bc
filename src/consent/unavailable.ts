import { Refusal } from '../platform/refusal.ts';

/** The refusal of a consent store that is slow, down or contradicts itself: `consent_store_unavailable` 503 (N-199). */
export function storeUnavailable(cause: unknown): Refusal {
  return new Refusal('consent_store_unavailable', 503, 'Consents cannot be read or changed at the moment. Try again.', {
    cause,
  });
}
