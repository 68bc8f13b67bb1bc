import type { Log } from './messages.ts';

/** To whom messages belong: a connection, or a flow that became none. */
export interface LogOwner {
  readonly id: string;
  readonly user: string;
  readonly bank: string;
}

/** The messages of connections and flows, to be looked at. */
export interface Logs {
  /** Of this owner; an empty one when there was none. */
  of(owner: LogOwner): Log;
  keep(owner: LogOwner, log: Log): void;
  /** By the id of a connection or flow; undefined for other users' (SCR-29). */
  find(id: string, user: string): (LogOwner & { readonly log: Log }) | undefined;
  /** All of a user, the latest first. */
  ofUser(user: string): readonly (LogOwner & { readonly log: Log })[];
}

/** Flows that came to nothing are kept as well; the oldest go. */
const MOST_LOGS = 100;

/** Logs in memory. */
export function createLogs(): Logs {
  const logs = new Map<string, LogOwner & { readonly log: Log }>();
  const keep = ({ id, user, bank }: LogOwner, log: Log): void => {
    logs.set(id, { id, user, bank, log });
    const [oldest] = logs.keys();
    if (logs.size > MOST_LOGS && oldest !== undefined) logs.delete(oldest);
  };
  return {
    keep,
    find: (id, user) => {
      const found = logs.get(id);
      return found?.user === user ? found : undefined;
    },
    ofUser: (user) => [...logs.values()].filter((kept) => kept.user === user).toReversed(),
    of: (owner) => {
      const found = logs.get(owner.id);
      if (found !== undefined) return found.log;
      const log: Log = [];
      keep(owner, log);
      return log;
    },
  };
}
