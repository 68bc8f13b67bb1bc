import { isRecord } from '../platform/json.ts';
import { sha256 } from '../platform/random.ts';
import type { AuditEvent } from './event.ts';

/** A position in a chain: the last record's sequence and hash. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

/** A record as it is written and as it is read back for verification, when its values may have been tampered with. */
export interface LinkedRecord {
  readonly chain: string;
  readonly sequence: number;
  readonly at: Date;
  readonly family: string;
  readonly action: string;
  readonly outcome: string;
  readonly bank: string | undefined;
  readonly participant: string | undefined;
  readonly client: string | undefined;
  readonly subject: string | undefined;
  readonly consent: string | undefined;
  readonly interaction: string | undefined;
  readonly reason: string | undefined;
  readonly detail: string | undefined;
  readonly facts: unknown;
  readonly previousHash: string;
  readonly hash: string;
}

/** A record on its way into the database: the text that was hashed, so that what is written is what the hash is of. */
export interface NewRecord extends Head {
  readonly canonical: string;
  /** The facts once more, as the object that the database keeps: it need not be made of the text there. */
  readonly facts: string;
}

/** Facts by name, in the order of the names: the database orders the names of a jsonb value in its own way. */
type OrderedFacts = readonly (readonly [name: string, value: unknown])[];

/** A record's own values, before it has a place in a chain. */
export interface Entry extends Omit<LinkedRecord, 'chain' | 'sequence' | 'previousHash' | 'hash' | 'facts'> {
  readonly facts: OrderedFacts;
}

/** Where every chain begins. */
export const BEGINNING: Head = { sequence: 0, hash: '' };

/** Characters of a text member: references, codes and ids are shorter, and an index entry must stay below 2,700 octets. */
const MAXIMUM_TEXT = 256;
/** Characters of a fact: a route or a distinguished name. */
const MAXIMUM_FACT = 512;
const MAXIMUM_FACT_NAME = 64;
/** An event names a few facts; more is a defect that must not fill the trail. */
const MAXIMUM_FACTS = 32;

/**
 * The event as the database keeps it exactly. What the database would refuse or change (NUL, lone surrogates, NaN) is
 * replaced, and what is too long is cut: one such record would otherwise stop the queue behind it.
 */
export function normalise(event: AuditEvent, at: Date): Entry {
  return {
    at,
    family: clean(event.family, MAXIMUM_TEXT),
    action: clean(event.action, MAXIMUM_TEXT),
    outcome: clean(event.outcome, MAXIMUM_TEXT),
    bank: optional(event.bank),
    participant: optional(event.participant),
    client: optional(event.client),
    subject: optional(event.subject),
    consent: optional(event.consent),
    interaction: optional(event.interaction),
    reason: optional(event.reason),
    detail: optional(event.detail),
    facts: normaliseFacts(event.facts ?? {}),
  };
}

/** The record that follows `head` in `chain`. */
export function link(chain: string, head: Head, entry: Entry): NewRecord {
  const sequence = head.sequence + 1;
  const canonical = canonicalForm({ chain, sequence, hash: head.hash }, entry, entry.facts);
  const facts = JSON.stringify(Object.fromEntries(entry.facts));
  return { sequence, canonical, facts, hash: sha256(canonical) };
}

/** The records that follow `head` in `chain`, each linked to the one before it. */
export function linkAll(chain: string, head: Head, entries: readonly Entry[]): readonly NewRecord[] {
  let last = head;
  return entries.map((entry) => {
    const record = link(chain, last, entry);
    last = record;
    return record;
  });
}

/** SHA-256 over the canonical form: every value in a fixed order, facts by name, and the record's place in its chain. */
export function hashOf(record: LinkedRecord): string {
  const { chain, sequence, previousHash: hash, facts } = record;
  return sha256(
    canonicalForm({ chain, sequence, hash }, record, isRecord(facts) ? ordered(facts) : { altered: facts }),
  );
}

/** A place in a chain, with the hash of the record before it. */
interface Place extends Head {
  readonly chain: string;
}

function canonicalForm(place: Place, record: Omit<Entry, 'facts'>, facts: unknown): string {
  return JSON.stringify([
    place.chain,
    place.sequence,
    place.hash,
    record.at.getTime(),
    record.family,
    record.action,
    record.outcome,
    record.bank ?? null,
    record.participant ?? null,
    record.client ?? null,
    record.subject ?? null,
    record.consent ?? null,
    record.interaction ?? null,
    record.reason ?? null,
    record.detail ?? null,
    facts,
  ]);
}

/** Facts as a record holds them. */
export function ordered(facts: object): OrderedFacts {
  return Object.entries(facts).sort(byName);
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}

function normaliseFacts(facts: NonNullable<AuditEvent['facts']>): OrderedFacts {
  const kept: [string, string | number | boolean | null][] = [];
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined || kept.length === MAXIMUM_FACTS) continue;
    kept.push([clean(name, MAXIMUM_FACT_NAME), normaliseFact(value)]);
  }
  kept.sort(byName);
  // Two long names may be one when they are cut: the database would keep one value, and so does what is hashed.
  return kept.filter(([name], index) => kept[index + 1]?.[0] !== name);
}

function normaliseFact(value: string | number | boolean | null): string | number | boolean | null {
  if (typeof value === 'string') return clean(value, MAXIMUM_FACT);
  if (typeof value !== 'number') return value;
  // JSON knows neither NaN nor infinity, and the database's numbers know no negative zero.
  return Number.isFinite(value) ? value + 0 : null;
}

function optional(value: string | undefined): string | undefined {
  return value === undefined ? undefined : clean(value, MAXIMUM_TEXT);
}

/** What nearly every value is: nothing in it needs a second look. */
const plain = /^[ -~]*$/;

function clean(value: string, maximum: number): string {
  const short = value.length > maximum ? `${value.slice(0, maximum - 1)}…` : value;
  if (plain.test(short)) return short;
  return short.toWellFormed().replaceAll('\0', '\uFFFD');
}
