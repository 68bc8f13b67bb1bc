import type { Actor, Audit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { sha256 } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { ApplyAnchors, ListedBank, ListObservation, TrustedLists } from './contract.ts';
import { listImported, listRefused } from './events.ts';
import { refusedList, type TrustedList } from './list.ts';
import { createListReader, type ListReader } from './reader.ts';
import { createRefresher } from './refresh.ts';
import { createShelf, type Shelf } from './shelf.ts';
import { findStored, LISTS_CHANGED, saveNewer, storedVersions } from './store.ts';

/** A log line of this room. */
export interface ListLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

/** What the room needs from outside. */
export interface TrustedListsOptions {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: ListLog;
  readonly banks: readonly ListedBank[];
  readonly apply: ApplyAnchors;
  readonly observe?: ((observation: ListObservation) => void) | undefined;
  /** Reads on a thread of its own unless given. */
  readonly reader?: ListReader | undefined;
}

/**
 * Opens the room: lists that were imported before are verified again, by the certificates that are pinned now, before
 * anybody is judged by them. A stored list that does not count any more is missing, and the log says why.
 */
export async function createTrustedLists(options: TrustedListsOptions): Promise<TrustedLists> {
  const { database, clock, log, observe = () => undefined, reader = createListReader() } = options;
  const closing = new AbortController();
  const shelf = createShelf(options.banks, options.apply);
  const parts: Parts = { ...options, observe, shelf, read: readerOf(options, reader) };
  const loadChanged = () => loadStored(parts);
  const importList: Import = (...offered) => importInto(parts, ...offered);
  const refresher = createRefresher({
    database,
    clock,
    log,
    observe,
    shelf,
    importList,
    loadChanged,
    signal: closing.signal,
  });
  const unlisten = await database.listen(LISTS_CHANGED, refresher.wake, refresher.wake);
  await loadChanged();
  for (const { bank } of options.banks) {
    for (const { territory, list } of shelf.statesOf(bank)) {
      if (list === undefined) log.warn({ bank, territory }, 'no trusted list at hand: its authorities are refused');
    }
  }
  return {
    importList: (bank, document, actor) => importList(bank, document, actor),
    statesOf: shelf.statesOf,
    endsAt: shelf.endsAt,
    refresh: refresher.refresh,
    start: refresher.start,
    close: async () => {
      closing.abort();
      await reader.close();
      await refresher.close();
      await unlisten();
    },
  };
}

/** Reads a document as the list of this territory, or of any that the bank uses. */
type Read = (bank: string, document: Uint8Array, territory?: string) => Promise<TrustedList>;
type Import = (bank: string, document: Uint8Array, actor: Actor, territory?: string) => Promise<TrustedList>;

interface Parts extends TrustedListsOptions {
  readonly shelf: Shelf;
  readonly read: Read;
  readonly observe: (observation: ListObservation) => void;
}

function readerOf({ banks, clock }: TrustedListsOptions, reader: ListReader): Read {
  return async (bank, document, territory) => {
    const lists = banks.find((item) => item.bank === bank)?.lists;
    if (lists === undefined) throw new Refusal('not_found', 404, `bank ${bank} uses no trusted lists`);
    const pins = lists.map(({ territory: of, signers }) => ({ territory: of, signers }));
    const meant = pins.filter((pin) => territory === undefined || pin.territory === territory);
    return reader.read(document, meant, clock.now());
  };
}

/** Takes over whatever is stored and not yet known here; what did not count before is not read again. */
async function loadStored({ database, shelf, read, log }: Parts): Promise<void> {
  for (const { bank, territory, sha256: known } of await storedVersions(database)) {
    const place = shelf.find(bank, territory);
    if (place === undefined || [place.sha256, place.refused, place.expected].includes(known)) continue;
    const stored = await findStored(database, bank, territory);
    if (stored === undefined) continue;
    try {
      shelf.put(bank, await read(bank, Buffer.from(stored.document, 'utf8'), territory), stored.sha256);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      shelf.refuse(bank, territory, stored.sha256, cause.message);
      log.warn({ bank, territory, detail: cause.detail }, 'the trusted list at hand does not count');
    }
  }
}

async function importInto(
  parts: Parts,
  ...[bank, document, actor, territory]: Parameters<Import>
): Promise<TrustedList> {
  const { audit, observe, shelf, read } = parts;
  try {
    const list = await read(bank, document, territory);
    shelf.expect(bank, list.territory, sha256(document));
    try {
      const imported = await keep(parts, bank, list, document, actor);
      observe({ bank, territory: list.territory, outcome: imported ? 'imported' : 'unchanged' });
      shelf.put(bank, list, sha256(document));
    } finally {
      shelf.expect(bank, list.territory, undefined);
    }
    return list;
  } catch (cause) {
    if (cause instanceof Refusal && cause.code === 'trusted_list_refused') {
      audit.enqueue(listRefused(bank, cause.detail ?? cause.code, actor));
    }
    throw cause;
  }
}

/** True when it was kept, false when it is the one at hand. @throws Refusal `trusted_list_refused` 400 for an older one */
function keep({ database, audit, clock }: Parts, bank: string, list: TrustedList, document: Uint8Array, actor: Actor) {
  const { territory, sequence, issuedAt, nextUpdate } = list;
  const text = Buffer.from(document).toString('utf8');
  const row = { bank, territory, sequence, issuedAt, nextUpdate, sha256: sha256(document), document: text };
  return database.transaction(async (statements) => {
    if (await saveNewer(statements, row, clock.now())) {
      await audit.record(statements, listImported(bank, list, actor));
      return true;
    }
    const stored = await findStored(statements, bank, territory);
    if (stored?.sha256 === row.sha256) return false;
    const message = `List ${stored?.sequence} of ${territory} is at hand: number ${sequence} is not newer.`;
    throw refusedList('sequence_back', message);
  });
}
