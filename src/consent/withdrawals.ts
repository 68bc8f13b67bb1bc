import type { Actor, Audit } from '../audit/index.ts';
import { type Clock, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Consent, ConsentStep } from './consent.ts';
import { noteEnding } from './ending-store.ts';
import { type CustomerReference, consentRevoked, consentRevoking } from './events.ts';
import type { Kept, Remote } from './external-remote.ts';
import { words } from './history.ts';
import { announceConsent } from './store.ts';
import { consentAt, TRANSITIONS } from './transitions.ts';
import type { Withdrawal } from './withdrawal-store.ts';
import * as store from './withdrawal-store.ts';

/** What the keeping of withdrawals needs. */
export interface WithdrawalsOptions {
  readonly bank: string;
  readonly remote: Remote;
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly reference: CustomerReference;
}

/**
 * Consents of a bank's own store that were withdrawn here. From the moment one is noted it is refused on every node; the
 * store is told until it confirms (N-201).
 */
export interface Withdrawals {
  /** Notes one, with its event in the same transaction unless the trail itself is why. */
  note(id: string, actor: Actor, event: 'told' | 'untold'): Promise<Withdrawal>;
  /** Ends the consent at the store, and notes the confirmation with its event. Undefined when the store does not know the id. @throws Error when the store does not confirm */
  tell(withdrawal: Withdrawal): Promise<Consent | undefined>;
  /** The consents as they count here: withdrawn is Revoked, whatever the store says. */
  apply(consents: readonly Consent[]): Promise<readonly Consent[]>;
  /** The step that the store does not know yet. */
  stepOf(id: string): Promise<ConsentStep | undefined>;
  /** Tells the store of what it has not confirmed, as far as it is due; gives how many it confirmed. */
  retry(): Promise<number>;
  /** Removes what is older than any consent. */
  sweep(): Promise<void>;
}

/** The store is told again after this many seconds, then twice as long after each time, an hour at most. */
const BACK_OFF = { first: 5, longest: 3_600 } as const;
/** A revocation under way is left to whoever asked for it before anybody else repeats it. */
const FIRST_RETRY_SECONDS = 10;
/** Withdrawals taken at once by one process. */
const RETRIES_AT_ONCE = 50;
/** A consent may change under our hands a few times; more is a store that never settles. */
const ATTEMPTS = 3;
/** Longer than any consent lives: a store restored from an old copy must not open what was closed. */
const KEEP_DAYS = 400;
const DAY_SECONDS = 86_400;
const SWEEP_BATCH = 1_000;

/** Withdrawals of one bank. */
export function createWithdrawals(options: WithdrawalsOptions): Withdrawals {
  const { bank, database, clock } = options;
  return {
    note: (id, actor, event) => note(options, id, actor, event),
    tell: (withdrawal) => tell(options, withdrawal),
    apply: async (consents) => {
      if (consents.length === 0) return [];
      const ids = consents.map(({ id }) => id);
      const withdrawn = new Map((await store.findWithdrawals(database, bank, ids)).map((one) => [one.id, one]));
      return consents.map((consent) => withdrawnAt(consent, withdrawn.get(consent.id), clock.now()));
    },
    stepOf: async (id) => {
      const [withdrawal] = await store.findWithdrawals(database, bank, [id]);
      return withdrawal?.confirmedAt === undefined ? stepOfWithdrawal(withdrawal) : undefined;
    },
    retry: () => retry(options),
    sweep: async () => {
      await store.removeWithdrawals(database, bank, secondsAfter(clock.now(), -KEEP_DAYS * DAY_SECONDS), SWEEP_BATCH);
    },
  };
}

function note(
  { bank, database, audit, clock }: WithdrawalsOptions,
  id: string,
  actor: Actor,
  event: 'told' | 'untold',
): Promise<Withdrawal> {
  return database.transaction(async (statements) => {
    const now = clock.now();
    const kept = {
      ...actor,
      reference: words(actor.reference),
      reason: actor.reason === undefined ? undefined : words(actor.reason),
    };
    const next = secondsAfter(now, FIRST_RETRY_SECONDS);
    const withdrawal = await store.noteWithdrawal(statements, bank, id, kept, now, next);
    await noteEnding(statements, { bank, id }, now);
    await announceConsent(statements, bank, id);
    if (event === 'told') await audit.record(statements, consentRevoking(bank, id, kept));
    return withdrawal;
  });
}

async function tell(options: WithdrawalsOptions, withdrawal: Withdrawal): Promise<Consent | undefined> {
  const { bank, remote, database, clock } = options;
  const { id, actor } = withdrawal;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const kept = await remote.read(id);
    if (kept === undefined) return undefined;
    const consent = consentAt(kept.consent, clock.now());
    if (typeof TRANSITIONS[consent.state].revoke !== 'object') return confirm(options, withdrawal, consent);
    if (withdrawal.confirmedAt !== undefined) await store.reopenWithdrawal(database, bank, id);
    const changed = await remote.change(kept, { state: 'Revoked', actor });
    if (typeof changed === 'object') return confirm(options, withdrawal, checkRevoked(kept, changed));
    if (changed !== 'stale') throw new Error(`the consent store would not revoke: ${changed}`);
  }
  throw new Error('the consent kept changing while it was to be revoked');
}

/** @throws Error when the answer is not the same consent, revoked */
function checkRevoked({ consent: before }: Kept, { consent }: Kept): Consent {
  const same =
    consent.state === 'Revoked' &&
    (['participant', 'client', 'customer'] as const).every((member) => consent[member] === before[member]);
  if (!same) throw new Error('the consent store answered a revocation with something else');
  return consent;
}

function confirm(
  { bank, database, audit, clock, reference }: WithdrawalsOptions,
  { id, actor }: Withdrawal,
  consent: Consent,
): Promise<Consent> {
  return database.transaction(async (statements) => {
    const first = await store.confirmWithdrawal(statements, bank, id, clock.now());
    await announceConsent(statements, bank, id);
    if (first && consent.state === 'Revoked') await audit.record(statements, consentRevoked(consent, actor, reference));
    return consent;
  });
}

function withdrawnAt(consent: Consent, withdrawal: Withdrawal | undefined, now: Date): Consent {
  const read = consentAt(consent, now);
  if (withdrawal === undefined || typeof TRANSITIONS[read.state].revoke !== 'object') return read;
  const revoked: Consent = { ...read, state: 'Revoked', changedAt: withdrawal.requestedAt };
  return withdrawal.confirmedAt === undefined ? { ...revoked, revoking: true } : revoked;
}

function stepOfWithdrawal(withdrawal: Withdrawal | undefined): ConsentStep | undefined {
  if (withdrawal === undefined) return undefined;
  const { requestedAt: at, actor } = withdrawal;
  const { kind, reference, reason } = actor;
  return { at, action: 'revoke', state: 'Revoked', actor: kind, actorReference: reference, reason };
}

/** One that fails is taken again when its next time has come: what went wrong shows in the count of its attempts. */
async function retry(options: WithdrawalsOptions): Promise<number> {
  const { bank, database, clock } = options;
  const due = await store.takeDueWithdrawals(database, bank, clock.now(), RETRIES_AT_ONCE, BACK_OFF);
  const told = await Promise.allSettled(due.map((withdrawal) => tell(options, withdrawal)));
  return told.filter((one) => one.status === 'fulfilled' && one.value !== undefined).length;
}
