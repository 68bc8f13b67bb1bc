import type { AuditEvent } from '../../audit/index.ts';
import type { Refusal } from '../../platform/refusal.ts';
import { refusalFacts } from '../../trust/index.ts';

/** One request to the management API, as far as it was understood. */
export interface ManagementRequest {
  readonly bank: string | undefined;
  /** Id of the operation; undefined when none was reached. */
  readonly operation: string | undefined;
  readonly client: string | undefined;
  readonly participant: string | undefined;
  readonly interaction: string;
}

/** A service of the bank was let in to an operation; what it changed has a record of its own. */
export function operationAllowed(request: ManagementRequest): AuditEvent {
  return { ...placeOf(request), outcome: 'allowed' };
}

/** A request to the management API was refused. */
export function operationRefused(request: ManagementRequest, refusal: Refusal): AuditEvent {
  const place = placeOf(request);
  const { code: reason, status, detail } = refusal;
  return { ...place, outcome: 'refused', reason, detail, facts: { ...place.facts, status, ...refusalFacts(refusal) } };
}

function placeOf({ operation, ...rest }: ManagementRequest) {
  return {
    ...rest,
    family: 'administration',
    action: 'management.requested',
    facts: { operation: operation ?? null },
  } as const;
}
