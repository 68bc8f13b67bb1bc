import type { Actor } from '../../audit/index.ts';
import { noteUnredeemed, removeAgreed, takeUnredeemed, type Unredeemed } from '../../authorization/index.ts';
import type { Consents } from '../../consent/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import type { Tokens } from '../../tokens/index.ts';
import { revokeConsent } from './operations.ts';

/** The rooms this asks. */
export interface UnusedRooms {
  readonly database: Database;
  readonly consents: Pick<Consents, 'find' | 'revoke' | 'ended'>;
  readonly tokens: Pick<Tokens, 'deny'>;
  readonly clock: Clock;
}

/** Who ends them; the reason stands in the history. */
const NOT_TAKEN_UP: Actor = {
  kind: 'system',
  reference: 'not-taken-up',
  reason: 'the third party did not take it up in time',
};

/**
 * Ends consents that a customer agreed to and whose code was not redeemed in time: nobody can use them, so nobody may be told
 * that they are active (N-208). Gives how many ended.
 */
export async function endUnused(rooms: UnusedRooms, banks: readonly string[]): Promise<number> {
  const due = await takeUnredeemed(rooms.database, banks, rooms.clock.now());
  const ended = await Promise.all(due.map((one) => end(rooms, one)));
  return ended.filter((one) => one).length;
}

async function end(rooms: UnusedRooms, one: Unredeemed): Promise<boolean> {
  const { bank, consent: id } = one;
  if ((await rooms.consents.find(bank, id))?.state !== 'Authorised') {
    await removeAgreed(rooms.database, one);
    return false;
  }
  await revokeConsent(rooms, bank, id, NOT_TAKEN_UP);
  await noteUnredeemed(rooms.database, one, rooms.clock.now());
  return true;
}
