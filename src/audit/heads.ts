import type { Database } from '../platform/database.ts';
import type { AuditHead, AuditVerification } from './event.ts';
import * as store from './store.ts';
import { checkAnchors } from './verification.ts';

/** Chains read, and heads looked up, at a time. */
const BATCH = 200;

/** The last record of every chain, in the order the chains were begun: kept elsewhere, they hold the whole trail in place. */
export async function readHeads(database: Database): Promise<readonly AuditHead[]> {
  const heads: AuditHead[] = [];
  let ordinal = 0;
  while (true) {
    const chains = await store.chainsAfter(database, ordinal, BATCH);
    const last = chains.at(-1);
    if (last === undefined) return heads;
    for (const { chain, head } of chains) heads.push({ chain, sequence: head.sequence, hash: head.hash });
    ordinal = last.ordinal;
  }
}

/** The first of these records that no longer stands where it stood; undefined when all do, or retention has removed them since. */
export async function verifyHeads(
  database: Database,
  heads: readonly AuditHead[],
): Promise<Extract<AuditVerification, { intact: false }> | undefined> {
  for (let first = 0; first < heads.length; first += BATCH) {
    const some = heads.slice(first, first + BATCH).map(({ chain, sequence, hash }) => ({
      chain,
      head: { sequence, hash },
    }));
    const finding = await checkAnchors(database, some);
    if (finding !== undefined) return finding;
  }
  return undefined;
}
