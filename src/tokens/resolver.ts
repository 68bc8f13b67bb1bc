import { createCache, type Loaded } from '../platform/cache.ts';
import { type Clock, secondsAfter } from '../platform/clock.ts';
import { sha256 } from '../platform/random.ts';
import { isSelected, type Selection } from './denial.ts';
import { type Found, findPresented, type Reading } from './presented.ts';
import { MAXIMUM_TOKEN } from './shape.ts';
import type { TokenResolution } from './token.ts';

/** Tokens remembered at once: about 1 kB each. */
const MAXIMUM_CACHED = 50_000;
/** A remembered token is read again after this many seconds though nothing was told: a connection can die unnoticed. */
const MAXIMUM_AGE_SECONDS = 30;
/** The same while notifications do not arrive (design §3e). */
const MAXIMUM_AGE_UNTOLD_SECONDS = 1;

/** Resolves presented tokens and remembers what it found. */
export interface Resolver {
  /** At once when it is remembered. */
  resolve(bank: string, issuer: string, token: string): TokenResolution | Promise<TokenResolution>;
  /** Forgets what a selection covers, and every look-up under way. */
  drop(selection: Selection): void;
  clear(): void;
}

interface Kept {
  readonly hash: string | undefined;
  readonly resolution: TokenResolution;
}

/** A resolver with a cache by the token's own hash: no token is kept in memory longer than its request. */
export function createResolver(reading: Reading, clock: Clock): Resolver {
  const cache = createCache<Kept>({ maximum: MAXIMUM_CACHED, clock });

  async function load(bank: string, issuer: string, token: string): Promise<Loaded<Kept>> {
    const asked = clock.now();
    const found = await findPresented(reading, bank, issuer, token);
    const told = reading.database.notificationsAlive();
    return judge(found, clock.now(), secondsAfter(asked, told ? MAXIMUM_AGE_SECONDS : MAXIMUM_AGE_UNTOLD_SECONDS));
  }

  async function find(key: string, bank: string, issuer: string, token: string): Promise<TokenResolution> {
    const kept = await cache.load(key, () => load(bank, issuer, token));
    return kept?.resolution ?? { state: 'invalid', detail: 'unknown' };
  }

  return {
    resolve: (bank, issuer, token) => {
      if (token.length > MAXIMUM_TOKEN) return { state: 'invalid', detail: 'malformed' };
      const key = sha256(`${bank}\n${issuer}\n${token}`);
      return cache.get(key, () => load(bank, issuer, token))?.resolution ?? find(key, bank, issuer, token);
    },
    drop: (selection) => cache.dropWhere((_key, kept) => kept === undefined || covers(selection, kept)),
    clear: cache.clear,
  };
}

/** What a token is worth at a time, and until when that holds; an invalid or expired one is judged anew each time. */
function judge(found: Found, at: Date, latest: Date): Loaded<Kept> {
  if ('invalid' in found) {
    const resolution = { state: 'invalid', detail: found.invalid } as const;
    return { value: { hash: undefined, resolution }, validUntil: at };
  }
  const { row, endsAt } = found;
  const facts = { ...row.facts, expiresAt: endsAt };
  const state = row.deniedAt !== undefined ? 'revoked' : endsAt <= at ? 'expired' : 'active';
  return { value: { hash: row.hash, resolution: { state, facts } }, validUntil: endsAt < latest ? endsAt : latest };
}

function covers(selection: Selection, { hash, resolution }: Kept): boolean {
  return resolution.state === 'invalid' || hash === undefined || isSelected(selection, hash, resolution.facts);
}
