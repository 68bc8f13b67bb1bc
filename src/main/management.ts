import type { Log } from '../platform/log.ts';
import { createManagement, type Management } from '../web/index.ts';
import type { Rooms } from './rooms.ts';
import { addressesOf, type Settings } from './settings.ts';

/** The management API over open rooms; undefined when no door is named for it. */
export async function openManagement(settings: Settings, rooms: Rooms, log: Log): Promise<Management | undefined> {
  const { management } = settings.doors;
  if (management === undefined) return undefined;
  return createManagement({
    ...rooms,
    log,
    origin: management.origin,
    banks: settings.banks.map((bank) => ({
      id: bank.id,
      issuer: addressesOf(bank, settings).issuer,
      audience: `${management.origin}/${bank.id}`,
      participant: bank.management?.participant,
      changesDirectory: bank.management?.changesDirectory === true,
    })),
  });
}
