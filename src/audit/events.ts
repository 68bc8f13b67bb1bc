import type { AuditEvent } from './event.ts';
import type { Head } from './record.ts';

/** The action of every chain's first record. */
export const CHAIN_STARTED = 'chain.started';

/** A chain's first record: its facts hold the heads of the chains before it, as `chain: sequence:hash`. */
export function chainStarted(
  ordinal: number,
  kind: string,
  heads: readonly { readonly chain: string; readonly head: Head }[],
): AuditEvent & { readonly facts: Readonly<Record<string, string | number>> } {
  const anchors = heads.map(({ chain, head }) => [chain, `${head.sequence}:${head.hash}`]);
  return {
    family: 'administration',
    action: CHAIN_STARTED,
    outcome: 'changed',
    facts: { ...Object.fromEntries(anchors), ordinal, kind },
  };
}

/** Records older than the retention period were removed (LAB-45). */
export function recordsRemoved(before: Date, records: number): AuditEvent {
  return {
    family: 'administration',
    action: 'audit.records_removed',
    outcome: 'changed',
    facts: { before: before.toISOString(), records },
  };
}
