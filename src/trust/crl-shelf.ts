import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { AlgorithmPolicy } from './algorithms.ts';
import type { Crl } from './crl.ts';
import { createCrlFinder } from './crl-finder.ts';
import type { ShelfParts } from './ocsp-shelf.ts';
import type { CompiledRevocation } from './revocation-settings.ts';
import { answerKey } from './sharing.ts';
import { Unusable } from './unusable.ts';
import type { Certificate } from './x509.ts';

/** Lists held in memory, together at most this large: a handful of the largest there are. */
const MAXIMUM_OCTETS = 256 * 1024 * 1024;
/** Held at least in number, whatever their size, so that small lists cost nothing to bound. */
const MAXIMUM_LISTS = 500;
/** A request waits at most this long for a list; the loading goes on and helps the next one. */
const PATIENCE_MS = 5_000;
/** A list that could not be loaded is not asked for again at once. */
const NEGATIVE_SECONDS = 30;

/** A list at hand. */
export interface HeldCrl {
  readonly crl: Crl;
  /** Until when it may be used: its nextUpdate, or the configured bound. */
  readonly usableUntil: Date;
  /** From when on a newer one is looked for. */
  readonly refreshAt: Date;
}

/** What is needed to load and to judge a list. */
export interface CrlRequest {
  readonly url: string;
  readonly issuer: Certificate;
  readonly policy: AlgorithmPolicy;
  readonly settings: CompiledRevocation;
}

/** The lists this process holds. */
export interface CrlShelf {
  /** The list, from memory or from its address. @throws Unusable */
  load(request: CrlRequest): Promise<HeldCrl>;
  /** The list when it is at hand and may be used. */
  peek(request: CrlRequest): HeldCrl | undefined;
  /** Another process has a newer one under this key. */
  renew(key: string): void;
  clear(): void;
}

/** Lists at hand, and the finder of those that are not. */
export function createCrlShelf(parts: ShelfParts): CrlShelf {
  const { clock, changed } = parts;
  const find = createCrlFinder(parts);
  const lists = createListMemory();
  const failures = new Map<string, Failure>();
  const loading = new Map<string, Promise<HeldCrl>>();
  /** Lists that are being loaded while another process already has a newer one. */
  const overtaken = new Set<string>();

  /** A list that was asked for before everything was forgotten is not kept after. */
  async function fetchList(key: string, request: CrlRequest, isWanted: () => boolean): Promise<HeldCrl> {
    const replaces = lists.find(key) !== undefined;
    overtaken.delete(key);
    const held = await find(key, request, replaces);
    if (!isWanted()) return held;
    const late = overtaken.delete(key);
    lists.keep(key, late ? { ...held, refreshAt: clock.now() } : held);
    failures.delete(key);
    if (replaces || late) changed();
    return held;
  }

  function start(key: string, request: CrlRequest): Promise<HeldCrl> {
    const underWay = loading.get(key);
    if (underWay !== undefined) return underWay;
    const call: Promise<HeldCrl> = fetchList(key, request, () => loading.get(key) === call)
      .catch((cause: unknown) => {
        if (cause instanceof Unusable) remember(failures, key, cause, clock);
        throw cause;
      })
      .finally(() => {
        if (loading.get(key) === call) loading.delete(key);
      });
    // Somebody may have stopped waiting: the failure is remembered above.
    call.catch(() => undefined);
    loading.set(key, call);
    return call;
  }

  function peek(request: CrlRequest): HeldCrl | undefined {
    const held = lists.find(keyOf(request));
    return held !== undefined && held.usableUntil > clock.now() ? held : undefined;
  }

  return {
    peek,
    load: async (request) => {
      const [key, held] = [keyOf(request), peek(request)];
      const paused = pauseOf(failures, key, clock);
      if (held === undefined && paused !== undefined) throw paused;
      if (held === undefined) return patiently(start(key, request));
      if (held.refreshAt <= clock.now() && paused === undefined) start(key, request);
      return held;
    },
    clear: () => {
      lists.clear();
      failures.clear();
      loading.clear();
    },
    renew: (key) => {
      if (loading.has(key)) overtaken.add(key);
      const held = lists.find(key);
      if (held === undefined) return;
      // It serves while the newer one is read: a request must not wait for megabytes.
      lists.keep(key, { ...held, refreshAt: clock.now() });
      changed();
    },
  };
}

interface Failure {
  readonly cause: Unusable;
  readonly until: Date;
}

/** Lists by key, the longest unused first to go. */
function createListMemory() {
  const lists = new Map<string, HeldCrl>();
  return {
    find: (key: string) => {
      const held = lists.get(key);
      if (held === undefined) return undefined;
      lists.delete(key);
      lists.set(key, held);
      return held;
    },
    keep: (key: string, held: HeldCrl) => {
      lists.delete(key);
      lists.set(key, held);
      let total = [...lists.values()].reduce((sum, { crl }) => sum + crl.entries.octets, 0);
      for (const [oldest, { crl }] of lists) {
        if ((total <= MAXIMUM_OCTETS && lists.size <= MAXIMUM_LISTS) || oldest === key) break;
        lists.delete(oldest);
        total -= crl.entries.octets;
      }
    },
    clear: () => lists.clear(),
  };
}

/** The issuer's key is part of the key: a list verified by one key says nothing under another. So are the rules. */
function keyOf({ url, issuer, policy, settings }: CrlRequest): string {
  return answerKey(`crl ${issuer.spkiSha256} ${JSON.stringify(policy)} ${settings.rules} ${url}`);
}

function remember(failures: Map<string, Failure>, key: string, cause: Unusable, clock: Clock): void {
  if (failures.size >= MAXIMUM_LISTS) failures.clear();
  failures.set(key, { cause, until: secondsAfter(clock.now(), NEGATIVE_SECONDS) });
}

/** Why the list is not asked for at the moment. */
function pauseOf(failures: ReadonlyMap<string, Failure>, key: string, clock: Clock): Unusable | undefined {
  const failure = failures.get(key);
  return failure !== undefined && failure.until > clock.now() ? failure.cause : undefined;
}

async function patiently(call: Promise<HeldCrl>): Promise<HeldCrl> {
  let timer: NodeJS.Timeout | undefined;
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unusable('fetch_timeout', 'the list is still being loaded')), PATIENCE_MS);
  });
  try {
    return await Promise.race([call, impatience]);
  } finally {
    clearTimeout(timer);
  }
}
