import type { Actor, Audit, AuditLane } from '../audit/index.ts';
import { createBatches } from '../platform/batches.ts';
import { type Clock, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Vault } from '../vault/index.ts';
import { checkDenial, checkMembers, noticeOf, readNotice, type Selection } from './denial.ts';
import { tokenIssued, tokensDenied } from './events.ts';
import { checkIssued, keptPayload, type Payload } from './issued.ts';
import { findJwtId, type TokensLog } from './presented.ts';
import { createResolver, type Resolver } from './resolver.ts';
import { shapeOf } from './shape.ts';
import * as store from './store.ts';
import type { Denial, TokenFacts, TokenResolution } from './token.ts';
import { answered } from './unavailable.ts';

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
  save(id: string, facts: TokenFacts, payload: Payload | undefined): Promise<void>;
  /** The engine's payload of a live opaque token by id; undefined when absent, denied or expired. */
  findPayload(bank: string, id: string): Promise<Payload | undefined>;
  /**
   * Facts of a presented token; verified or looked up once, then cached by the token's hash, bounded, dropped when denied.
   * Given at once when they are at hand: the gateway asks for every request.
   * `issuer` is the bank's issuer, which a JWT must name. Never throws for a bad token.
   * @throws Refusal `token_store_unavailable`, `kms_unavailable` 503 when nobody can tell
   */
  resolve(bank: string, issuer: string, token: string): TokenResolution | Promise<TokenResolution>;
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

/** How long an expired token is still told apart from one that never was. */
const KEEP_EXPIRED_SECONDS = 3_600;
const SWEEP_BATCH = 1_000;
/** Batches of one sweep, so that it ends; the next one continues. */
const SWEEP_BATCHES = 100;

type Hash = (bank: string, value: string) => Promise<string>;

interface Room extends TokensOptions {
  /** Stands for a token or its id. */
  readonly hash: Hash;
  /** Stands for a customer in the trail. */
  readonly reference: Hash;
  readonly resolver: Resolver;
  readonly save: (token: Saving) => Promise<void>;
}

/** While one transaction waits for the disk others are prepared; more would carry fewer tokens each. */
const SAVING_LANES = 3;

/** Opens the room of access tokens. */
export async function createTokens(options: TokensOptions): Promise<Tokens> {
  const { database, vault, clock } = options;
  const hash = createHash(vault, 'access-token');
  const resolver = createResolver({ database, vault, hash, log: options.log }, clock);
  const lanes = await Promise.all(Array.from({ length: SAVING_LANES }, () => options.audit.openLane(database)));
  const save = createBatches<Saving>((tokens, lane) => saveTogether(lanes[lane], tokens), SAVING_LANES);
  const room = { ...options, hash, reference: createHash(vault, 'audit-subject'), resolver, save };
  const unlisten = await database.listen(store.DENIAL_CHANNEL, (notice) => receive(resolver, notice), resolver.clear);
  return {
    save: async (id, facts, payload) => {
      checkIssued(id, facts, payload);
      const kept = keptPayload(id, payload);
      await answered(() => keep(room, id, facts, kept));
    },
    findPayload: (bank, id) => answered(() => findPayload(room, bank, id)),
    resolve: (bank, issuer, token) => {
      const resolution = resolver.resolve(bank, issuer, token);
      return resolution instanceof Promise ? answered(() => resolution) : resolution;
    },
    deny: (denial, actor) => answered(() => deny(room, denial, actor)),
    list: (filter) =>
      answered(async () => {
        checkMembers(filter);
        return store.listTokens(database, filter, clock.now());
      }),
    sweep: () => answered(() => sweep(database, secondsAfter(clock.now(), -KEEP_EXPIRED_SECONDS))),
    close: unlisten,
  };
}

/** A keyed hash per bank, loaded once: afterwards nobody waits for the vault. */
function createHash(vault: Pick<Vault, 'hasher'>, purpose: string): Hash {
  const hashers = new Map<string, (value: string) => string>();
  return async (bank, value) => {
    const hasher = hashers.get(bank) ?? (await vault.hasher(bank, purpose));
    hashers.set(bank, hasher);
    return hasher(value);
  };
}

function receive(resolver: Resolver, notice: string): void {
  const selection = readNotice(notice);
  if (selection === undefined) resolver.clear();
  else resolver.drop(selection);
}

interface Saving extends store.NewToken {
  readonly subject: string | undefined;
}

async function keep(room: Room, id: string, facts: TokenFacts, payload: string | undefined): Promise<void> {
  const hash = await room.hash(facts.bank, id);
  const subject = await referenceOf(room, facts.bank, facts.customer);
  await room.save({ hash, facts, payload, subject });
}

/** Keeps tokens that are issued at the same time in one transaction, each with its own record; gives why one was not kept. */
async function saveTogether(lane: AuditLane | undefined, tokens: readonly Saving[]) {
  if (lane === undefined) throw new Error('there is no such lane');
  await lane.commit(
    [store.insertingTokens(tokens)],
    tokens.map(({ facts, subject }) => tokenIssued(facts, subject)),
  );
  return tokens.map(() => undefined);
}

async function findPayload({ database, hash, clock }: Room, bank: string, id: string): Promise<Payload | undefined> {
  if (shapeOf(id) !== 'opaque') return undefined;
  const payload = await store.findLivePayload(database, bank, await hash(bank, id), clock.now());
  return payload && { ...payload, jti: id };
}

async function deny(room: Room, denial: Denial, actor: Actor): Promise<number> {
  checkDenial(denial);
  const selection = await selectionOf(room, denial);
  // A text that is no token of ours: RFC 7009 §2.2 has nothing to revoke.
  if (selection === undefined) return 0;
  const subject = await referenceOf(room, selection.bank, selection.customer);
  try {
    return await room.database.transaction(async (statements) => {
      const count = await store.denyTokens(statements, selection, room.clock.now());
      if (count === 0 && selection.hash !== undefined) return 0;
      await store.announceDenial(statements, noticeOf(selection));
      await room.audit.record(statements, tokensDenied(selection, count, actor, subject));
      return count;
    });
  } finally {
    // The outcome of a denial that failed is not known, so what is remembered is dropped whatever happens.
    room.resolver.drop(selection);
  }
}

async function selectionOf({ vault, hash }: Room, { token, ...rest }: Denial): Promise<Selection | undefined> {
  if (token === undefined) return rest;
  const shape = shapeOf(token);
  const id = shape === 'jwt' ? await findJwtId(vault, rest.bank, token) : token;
  return shape === undefined || id === undefined ? undefined : { ...rest, hash: await hash(rest.bank, id) };
}

async function referenceOf({ reference }: Room, bank: string, customer: string | undefined) {
  return customer === undefined ? undefined : reference(bank, customer);
}

async function sweep(database: Database, before: Date): Promise<void> {
  for (let batch = 0; batch < SWEEP_BATCHES; batch += 1) {
    if ((await store.removeExpired(database, before, SWEEP_BATCH)) < SWEEP_BATCH) return;
  }
}
