import type { Actor, Audit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Fetcher } from '../platform/fetch.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Authorisation, Consent, ConsentStep, NewConsent } from './consent.ts';
import { type CustomerReference, consentCreated, EVENT_OF } from './events.ts';
import { createStoreCalls, isSegment } from './external-calls.ts';
import { checkAuthorised, checkCreated, checkUntouched } from './external-checks.ts';
import { listExternal } from './external-list.ts';
import { type Change, createRemote, type Kept, type Remote } from './external-remote.ts';
import { checkAgreed, checkAuthorisation, checkNewConsent, isReference, sameAsAsked } from './fields.ts';
import { withEnd } from './history.ts';
import type { ConsentStore } from './port.ts';
import { announceConsent } from './store.ts';
import { consentAt, refuseTransition, TRANSITIONS } from './transitions.ts';
import { answered, missing, storeUnavailable } from './unavailable.ts';
import { createUses, type Uses } from './uses.ts';
import { createWithdrawals, type Withdrawals } from './withdrawals.ts';

/** Where a bank keeps its consents itself, and what our side of them needs. */
export interface ExternalConsentStoreOptions {
  readonly bank: string;
  /** With our identity for the store, its authorities, and limits on time and size; closed with the store. */
  readonly fetcher: Pick<Fetcher, 'request' | 'close'>;
  /** `https://host:port` of the bank's service. */
  readonly origin: string;
  /** How long an answer may be believed when the call-back about a change was lost, in seconds; 5 unless given. */
  readonly maximumAgeSeconds?: number | undefined;
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly reference: CustomerReference;
  /** For what happened behind the back of a caller. */
  readonly report?: (message: string, cause: unknown) => void;
}

/** Consents in the bank's own service. */
export interface ExternalConsentStore extends ConsentStore {
  readonly maximumAgeSeconds: number;
  /** Whether the service says that it works. */
  health(): Promise<boolean>;
  /** Tells the service of withdrawals it has not confirmed, as far as they are due; gives how many it confirmed. */
  retryWithdrawals(): Promise<number>;
  /** Tells the uses noted so far. */
  flush(): Promise<void>;
}

interface Room extends ExternalConsentStoreOptions {
  readonly remote: Remote;
  readonly withdrawals: Withdrawals;
  readonly uses: Uses;
  /** Work that nobody waits for. */
  readonly behind: (work: Promise<unknown>) => void;
}

const MAXIMUM_AGE_SECONDS = 5;
/** How often withdrawals that wait are looked for. */
const RETRY_EVERY_MS = 5_000;
/** Every so many looks, what is too old is removed: about once an hour. */
const SWEEP_EVERY = 720;
/** A consent may change under our hands a few times; more is a store that never settles. */
const ATTEMPTS = 3;
/** Who withdraws a consent of which nobody knows whether it came to be. */
const UNCONFIRMED: Actor = { kind: 'system', reference: 'unconfirmed-change' };

/**
 * The port's second implementation: consents in the bank's own service. Nothing it says is believed that contradicts what was
 * asked; a change whose outcome nobody knows is withdrawn; what was withdrawn here stays refused here.
 * @throws Error when the origin is more or less than `https://host:port`
 */
export function createExternalConsentStore(options: ExternalConsentStoreOptions): ExternalConsentStore {
  const { bank, fetcher, origin, clock, report } = options;
  const remote = createRemote(createStoreCalls(fetcher, origin), bank);
  const withdrawals = createWithdrawals({ ...options, remote });
  const uses = createUses((batch) => remote.noteUses(batch), clock);
  const pending = new Set<Promise<unknown>>();
  const behind = (work: Promise<unknown>): void => {
    const done = work.catch((cause: unknown) => report?.('a consent could not be withdrawn yet', cause));
    pending.add(done);
    void done.finally(() => pending.delete(done));
  };
  const room: Room = { ...options, remote, withdrawals, uses, behind };
  const stop = repeat(room);
  return {
    ...portOf(room),
    maximumAgeSeconds: options.maximumAgeSeconds ?? MAXIMUM_AGE_SECONDS,
    health: () => remote.health().catch(() => false),
    retryWithdrawals: () => withdrawals.retry(),
    flush: uses.flush,
    close: async () => {
      stop();
      await uses.close();
      await Promise.all(pending);
      await fetcher.close();
    },
  };
}

/** Looks for withdrawals that wait, one look at a time; gives the way to stop. */
function repeat({ withdrawals, behind }: Room): () => void {
  let looks = 0;
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    looks += 1;
    try {
      await withdrawals.retry();
      if (looks % SWEEP_EVERY === 0) await withdrawals.sweep();
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => behind(look()), RETRY_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function portOf(room: Room): Omit<ConsentStore, 'close' | 'maximumAgeSeconds'> {
  const ours = (bank: string, id: string): boolean => bank === room.bank && isReference(id) && isSegment(id);
  const known = <T>(bank: string, id: string, work: () => Promise<T>): Promise<T> =>
    answered(async () => {
      if (!ours(bank, id)) throw missing();
      return work();
    });
  return {
    create: (asked, actor) => answered(() => create(room, asked, actor)),
    find: (bank, id) => answered(async () => (ours(bank, id) ? (await load(room, id))?.consent : undefined)),
    list: (filter) => answered(async () => (filter.bank === room.bank ? listExternal(room, filter) : [])),
    history: (bank, id) => known(bank, id, () => history(room, id)),
    authorise: (bank, id, agreed, actor) => known(bank, id, () => authorise(room, id, agreed, actor)),
    reject: (bank, id, actor) => known(bank, id, () => end(room, id, 'reject', { state: 'Rejected', actor })),
    consume: (bank, id, actor) => known(bank, id, () => end(room, id, 'consume', { state: 'Consumed', actor })),
    revoke: (bank, id, actor) => known(bank, id, () => revoke(room, id, actor)),
    touch: (bank, id) => {
      if (ours(bank, id)) room.uses.note(bank, id);
    },
  };
}

/** The consent as it counts here. */
async function load({ remote, withdrawals }: Room, id: string): Promise<Kept | undefined> {
  const kept = await remote.read(id);
  if (kept === undefined) return undefined;
  const [consent] = await withdrawals.apply([kept.consent]);
  if (consent === undefined) throw new Error('a consent got lost');
  return { ...kept, consent };
}

async function create(room: Room, asked: NewConsent, actor: Actor): Promise<Consent> {
  const { bank, clock, audit, reference, remote } = room;
  const now = clock.now();
  checkNewConsent(asked, now);
  if (asked.bank !== bank || !isSegment(asked.id)) throw new Error('this is not a consent of this store');
  const created = await remote.create(asked, actor);
  if (created === 'taken') return sameAsAsked((await load(room, asked.id))?.consent, asked, now);
  const consent = checkCreated(created.consent, asked);
  await recorded(room, asked.id, async () => {
    await room.database.transaction(async (statements) => {
      await announceConsent(statements, bank, consent.id);
      await audit.record(statements, consentCreated(consent, actor, reference));
    });
  });
  return consent;
}

async function authorise(room: Room, id: string, agreed: Authorisation, actor: Actor): Promise<Consent> {
  checkAuthorisation(agreed, room.clock.now());
  const change: Change = { state: 'Authorised', actor, agreed };
  return steer(room, id, 'authorise', {
    change,
    check: (consent) => checkAgreed(consent, agreed),
    verify: (before, after) => checkAuthorised(before, after, agreed),
  });
}

function end(room: Room, id: string, action: 'reject' | 'consume', change: Change): Promise<Consent> {
  return steer(room, id, action, {
    change,
    check: () => undefined,
    verify: (before, after) => checkUntouched(before, after, change.state),
  });
}

interface Steering {
  readonly change: Change;
  /** Whether it may be done to this consent. @throws Refusal */
  readonly check: (consent: Consent) => void;
  /** Whether what was done is what was asked. @throws Error */
  readonly verify: (before: Consent, after: Consent) => void;
}

/** One conditional step: read, judge by our own table, change under the version that was read, judge the answer. */
async function steer(room: Room, id: string, action: 'authorise' | 'reject' | 'consume', steering: Steering) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const kept = await load(room, id);
    if (kept === undefined) throw missing();
    const { consent } = kept;
    if (typeof TRANSITIONS[consent.state][action] !== 'object') throw refuseTransition(consent.state, action);
    steering.check(consent);
    const changed = await changeSurely(room, kept, action, steering);
    if (changed !== 'stale') return finish(room, action, changed, steering.change.actor);
  }
  throw storeUnavailable(new Error('the consent kept changing while it was to be changed'));
}

/** The change as it was asked for, or a refusal; when nobody knows what the store did, an agreement is withdrawn. */
async function changeSurely(
  room: Room,
  kept: Kept,
  action: 'authorise' | 'reject' | 'consume',
  { change, verify }: Steering,
): Promise<Consent | 'stale'> {
  const { id } = kept.consent;
  try {
    const changed = await room.remote.change(kept, change);
    if (changed === 'absent') throw missing();
    if (changed === 'declined') throw storeUnavailable(new Error(`the consent store declined to ${action}`));
    if (changed === 'stale') return changed;
    verify(kept.consent, changed.consent);
    return consentAt(changed.consent, room.clock.now());
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    if (action === 'authorise') await withdraw(room, id);
    throw storeUnavailable(cause);
  }
}

async function finish(
  room: Room,
  action: 'authorise' | 'reject' | 'consume',
  consent: Consent,
  actor: Actor,
): Promise<Consent> {
  const { bank, database, audit, reference } = room;
  const record = (): Promise<void> =>
    database.transaction(async (statements) => {
      await announceConsent(statements, bank, consent.id);
      await audit.record(statements, EVENT_OF[action](consent, actor, reference));
    });
  if (action === 'authorise') await recorded(room, consent.id, record);
  else await record();
  return consent;
}

/** What cannot be recorded must not be: the store has it already, so it is withdrawn there. */
async function recorded(room: Room, id: string, record: () => Promise<void>): Promise<void> {
  try {
    await record();
  } catch (cause) {
    await withdraw(room, id);
    throw cause;
  }
}

/** Makes sure that a consent gives nothing: refused here from now on, and ended at the store while nobody waits. */
async function withdraw({ withdrawals, clock, bank, behind, report }: Room, id: string): Promise<void> {
  try {
    behind(withdrawals.tell(await withdrawals.note(id, UNCONFIRMED, 'untold')));
  } catch (cause) {
    report?.('a consent could not be noted as withdrawn', cause);
    const unnoted = { bank, id, actor: UNCONFIRMED, attempts: 0, requestedAt: clock.now(), confirmedAt: undefined };
    behind(withdrawals.tell(unnoted));
  }
}

/** Refused here from the moment of the request; what the store has not confirmed reads as being revoked (N-201). */
async function revoke(room: Room, id: string, actor: Actor): Promise<Consent> {
  const { remote, withdrawals, clock } = room;
  const kept = await remote.read(id).catch((cause: unknown) => noteBlindly(room, id, actor, cause));
  if (kept === undefined) throw missing();
  const consent = consentAt(kept.consent, clock.now());
  const outcome = TRANSITIONS[consent.state].revoke;
  if (outcome === 'refused') throw refuseTransition(consent.state, 'revoke');
  if (outcome === 'unchanged') return consent;
  const withdrawal = await withdrawals.note(id, actor, 'told');
  try {
    const revoked = await withdrawals.tell(withdrawal);
    if (revoked !== undefined) return revoked;
  } catch (cause) {
    // A trail that cannot be written is told to the caller; a store that does not confirm is told again later.
    if (cause instanceof Refusal && cause.code === 'audit_unavailable') throw cause;
    room.report?.('a consent store did not confirm a revocation', cause);
  }
  return { ...consent, state: 'Revoked', changedAt: withdrawal.requestedAt, revoking: true };
}

/** The store cannot be asked whether there is such a consent: whatever has this id is refused from now on all the same. */
async function noteBlindly(room: Room, id: string, actor: Actor, cause: unknown): Promise<never> {
  await room.withdrawals.note(id, actor, 'told');
  throw new Refusal(
    'consent_store_unavailable',
    503,
    "Access is refused from now on. The bank's consent store does not answer; it will be told as soon as it does.",
    { detail: 'revoking', cause },
  );
}

async function history({ remote, withdrawals, clock }: Room, id: string): Promise<readonly ConsentStep[]> {
  const kept = await remote.read(id);
  const steps = await remote.steps(id);
  if (kept === undefined || steps === undefined) throw missing();
  const withdrawn = await withdrawals.stepOf(id);
  const ended = withEnd(steps, kept.consent, clock.now());
  return withdrawn === undefined || ended.some(({ action }) => action === 'revoke') ? ended : [...ended, withdrawn];
}
