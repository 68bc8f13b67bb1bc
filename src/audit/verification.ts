import type { Database } from '../platform/database.ts';
import type { AuditVerification } from './event.ts';
import { CHAIN_STARTED } from './events.ts';
import { type Head, hashOf, type LinkedRecord } from './record.ts';
import * as store from './store.ts';

/** A bad place in the trail. */
type Finding = Extract<AuditVerification, { intact: false }>;

/** Records and chains read at a time: a trail of any length is verified in little memory. */
const RECORD_BATCH = 1_000;
const CHAIN_BATCH = 200;
/** How far a record that was moved is looked for, in each direction. */
const SEARCH_DISTANCE = 1_000;

/** Recomputes every record of every chain, in the order the chains were begun, and stops at the first that is bad. */
export async function verifyTrail(database: Database): Promise<AuditVerification> {
  // Read first: chains that begin meanwhile are verified too, but need not be there.
  const trail = await store.readTrail(database);
  let chains = 0;
  let records = 0;
  let ordinal = 0;
  while (true) {
    const batch = await store.chainsAfter(database, ordinal, CHAIN_BATCH);
    for (const chain of batch) {
      if (chain.ordinal !== ordinal + 1) return chainRemoved(await nameMissing(database, chain, trail.lastChain));
      const result = await verifyChain(database, chain);
      if (typeof result !== 'number') return result;
      ordinal = chain.ordinal;
      chains += 1;
      records += result;
    }
    if (batch.length === 0) break;
  }
  if (ordinal < trail.chains) return chainRemoved(trail.lastChain ?? `ordinal ${ordinal + 1}`);
  return { intact: true, chains, records };
}

function chainRemoved(chain: string): Finding {
  return { intact: false, chain, sequence: 1, problem: 'chain removed' };
}

/** The chain before `next` is gone: the first record of `next` names it. */
async function nameMissing(database: Database, next: store.Chain, lastChain: string | undefined): Promise<string> {
  const [first] = await store.recordsBetween(database, next.chain, 0, 1, 1);
  const candidates = [...anchorsOf(first).map(({ chain }) => chain), lastChain];
  for (const chain of candidates)
    if (chain !== undefined && (await store.findChain(database, chain)) === undefined) return chain;
  return `ordinal ${next.ordinal - 1}`;
}

/** How many records were good, or the first that is not. */
async function verifyChain(database: Database, chain: store.Chain): Promise<number | Finding> {
  const finding = await verifyRecords(database, chain);
  if (typeof finding === 'number') return finding;
  const now = await store.findChain(database, chain.chain);
  // Retention moved the base while we read: begin again from there.
  if (now !== undefined && now.base.sequence > chain.base.sequence) return verifyChain(database, now);
  return finding;
}

async function verifyRecords(database: Database, chain: store.Chain): Promise<number | Finding> {
  const bad = (sequence: number, problem: Finding['problem']): Finding => {
    return { intact: false, chain: chain.chain, sequence, problem };
  };
  let last: Head = chain.base;
  while (true) {
    const batch = await store.recordsBetween(database, chain.chain, last.sequence, chain.head.sequence, RECORD_BATCH);
    for (const record of batch) {
      if (record.sequence !== last.sequence + 1) return bad(last.sequence + 1, 'removed');
      if (record.previousHash !== last.hash || hashOf(record) !== record.hash)
        return diagnose(database, chain, record, last);
      const anchor = await verifyAnchors(database, record);
      if (anchor !== undefined) return anchor;
      last = record;
    }
    if (batch.length === 0) break;
  }
  if (last.sequence !== chain.head.sequence) return bad(last.sequence + 1, 'removed');
  if (last.hash !== chain.head.hash) return bad(last.sequence, 'changed');
  // A record behind the head was not written by the chain's process.
  if (chain.last !== undefined && chain.last > chain.head.sequence) return bad(chain.head.sequence + 1, 'changed');
  return last.sequence - chain.base.sequence;
}

/** What happened to the record that stands behind `last` and does not belong there. */
async function diagnose(database: Database, chain: store.Chain, record: LinkedRecord, last: Head): Promise<Finding> {
  const found = (sequence: number, problem: Finding['problem']): Finding => {
    return { intact: false, chain: chain.chain, sequence, problem };
  };
  const original = originalSequence(record);
  if (original === undefined) return found(record.sequence, 'changed');
  // The record is whole, yet names another predecessor: that one was changed and its hash made to fit.
  if (original === record.sequence) return found(Math.max(last.sequence, chain.base.sequence + 1), 'changed');
  const successorElsewhere = await store.hasSuccessor(database, chain.chain, last.hash);
  return found(record.sequence, successorElsewhere ? 'reordered' : 'removed');
}

/** The place at which the record's hash is right. */
function originalSequence(record: LinkedRecord): number | undefined {
  for (let distance = 0; distance <= SEARCH_DISTANCE; distance += 1) {
    for (const sequence of [record.sequence + distance, record.sequence - distance])
      if (hashOf({ ...record, sequence }) === record.hash) return sequence;
  }
  return undefined;
}

/** A chain's first record names heads of chains before it: they must still be there. */
async function verifyAnchors(database: Database, record: LinkedRecord): Promise<Finding | undefined> {
  return checkAnchors(database, anchorsOf(record));
}

/** The first of these places of chains that holds another record than it held, or none; undefined when all are as they were. */
export async function checkAnchors(database: Database, anchors: readonly store.Anchor[]): Promise<Finding | undefined> {
  if (anchors.length === 0) return undefined;
  const found = await store.findAnchored(database, anchors);
  for (const { chain, head } of anchors) {
    const there = found.get(chain);
    if (there === undefined) return chainRemoved(chain);
    if (head.sequence < there.base.sequence) continue;
    const hash = head.sequence === there.base.sequence ? there.base.hash : there.hash;
    if (hash !== head.hash)
      return { intact: false, chain, sequence: head.sequence, problem: hash === undefined ? 'removed' : 'changed' };
  }
  return undefined;
}

function anchorsOf(record: LinkedRecord | undefined): readonly store.Anchor[] {
  if (record === undefined || record.sequence !== 1 || record.action !== CHAIN_STARTED) return [];
  if (typeof record.facts !== 'object' || record.facts === null) return [];
  return Object.entries(record.facts).flatMap(([chain, value]) => {
    const [, sequence, hash] = /^(\d{1,15}):([\w-]{0,43})$/.exec(String(value)) ?? [];
    return sequence === undefined || hash === undefined ? [] : [{ chain, head: { sequence: Number(sequence), hash } }];
  });
}
