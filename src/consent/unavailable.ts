import { Refusal } from '../platform/refusal.ts';

/** The refusal of a consent store that is slow, down or contradicts itself: `consent_store_unavailable` 503 (N-199). */
export function storeUnavailable(cause: unknown): Refusal {
  return new Refusal('consent_store_unavailable', 503, 'Consents cannot be read or changed at the moment. Try again.', {
    cause,
  });
}

/** The refusal of an id that no consent has. */
export function missing(): Refusal {
  return new Refusal('consent_missing', 404, 'There is no consent with this id.');
}

/** A store that does not answer, or contradicts itself, is unavailable: nobody may take that for a yes (N-199). */
export async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof Refusal ? cause : storeUnavailable(cause);
  }
}
