import { Refusal } from '../platform/refusal.ts';

/** A store that does not answer is unavailable: nobody may take that for a yes, nor for a bad token. @throws Refusal `token_store_unavailable` 503 */
export async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('token_store_unavailable', 503, 'Access tokens cannot be checked at the moment. Try again.', {
      cause,
    });
  }
}
