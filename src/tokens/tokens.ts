import type { Actor, Audit } from '../audit/index.ts';
import { createCache, type Loaded } from '../platform/cache.ts';
import { type Clock, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { sha256 } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Vault } from '../vault/index.ts';
import { checkDenial, checkMembers, isSelected, noticeOf, readNotice, type Selection } from './denial.ts';
import { tokenIssued, tokensDenied } from './events.ts';
import { type Found, findJwtId, findPresented, type TokensLog } from './presented.ts';
import { MAXIMUM_TOKEN, shapeOf } from './shape.ts';
import * as store from './store.ts';
import type { Denial, TokenFacts, TokenResolution } from './token.ts';

export type { TokensLog } from './presented.ts';

/** What the room works with; without `log` contradictions show in refusals only. */
export interface TokensOptions {
  readonly database: Database;
  readonly audit: Audit;
  readonly vault: Pick<Vault, 'verifyJwt' | 'hasher'>;
  readonly clock: Clock;
  readonly log?: TokensLog;
}

/** Both formats of access token, kept by keyed hash, resolved to the same facts, denied at once. */
export interface Tokens {
  /**
   * Keeps an issued token, with its audit event in the same transaction. `id` is the opaque token itself, or the `jti` of
   * a JWT; `payload` is the engine's own (opaque only). @throws Refusal `token_store_unavailable` 503
   */
  save(id: string, facts: TokenFacts, payload: Readonly<Record<string, unknown>> | undefined): Promise<void>;
  /** The engine's payload of a live opaque token by id; undefined when absent, denied or expired. */
  findPayload(bank: string, id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /**
   * Facts of a presented token; verified or looked up once, then cached by the token's hash, bounded, dropped when denied.
   * `issuer` is the bank's issuer, which a JWT must name. Never throws for a bad token.
   * @throws Refusal `token_store_unavailable`, `kms_unavailable` 503 when nobody can tell
   */
  resolve(bank: string, issuer: string, token: string): Promise<TokenResolution>;
  /**
   * Denies tokens that match every given member and gives how many were live. In force here at once, elsewhere by
   * notification. @throws Refusal `field_missing` 400 when only the bank is given, `field_invalid` 400 for a blank member
   */
  deny(denial: Denial, actor: Actor): Promise<number>;
  /** Live tokens, as metadata only, newest first, bounded. */
  list(filter: Omit<Denial, 'token'>): Promise<readonly TokenFacts[]>;
  /** Removes rows that expired a while ago, in bounded batches. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** Tokens remembered at once: about 1 kB each. */
const MAXIMUM_CACHED = 50_000;
/** A remembered token is read again after this many seconds though nothing was told: a connection can die unnoticed. */
const MAXIMUM_AGE_SECONDS = 30;
/** The same while notifications do not arrive (design §3e). */
const MAXIMUM_AGE_UNTOLD_SECONDS = 1;
/** How long an expired token is still told apart from one that never was. */
const KEEP_EXPIRED_SECONDS = 3_600;
const SWEEP_BATCH = 1_000;
/** Batches of one sweep, so that it ends; the next one continues. */
const SWEEP_BATCHES = 100;

interface Kept {
  readonly hash: string | undefined;
  readonly resolution: TokenResolution;
}

/** Opens the room of access tokens. */
export async function createTokens(options: TokensOptions): Promise<Tokens> {
  const { database, audit, vault, clock } = options;
  const hash = createHash(vault, 'access-token');
  const reference = createHash(vault, 'audit-subject');
  const cache = createCache<Kept>({ maximum: MAXIMUM_CACHED, clock });
  const reading = { database, vault, hash, log: options.log };
  const drop = (selection: Selection | undefined): void => {
    if (selection === undefined) cache.clear();
    else cache.dropWhere((_key, kept) => kept === undefined || covers(selection, kept));
  };
  const unlisten = await database.listen(store.DENIAL_CHANNEL, (notice) => drop(readNotice(notice)), cache.clear);

  async function load(bank: string, issuer: string, token: string): Promise<Loaded<Kept>> {
    const asked = clock.now();
    const found = await findPresented(reading, bank, issuer, token);
    const age = database.notificationsAlive() ? MAXIMUM_AGE_SECONDS : MAXIMUM_AGE_UNTOLD_SECONDS;
    return judge(found, clock.now(), secondsAfter(asked, age));
  }

  async function resolve(bank: string, issuer: string, token: string): Promise<TokenResolution> {
    if (token.length > MAXIMUM_TOKEN) return { state: 'invalid', detail: 'malformed' };
    const key = sha256(`${bank}\n${issuer}\n${token}`);
    const kept = await cache.load(key, () => load(bank, issuer, token));
    return kept?.resolution ?? { state: 'invalid', detail: 'unknown' };
  }

  async function selectionOf({ token, ...rest }: Denial): Promise<Selection | undefined> {
    if (token === undefined) return rest;
    const shape = shapeOf(token);
    const id = shape === 'jwt' ? await findJwtId(vault, rest.bank, token) : token;
    return shape === undefined || id === undefined ? undefined : { ...rest, hash: await hash(rest.bank, id) };
  }

  async function deny(denial: Denial, actor: Actor): Promise<number> {
    checkDenial(denial);
    const selection = await selectionOf(denial);
    // A text that is no token of ours: RFC 7009 §2.2 has nothing to revoke.
    if (selection === undefined) return 0;
    const { bank, customer } = selection;
    const subject = customer === undefined ? undefined : await reference(bank, customer);
    try {
      return await database.transaction(async (statements) => {
        const count = await store.denyTokens(statements, selection, clock.now());
        if (count === 0 && selection.hash !== undefined) return 0;
        await store.announceDenial(statements, noticeOf(selection));
        await audit.record(statements, tokensDenied(selection, count, actor, subject));
        return count;
      });
    } finally {
      // The outcome of a denial that failed is not known, so what is remembered is dropped whatever happens.
      drop(selection);
    }
  }

  async function save(id: string, facts: TokenFacts, payload: Parameters<Tokens['save']>[2]): Promise<void> {
    const { bank, customer } = facts;
    const hashed = await hash(bank, id);
    const subject = customer === undefined ? undefined : await reference(bank, customer);
    await database.transaction(async (statements) => {
      const inserted = await store.insertToken(statements, hashed, facts, withoutId(payload));
      if (!inserted) throw new Error('an access token with this id was issued before');
      await audit.record(statements, tokenIssued(facts, subject));
    });
  }

  return {
    save: async (id, facts, payload) => {
      checkIssued(id, facts, payload);
      await answered(() => save(id, facts, payload));
    },
    findPayload: (bank, id) =>
      answered(async () => {
        if (shapeOf(id) !== 'opaque') return undefined;
        const payload = await store.findLivePayload(database, bank, await hash(bank, id), clock.now());
        return payload && { ...payload, jti: id };
      }),
    resolve: (bank, issuer, token) => answered(() => resolve(bank, issuer, token)),
    deny: (denial, actor) => answered(() => deny(denial, actor)),
    list: (filter) =>
      answered(() => {
        checkMembers(filter);
        return store.listTokens(database, filter, clock.now());
      }),
    sweep: () => answered(() => sweep(database, secondsAfter(clock.now(), -KEEP_EXPIRED_SECONDS))),
    close: unlisten,
  };
}

/** A keyed hash per bank, loaded once: afterwards nobody waits for the vault. */
function createHash(vault: Pick<Vault, 'hasher'>, purpose: string): (bank: string, value: string) => Promise<string> {
  const hashers = new Map<string, (value: string) => string>();
  return async (bank, value) => {
    const hasher = hashers.get(bank) ?? (await vault.hasher(bank, purpose));
    hashers.set(bank, hasher);
    return hasher(value);
  };
}

function covers(selection: Selection, { hash, resolution }: Kept): boolean {
  return resolution.state === 'invalid' || hash === undefined || isSelected(selection, hash, resolution.facts);
}

/** What a token is worth at a time, and until when that holds; an invalid or expired one is judged anew each time. */
function judge(found: Found, at: Date, latest: Date): Loaded<Kept> {
  if ('invalid' in found)
    return { value: { hash: undefined, resolution: { state: 'invalid', detail: found.invalid } }, validUntil: at };
  const { row, endsAt, over } = found;
  const facts = { ...row.facts, expiresAt: endsAt };
  const state = row.deniedAt !== undefined ? 'revoked' : over || endsAt <= at ? 'expired' : 'active';
  return { value: { hash: row.hash, resolution: { state, facts } }, validUntil: endsAt < latest ? endsAt : latest };
}

/** @throws Error when the engine hands over what contradicts itself (LAB-02), or a payload that repeats the token: a defect */
function checkIssued(id: string, facts: TokenFacts, payload: Readonly<Record<string, unknown>> | undefined): void {
  const { kind, customer, subject, client, format } = facts;
  if (shapeOf(id) !== 'opaque') throw new Error('an access token needs an id of base64url characters');
  if ((kind === 'customer') !== (customer !== undefined))
    throw new Error('a customer token has a customer, no other has');
  if (kind === 'participant' && subject !== client) throw new Error('the subject of a participant token is its client');
  if ((format === 'opaque') !== (payload !== undefined)) throw new Error('an opaque token has a payload, no other has');
  if (JSON.stringify(withoutId(payload) ?? {}).includes(id)) throw new Error('the payload repeats the token');
}

/** The engine's payload repeats the token as `jti`; no row may hold a token. */
function withoutId(payload: Readonly<Record<string, unknown>> | undefined) {
  if (payload === undefined) return undefined;
  const { jti: _token, ...rest } = payload;
  return rest;
}

async function sweep(database: Database, before: Date): Promise<void> {
  for (let batch = 0; batch < SWEEP_BATCHES; batch += 1) {
    if ((await store.removeExpired(database, before, SWEEP_BATCH)) < SWEEP_BATCH) return;
  }
}

/** A store that does not answer is unavailable: nobody may take that for a yes, nor for a bad token. */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('token_store_unavailable', 503, 'Access tokens cannot be checked at the moment. Try again.', {
      cause,
    });
  }
}
