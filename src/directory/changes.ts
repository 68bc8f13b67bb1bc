import type { Actor, Audit, AuditEvent } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Statements } from '../platform/database.ts';
import { checkReason } from './participant-fields.ts';
import { announce, type Change } from './store.ts';

/** Where the directory reports what nobody is waiting for; pino's loggers fit. */
export interface DirectoryLog {
  error(details: Readonly<Record<string, unknown>>, message: string): void;
}

/** What a piece of work did: its answer, who hears of it, and what the trail keeps. */
export interface Done<T> {
  readonly result: T;
  readonly changes: readonly Change[];
  readonly events: readonly AuditEvent[];
}

/** Runs work, its announcements and its audit events in one transaction; what hears of changes has heard when it returns. */
export type Commit = <T>(actor: Actor, work: (statements: Statements, now: Date) => Promise<Done<T>>) => Promise<T>;

/** Changes of this process and of all others. */
export interface Changes {
  readonly commit: Commit;
  /** `changed` may be called twice for one change; `lost` says that some may have been missed. */
  onChange(changed: (change: Change) => void, lost?: () => void): void;
  close(): Promise<void>;
}

interface Parts {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: DirectoryLog | undefined;
}

const CHANNEL = 'directory_changed';

/** Listens to the database for what other processes change, and tells it what this one does. */
export async function openChanges({ database, audit, clock, log }: Parts): Promise<Changes> {
  const subscribers = new Set<{ changed: (change: Change) => void; lost: () => void }>();
  /** One subscriber's defect must not keep the others from dropping what is stale. */
  const tell = (say: (subscriber: { changed: (change: Change) => void; lost: () => void }) => void): void => {
    for (const subscriber of subscribers) {
      try {
        say(subscriber);
      } catch (cause) {
        log?.error({ err: cause }, 'a subscriber of the directory failed');
      }
    }
  };
  const lost = (): void => tell((subscriber) => subscriber.lost());
  const changed = (change: Change): void => tell((subscriber) => subscriber.changed(change));
  const receive = (payload: string): void => {
    const change = parseChange(payload);
    if (change === undefined) lost();
    else changed(change);
  };
  const unlisten = await database.listen(CHANNEL, receive, lost);

  const commit: Commit = async (actor, work) => {
    checkReason(actor.reason);
    const changes: Change[] = [];
    try {
      return await database.transaction(async (statements) => {
        const done = await work(statements, clock.now());
        changes.push(...done.changes);
        for (const change of changes) await announce(statements, CHANNEL, change);
        // Last, because recording holds a chain of this process until the transaction ends.
        for (const event of done.events) await audit.record(statements, event);
        return done.result;
      });
    } finally {
      // On failure too: a commit whose answer got lost may have happened.
      for (const change of changes) changed(change);
    }
  };

  return {
    commit,
    onChange: (changed, lost = () => undefined) => {
      subscribers.add({ changed, lost });
    },
    close: async () => {
      subscribers.clear();
      await unlisten();
    },
  };
}

/** What another process said; undefined when it cannot be understood, and then everything may have changed. */
function parseChange(payload: string): Change | undefined {
  const value = parseJson(payload);
  if (typeof value !== 'object' || value === null || !('participant' in value)) return undefined;
  const { participant } = value;
  const bank = 'bank' in value ? value.bank : undefined;
  const client = 'client' in value ? value.client : undefined;
  if (typeof participant !== 'string') return undefined;
  if (bank === undefined && client === undefined) return { participant };
  if (typeof bank !== 'string' || typeof client !== 'string') return undefined;
  return { participant, bank, client };
}

function parseJson(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}
