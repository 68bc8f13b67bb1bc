import type { BankConnector } from '../bank/index.ts';
import type { Log } from '../platform/log.ts';
import { createPortal, type Portal } from '../web/index.ts';
import { pageBankOf } from './pages.ts';
import type { Rooms } from './rooms.ts';
import type { Settings } from './settings.ts';

/** The customer's portal over open rooms; undefined when no door is named for it. */
export async function openPortal(
  settings: Settings,
  rooms: Rooms,
  connectorOf: (bank: string) => BankConnector,
  log: Log,
): Promise<Portal | undefined> {
  const { portal } = settings.doors;
  if (portal === undefined) return undefined;
  const banks = await Promise.all(settings.banks.map((bank) => pageBankOf(bank, settings)));
  return createPortal({ ...rooms, log, banks, origin: portal.origin, connector: connectorOf });
}
