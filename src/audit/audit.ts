import type { Clock } from '../platform/clock.ts';
import type { Database, Statements } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import { openChains } from './chains.ts';
import type { AuditEvent, AuditFilter, AuditHead, AuditRecord, AuditVerification } from './event.ts';
import { createGroupWriter } from './group-writer.ts';
import { readHeads, verifyHeads } from './heads.ts';
import { type AuditLane, openLane } from './lane.ts';
import { type AuditLog, Queue } from './queue.ts';
import { linkAll, normalise } from './record.ts';
import * as store from './store.ts';
import { verifyTrail } from './verification.ts';

/** The audit trail: append-only, hash-chained per writing process. */
export interface Audit {
  /**
   * Writes events inside the caller's transaction, so that a change and its record stand or fall together. It holds
   * a chain of this process until that transaction ends: record last, after the rows of the change are locked.
   * @throws Refusal `audit_unavailable` 503 when the database refuses the record
   */
  record(statements: Statements, ...events: readonly AuditEvent[]): Promise<void>;
  /** A chain of its own for a kind of change that comes often: see `AuditLane`. */
  openLane(database: Database): Promise<AuditLane>;
  /**
   * Takes an event of the request path; it is committed with others within 50 ms.
   * @throws Refusal `audit_unavailable` 503 when the queue is full or the last commit failed: the request must be refused.
   *   An event that still fits is kept all the same and committed when the database is back.
   */
  enqueue(event: AuditEvent): void;
  /**
   * Asked before a request is forwarded; refuses earlier than `enqueue`, so that requests already let through fit.
   * @throws Refusal `audit_unavailable` 503
   */
  checkWritable(): void;
  /** Waits until everything enqueued so far is committed. @throws Refusal `audit_unavailable` 503 when a commit fails */
  flush(): Promise<void>;
  /** At most `limit` records (100 unless given, 1,000 at most), newest first. */
  search(filter: AuditFilter): Promise<readonly AuditRecord[]>;
  /**
   * Recomputes every chain in bounded batches and names the first bad record; `kept` are heads of an earlier moment, kept where
   * nobody who can write the database can write: they must still stand.
   */
  verify(kept?: readonly AuditHead[]): Promise<AuditVerification>;
  /** The last record of every chain, in the order the chains were begun. */
  heads(): Promise<readonly AuditHead[]>;
  /** Flushes and stops. @throws Error when records could not be committed: it says how many are lost. */
  close(): Promise<void>;
}

/** What the trail needs; without `log` its failures show in refusals only. */
export interface AuditOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log?: AuditLog;
}

/** Transactions of one process that may hold a chain at once before one waits for another. */
const TRANSACTION_CHAINS = 4;
/** A second record of the same transaction may move the chain in between; more than this is a defect. */
const APPEND_ATTEMPTS = 20;

/** Begins this process's chains and gives the trail. */
export async function createAudit({ database, clock, log }: AuditOptions): Promise<Audit> {
  const chains = await openChains(database, clock, TRANSACTION_CHAINS);
  const record = createRecorder(chains.transactional, clock);
  const writer = createGroupWriter(database, chains.queue.chain, chains.queue.head);
  const queue = new Queue(writer, clock, log, database.kind);
  return {
    record: async (statements, ...events) => {
      try {
        await record(statements, events);
      } catch (cause) {
        throw new Refusal(
          'audit_unavailable',
          503,
          'The change cannot be recorded, so it is not made. Try again later.',
          {
            cause,
          },
        );
      }
    },
    openLane: (own) => openLane(own, clock),
    enqueue: (event) => queue.enqueue(event),
    checkWritable: () => queue.checkWritable(),
    flush: () => queue.flush(),
    search: (filter) => store.searchEvents(database, filter),
    verify: async (kept = []) => (await verifyHeads(database, kept)) ?? verifyTrail(database),
    heads: () => readHeads(database),
    close: () => queue.close(),
  };
}

function createRecorder(chains: readonly string[], clock: Clock) {
  let turn = 0;
  return async (statements: Statements, events: readonly AuditEvent[]): Promise<void> => {
    const entries = events.map((event) => normalise(event, clock.now()));
    for (let attempt = 0; attempt < APPEND_ATTEMPTS; attempt += 1) {
      turn += 1;
      const { chain, head } = await store.lockHead(statements, chains, turn);
      if (await store.append(statements, chain, head, linkAll(chain, head, entries))) return;
    }
    throw new Error(`no chain of this process took the record after ${APPEND_ATTEMPTS} attempts`);
  };
}
