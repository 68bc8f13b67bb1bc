export type { Audit, AuditOptions } from './audit.ts';
export { createAudit } from './audit.ts';
export type {
  Actor,
  AuditEvent,
  AuditFamily,
  AuditFilter,
  AuditHead,
  AuditRecord,
  AuditVerification,
} from './event.ts';
export { AUDIT_FAMILIES, AUDIT_OUTCOMES, isAuditFamily, isAuditOutcome } from './event.ts';
export type { AuditLane } from './lane.ts';
export type { AuditLog } from './queue.ts';
export { removeExpiredRecords } from './retention.ts';
