import type { Actor, Audit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Statements } from '../platform/database.ts';
import type { AccountChange, Authorisation, Consent, ConsentAction, ConsentStep, NewConsent } from './consent.ts';
import { noteEnding } from './ending-store.ts';
import { type CustomerReference, consentAccountsChanged, consentCreated, EVENT_OF } from './events.ts';
import {
  checkAccountChange,
  checkAgreed,
  checkAuthorisation,
  checkFilter,
  checkNewConsent,
  isReference,
  sameAsAsked,
} from './fields.ts';
import { EXPIRY, stepOf, withEnd } from './history.ts';
import type { ConsentStore } from './port.ts';
import * as store from './store.ts';
import { consentAt, keptAccounts, refuseTransition, TRANSITIONS } from './transitions.ts';
import { answered, missing } from './unavailable.ts';
import { createUses } from './uses.ts';

/** What the built-in store works with; `reference` gives the keyed hash that stands for a customer in the trail. */
export interface SqlConsentStoreOptions {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly reference: CustomerReference;
}

/** The built-in store: consents in the platform's database. */
export interface SqlConsentStore extends ConsentStore {
  readonly changeAccounts: NonNullable<ConsentStore['changeAccounts']>;
  /** Writes the end of consents whose time is over into their rows and gives how many; each is done wholly or not (N-214). */
  expireDue(): Promise<number>;
  /** Writes the uses noted so far. */
  flush(): Promise<void>;
}

/** Consents looked up at once by the expiry run, each ended in a transaction of its own. */
const EXPIRY_BATCH = 200;
/** Batches of one expiry run, so that it ends; the next run continues. */
const EXPIRY_BATCHES = 50;

/** The built-in consent store: every change is one conditional statement with its step, its event and its announcement. */
export function createSqlConsentStore(options: SqlConsentStoreOptions): SqlConsentStore {
  const { database, clock } = options;
  const uses = createUses((batch) => store.noteUses(database, batch), clock);
  const change = (bank: string, id: string, action: 'reject' | 'consume' | 'revoke', actor: Actor) =>
    changeConsent(options, { bank, id, action, actor }, (statements, at) =>
      store.changeState(statements, bank, id, action, at),
    );
  return {
    create: (consent, actor) => createConsent(options, consent, actor),
    find: (bank, id) =>
      answered(async () => {
        if (!isReference(id)) return undefined;
        const consent = await store.findConsent(database, bank, id);
        return consent && consentAt(consent, clock.now());
      }),
    list: (filter) =>
      answered(async () => {
        checkFilter(filter);
        const now = clock.now();
        const consents = await store.listConsents(database, filter, now);
        return consents.map((consent) => consentAt(consent, now));
      }),
    history: (bank, id) => answered(() => readHistory(options, bank, id)),
    authorise: (bank, id, authorisation, actor) => authoriseConsent(options, bank, id, authorisation, actor),
    reject: (bank, id, actor) => change(bank, id, 'reject', actor),
    consume: (bank, id, actor) => change(bank, id, 'consume', actor),
    revoke: (bank, id, actor) => change(bank, id, 'revoke', actor),
    changeAccounts: (bank, id, wanted, actor) => changeAccounts(options, bank, id, wanted, actor),
    touch: uses.note,
    expireDue: () => answered(() => expireDue(options)),
    flush: uses.flush,
    close: uses.close,
  };
}

async function createConsent(options: SqlConsentStoreOptions, asked: NewConsent, actor: Actor): Promise<Consent> {
  const { database, clock, audit, reference } = options;
  const now = clock.now();
  checkNewConsent(asked, now);
  const { decideBefore, ...rest } = asked;
  const consent: Consent = {
    ...rest,
    state: 'Awaiting',
    accounts: [],
    createdAt: now,
    changedAt: now,
    expiresAt: decideBefore,
    lastUsedAt: undefined,
  };
  return answered(() =>
    database.transaction(async (statements) => {
      if (!(await store.insertConsent(statements, consent))) {
        return sameAsAsked(await store.findConsent(statements, asked.bank, asked.id), asked, now);
      }
      await store.insertStep(statements, consent.bank, consent.id, stepOf('create', consent, actor));
      await store.announceConsent(statements, consent.bank, consent.id);
      await audit.record(statements, consentCreated(consent, actor, reference));
      return consent;
    }),
  );
}

function authoriseConsent(
  options: SqlConsentStoreOptions,
  bank: string,
  id: string,
  authorisation: Authorisation,
  actor: Actor,
): Promise<Consent> {
  return changeConsent(
    options,
    { bank, id, action: 'authorise', actor },
    (statements, at) => {
      checkAuthorisation(authorisation, at);
      return store.authoriseConsent(statements, bank, id, authorisation, at);
    },
    (consent) => checkAgreed(consent, authorisation),
  );
}

interface Change {
  readonly bank: string;
  readonly id: string;
  readonly action: Exclude<ConsentAction, 'expire'>;
  readonly actor: Actor;
}

/** Runs one conditional statement with everything that belongs to it, or says why it changed nothing. */
function changeConsent(
  options: SqlConsentStoreOptions,
  change: Change,
  run: (statements: Statements, at: Date) => Promise<Consent | undefined>,
  check: (consent: Consent) => void = () => undefined,
): Promise<Consent> {
  const { id, action, actor } = change;
  return answered(async () => {
    if (!isReference(id)) throw missing();
    return options.database.transaction(async (statements) => {
      const now = options.clock.now();
      const consent = await run(statements, now);
      if (consent === undefined) return unchanged(statements, change, now, check);
      await finish(options, statements, action, consent, actor);
      return consentAt(consent, now);
    });
  });
}

/** Why nothing changed: absent, in another state (which may be the one wanted), or not allowed to this customer. */
async function unchanged(
  statements: Statements,
  { bank, id, action }: Change,
  now: Date,
  check: (consent: Consent) => void,
): Promise<Consent> {
  const found = await store.findConsent(statements, bank, id);
  if (found === undefined) throw missing();
  const consent = consentAt(found, now);
  const outcome = TRANSITIONS[consent.state][action];
  if (outcome === 'unchanged') return consent;
  if (outcome !== 'refused') check(consent);
  throw refuseTransition(consent.state, action);
}

async function finish(
  { audit, reference }: SqlConsentStoreOptions,
  statements: Statements,
  action: ConsentAction,
  consent: Consent,
  actor: Actor,
): Promise<void> {
  await store.insertStep(statements, consent.bank, consent.id, stepOf(action, consent, actor));
  if (action === 'revoke') await noteEnding(statements, consent, consent.changedAt);
  await store.announceConsent(statements, consent.bank, consent.id);
  await audit.record(statements, EVENT_OF[action](consent, actor, reference));
}

/** New accounts count from the moment this is committed, in every process that is told or asks again. */
function changeAccounts(
  { database, clock, audit, reference }: SqlConsentStoreOptions,
  bank: string,
  id: string,
  wanted: AccountChange,
  actor: Actor,
): Promise<Consent> {
  return answered(async () => {
    if (!isReference(id)) throw missing();
    checkAccountChange(wanted);
    return database.transaction(async (statements) => {
      const now = clock.now();
      const changed = await store.changeAccounts(statements, bank, id, wanted, now);
      if (changed === undefined) return keptAccounts(await store.findConsent(statements, bank, id), wanted, now);
      const { consent, before } = changed;
      const accounts = { before, after: consent.accounts };
      await store.insertStep(statements, bank, id, { ...stepOf('change', consent, actor), accounts });
      await store.announceConsent(statements, bank, id);
      await audit.record(statements, consentAccountsChanged(consent, actor, reference));
      return consent;
    });
  });
}

/** The steps as written, and the end that time brought when no row says so yet. */
async function readHistory(
  { database, clock }: SqlConsentStoreOptions,
  bank: string,
  id: string,
): Promise<readonly ConsentStep[]> {
  const consent = isReference(id) ? await store.findConsent(database, bank, id) : undefined;
  if (consent === undefined) throw missing();
  return withEnd(await store.readSteps(database, bank, id), consent, clock.now());
}

async function expireDue(options: SqlConsentStoreOptions): Promise<number> {
  const { database, clock } = options;
  let ended = 0;
  for (let batch = 0; batch < EXPIRY_BATCHES; batch += 1) {
    const now = clock.now();
    const due = await store.dueConsents(database, now, EXPIRY_BATCH);
    for (const consent of due) if (await expire(options, consent, now)) ended += 1;
    if (due.length < EXPIRY_BATCH) break;
  }
  return ended;
}

function expire(options: SqlConsentStoreOptions, due: Consent, now: Date): Promise<boolean> {
  return options.database.transaction(async (statements) => {
    const consent = await store.expireConsent(statements, due, now);
    if (consent !== undefined) await finish(options, statements, 'expire', consent, EXPIRY);
    return consent !== undefined;
  });
}
