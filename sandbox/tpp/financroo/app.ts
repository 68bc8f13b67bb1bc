import type { BankTrail } from '../../bank/trail.ts';
import type { BankClient } from './bank-client.ts';
import type { Bank } from './bank-list.ts';
import type { Connections } from './connections.ts';
import type { Experimenter } from './experiments.ts';
import type { Logs } from './logs.ts';
import type { Recorder } from './messages.ts';
import type { Pictures } from './pictures.ts';
import type { Sessions } from './sessions.ts';
import type { Connection, Store } from './store.ts';

/** Everything the pages work with. */
export interface App {
  readonly origin: string;
  readonly redirectUri: string;
  readonly banks: readonly Bank[];
  clientOf(bank: string): BankClient | undefined;
  readonly store: Store;
  readonly connections: Connections;
  readonly logs: Logs;
  readonly pictures: Pictures;
  readonly recorder: Recorder;
  readonly experiment: Experimenter;
  readonly sessions: Sessions;
  /** What the banks noted of a message; undefined where there is no sandbox to ask. */
  readonly trail: BankTrail | undefined;
  readonly now: () => Date;
}

/** The connections of one of Financroo's users, of nobody else, in the order of the list of banks. */
export function connectionsOf(app: App, user: string): readonly Connection[] {
  const order = (bank: string) => app.banks.findIndex(({ id }) => id === bank);
  return app.store
    .all()
    .filter((connection) => connection.user === user)
    .toSorted((one, other) => order(one.bank) - order(other.bank));
}

/** A bank by its id, its name where the list no longer has it. */
export function bankName(app: App, id: string): string {
  return app.banks.find((bank) => bank.id === id)?.name ?? id;
}

/** `4 May 2026, 14:05` */
export function moment(at: Date | string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at));
}

/** `4 May 2026` */
export function day(at: Date | string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' }).format(new Date(at));
}
