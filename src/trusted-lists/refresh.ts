import type { Actor } from '../audit/index.ts';
import { type Clock, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { randomToken, sha256 } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { ConfiguredList, ListObservation } from './contract.ts';
import type { TrustedList } from './list.ts';
import type { Shelf } from './shelf.ts';
import { noteRefresh, takeRefresh } from './store.ts';
import type { ListLog } from './trusted-lists.ts';

/** What was missed by a lost notification is found after this, and what is due is begun. */
const ROUND_INTERVAL_MS = 30_000;
/** A process that ends while it fetches and verifies holds the others up no longer than this. */
const LEASE_SECONDS = 300;
const FIRST_BACKOFF_SECONDS = 60;
/** Towards its end a list is looked for this often: operators may publish the next one late. */
const LATE_REFRESH_SECONDS = 3_600;
const LATE_SECONDS = 2 * 86_400;
/** Operators are warned of a list that ends sooner than this. */
const WARNING_SECONDS = 7 * 86_400;
const WARNING_INTERVAL_SECONDS = 3_600;
/** Processes and banks that start together shall not ask together. */
const JITTER = 0.1;

const REFRESH: Actor = { kind: 'system', reference: 'trusted-list refresh' };

/** What the refresher works with. */
export interface RefresherOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: ListLog;
  readonly observe: (observation: ListObservation) => void;
  readonly shelf: Shelf;
  /** Imports a document as the list of this territory and no other. */
  readonly importList: (bank: string, document: Uint8Array, actor: Actor, territory: string) => Promise<TrustedList>;
  readonly loadChanged: () => Promise<void>;
  /** Ends what is under way when the room is closed. */
  readonly signal: AbortSignal;
}

/** Keeps the lists of this process up to date. */
export interface Refresher {
  refresh(): Promise<void>;
  /** Something may have changed: look now. */
  wake(): void;
  start(): void;
  close(): Promise<void>;
}

/** One round at a time: lists that other processes imported first, then those that are due and that nobody else took. */
export function createRefresher(options: RefresherOptions): Refresher {
  const { shelf, log } = options;
  const warned = new Map<string, Date>();
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function round(fetching: boolean): Promise<void> {
    await options.loadChanged();
    for (const { bank, lists } of shelf.banks) {
      for (const configured of lists) {
        if (fetching && !options.signal.aborted) await refreshOne(bank, configured, options);
        warnOfEnd(bank, configured.territory, options, warned);
      }
    }
  }

  const guarded = async (fetching: boolean): Promise<void> => {
    try {
      await round(fetching);
    } catch (cause) {
      log.warn({ cause }, 'refreshing the trusted lists failed');
    }
  };
  const refresh = async (fetching: boolean): Promise<void> => {
    await running;
    if (options.signal.aborted) return;
    running ??= guarded(fetching).finally(() => {
      running = undefined;
    });
    await running;
  };
  return {
    refresh: () => refresh(true),
    wake: () => void refresh(false),
    start: () => {
      timer ??= setInterval(() => void (running ?? refresh(true)), ROUND_INTERVAL_MS);
      timer.unref();
      void refresh(true);
    },
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

async function refreshOne(bank: string, configured: ConfiguredList, options: RefresherOptions): Promise<void> {
  const { database, clock, log, shelf } = options;
  const { territory } = configured;
  const now = clock.now();
  const failures = await takeRefresh(database, bank, territory, now, secondsAfter(now, LEASE_SECONDS));
  if (failures === undefined) return;
  try {
    const outcome = await getNewer(bank, configured, options);
    shelf.note(bank, territory, undefined);
    if (outcome !== undefined) log.info({ bank, territory, sequence: outcome.sequence }, 'trusted list refreshed');
    await noteRefresh(
      database,
      bank,
      territory,
      nextAfter(configured, shelf.find(bank, territory)?.list, clock.now()),
      0,
    );
  } catch (cause) {
    if (options.signal.aborted) return noteRefresh(database, bank, territory, clock.now(), failures);
    const refused = cause instanceof Refusal && cause.code === 'trusted_list_refused';
    options.observe({ bank, territory, outcome: refused ? 'refused' : 'unavailable' });
    shelf.note(bank, territory, cause instanceof Error ? cause.message : 'unknown');
    log.warn({ bank, territory, cause }, 'the trusted list could not be refreshed');
    const wait = Math.min(configured.refreshSeconds, FIRST_BACKOFF_SECONDS * 2 ** Math.min(failures, 20));
    await noteRefresh(database, bank, territory, secondsAfter(clock.now(), spread(wait)), failures + 1);
  }
}

/** The list that took the place of the former one; undefined when the one at hand is the one that is published. */
async function getNewer(bank: string, { territory, obtain }: ConfiguredList, options: RefresherOptions) {
  const { shelf, importList, observe, signal } = options;
  const document = await obtain(signal);
  if (shelf.find(bank, territory)?.sha256 !== sha256(document)) return importList(bank, document, REFRESH, territory);
  observe({ bank, territory, outcome: 'unchanged' });
  return undefined;
}

function nextAfter({ refreshSeconds }: ConfiguredList, list: TrustedList | undefined, now: Date): Date {
  const late = list === undefined || list.nextUpdate <= secondsAfter(now, LATE_SECONDS);
  return secondsAfter(now, spread(late ? Math.min(refreshSeconds, LATE_REFRESH_SECONDS) : refreshSeconds));
}

function spread(seconds: number): number {
  const fraction = Buffer.from(randomToken(4), 'base64url').readUInt32BE() / 2 ** 32;
  return seconds * (1 - JITTER + 2 * JITTER * fraction);
}

function warnOfEnd(bank: string, territory: string, options: RefresherOptions, warned: Map<string, Date>): void {
  const { shelf, clock, log } = options;
  const now = clock.now();
  const end = shelf.find(bank, territory)?.list?.nextUpdate;
  if (end === undefined || end > secondsAfter(now, WARNING_SECONDS)) return;
  const key = `${bank} ${territory}`;
  const last = warned.get(key);
  if (last !== undefined && secondsAfter(last, WARNING_INTERVAL_SECONDS) > now) return;
  warned.set(key, now);
  const message = end > now ? 'the trusted list ends soon' : 'the trusted list has ended: its authorities are refused';
  log.warn({ bank, territory, nextUpdate: end.toISOString() }, message);
}
