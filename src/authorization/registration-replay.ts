import { sha256 } from '../platform/random.ts';
import type { AuthorizationRooms } from './bank.ts';
import { createArtifactStore } from './store.ts';

/** Marks a signed registration request as used until it expires; false when it was used before. One conditional statement. */
export async function markRegistrationUsed(
  rooms: AuthorizationRooms,
  bank: string,
  request: string,
  expiresAt: Date,
): Promise<boolean> {
  const artifact = { id: sha256(request), grant: undefined, uid: undefined, payload: '{}', sealed: false, expiresAt };
  return createArtifactStore(rooms.database, bank).write(
    'RegistrationRequest',
    artifact,
    'insert-once',
    rooms.clock.now(),
  );
}
