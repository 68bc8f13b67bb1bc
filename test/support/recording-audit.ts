import type { Audit, AuditEvent } from '../../src/audit/index.ts';

/** An audit trail that only remembers, and that can be made to refuse: for tests of rooms that write to one. */
export interface RecordingAudit extends Audit {
  readonly events: AuditEvent[];
  /** While set, `record` throws it. */
  failure: Error | undefined;
}

/** The actions recorded so far, in order. */
export function actionsOf(audit: RecordingAudit): readonly string[] {
  return audit.events.map(({ action }) => action);
}

/** A trail without records. */
export function createRecordingAudit(): RecordingAudit {
  const events: AuditEvent[] = [];
  const audit: RecordingAudit = {
    events,
    failure: undefined,
    record: async (_statements, ...recorded) => {
      if (audit.failure !== undefined) throw audit.failure;
      events.push(...recorded);
    },
    openLane: async (database) => ({
      commit: async (statements, recorded) => {
        if (audit.failure !== undefined) throw audit.failure;
        const rows = await database.together(statements);
        events.push(...recorded);
        return rows;
      },
    }),
    enqueue: (event) => void events.push(event),
    checkWritable: () => undefined,
    flush: async () => undefined,
    search: async () => [],
    verify: async () => ({ intact: true, chains: 0, records: events.length }),
    heads: async () => [],
    close: async () => undefined,
  };
  return audit;
}
