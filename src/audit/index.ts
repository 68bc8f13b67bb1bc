import type { Statements } from '../platform/database.ts';
import type { AuditEvent, AuditFilter, AuditRecord, AuditVerification } from './event.ts';

export type { Actor, AuditEvent, AuditFamily, AuditFilter, AuditRecord, AuditVerification } from './event.ts';

/** The audit trail: append-only, hash-chained per writing process. */
export interface Audit {
  /** Writes an event inside the caller's transaction, so that the change and its record stand or fall together. */
  record(statements: Statements, event: AuditEvent): Promise<void>;
  /**
   * Takes an event of the request path; it is committed with others within 50 ms.
   * @throws Refusal `audit_unavailable` 503 when the queue is full or the last commit failed: the request must be refused.
   */
  enqueue(event: AuditEvent): void;
  /** @throws Refusal `audit_unavailable` 503 as `enqueue` would; asked before a request is forwarded. */
  checkWritable(): void;
  /** Waits until everything enqueued so far is committed. */
  flush(): Promise<void>;
  search(filter: AuditFilter): Promise<readonly AuditRecord[]>;
  verify(): Promise<AuditVerification>;
  /** Flushes and stops. */
  close(): Promise<void>;
}
