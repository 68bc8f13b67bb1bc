import type { Clock } from '../platform/clock.ts';
import type { Database, Statement } from '../platform/database.ts';
import type { Row } from '../platform/row.ts';
import { beginChain } from './chains.ts';
import type { AuditEvent } from './event.ts';
import { type Head, linkAll, normalise } from './record.ts';
import * as store from './store.ts';

/** A chain of its own for changes that are made one group after the other: nobody else moves it, so nobody reads it first. */
export interface AuditLane {
  /**
   * Runs statements and writes their records in one transaction, sent at once, and gives the rows of each statement. Groups
   * that come meanwhile wait their turn. @throws what the database says; then neither change nor record is there
   */
  commit(statements: readonly Statement[], events: readonly AuditEvent[]): Promise<readonly (readonly Row[])[]>;
}

/** Begins a lane. */
export async function openLane(database: Database, clock: Clock): Promise<AuditLane> {
  const { chain, head } = await beginChain(database, clock, 'lane');
  let tip: Head | undefined = head;
  let last: Promise<unknown> = Promise.resolve();

  async function commit(statements: readonly Statement[], events: readonly AuditEvent[]) {
    const from = tip ?? (await findHead(database, chain));
    const records = linkAll(
      chain,
      from,
      events.map((event) => normalise(event, clock.now())),
    );
    // An answer that is lost leaves open whether it was committed: the database tells then, before the next group.
    tip = undefined;
    const rows = await database.together([...statements, store.appending(chain, from, records)]);
    tip = records.at(-1) ?? from;
    return rows.slice(0, -1);
  }

  return {
    commit: (statements, events) => {
      const turn = last.then(() => commit(statements, events));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

async function findHead(database: Database, chain: string): Promise<Head> {
  const head = await store.findHead(database, chain);
  if (head === undefined) throw new Error('a chain of this process is gone from audit.chains');
  return head;
}
