import type { Check } from '../check.ts';

/** The audit trail takes records: a call that could not be recorded is not made. */
export const trailWritable: Check = {
  id: 'trail-writable',
  clause: 'acceptance.md §1.3 (12); LAB-42',
  run(_call, { audit }) {
    audit.checkWritable();
  },
};
