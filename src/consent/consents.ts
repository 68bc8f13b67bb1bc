import { type Cache, createCache, type Loaded } from '../platform/cache.ts';
import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Consent } from './consent.ts';
import { findEndings, removeEnding, takeDueEndings } from './ending-store.ts';
import type { ConsentStore, Consents } from './port.ts';
import { announceConsent, CONSENT_CHANNEL } from './store.ts';
import { consentAt } from './transitions.ts';
import { answered, storeUnavailable } from './unavailable.ts';

/** What the consent room is made of; `stores` gives the store of a bank. */
export interface ConsentsOptions {
  readonly stores: (bank: string) => ConsentStore;
  readonly database: Database;
  readonly clock: Clock;
}

/** Consents remembered at once: about 1 kB each. */
const MAXIMUM_CACHED = 50_000;
/** A remembered consent is read again after this many seconds though nothing was told: a connection can die unnoticed. */
const MAXIMUM_AGE_SECONDS = 30;
/** The same while notifications do not arrive (design §3e). */
const MAXIMUM_AGE_UNTOLD_SECONDS = 1;

/** Endings taken at once by one process. */
const ENDINGS_AT_ONCE = 50;

/** Opens the consent room: the banks' stores with a cache in front that every change drops, here and elsewhere. */
export async function createConsents({ stores, database, clock }: ConsentsOptions): Promise<Consents> {
  const cache = createCache<Consent>({ maximum: MAXIMUM_CACHED, clock });
  const used = new Set<ConsentStore>();
  const storeOf = (bank: string): ConsentStore => {
    const store = stores(bank);
    used.add(store);
    return store;
  };
  const listeners: ((change: { bank: string; id: string }) => void)[] = [];
  const tell = (bank: string, id: string): void => {
    cache.drop(keyOf(bank, id));
    for (const changed of listeners) changed({ bank, id });
  };
  const unlisten = await database.listen(CONSENT_CHANNEL, (payload) => receive(cache, payload, tell), cache.clear);

  /** The outcome of a change that failed is not known, so the answer at hand is dropped whatever happens. */
  async function changing(bank: string, id: string, change: () => Promise<Consent>): Promise<Consent> {
    try {
      return await change();
    } finally {
      tell(bank, id);
    }
  }

  const loading = (bank: string, id: string) => load(storeOf(bank), bank, id, { database, clock });

  async function current(key: string, bank: string, id: string): Promise<Consent | undefined> {
    const consent = await cache.load(key, () => loading(bank, id));
    return consent && consentAt(consent, clock.now());
  }

  return {
    create: (consent, actor) => changing(consent.bank, consent.id, () => storeOf(consent.bank).create(consent, actor)),
    find: (bank, id) => storeOf(bank).find(bank, id),
    list: (filter) => storeOf(filter.bank).list(filter),
    history: (bank, id) => storeOf(bank).history(bank, id),
    authorise: (bank, id, authorisation, actor) =>
      changing(bank, id, () => storeOf(bank).authorise(bank, id, authorisation, actor)),
    reject: (bank, id, actor) => changing(bank, id, () => storeOf(bank).reject(bank, id, actor)),
    consume: (bank, id, actor) => changing(bank, id, () => storeOf(bank).consume(bank, id, actor)),
    revoke: (bank, id, actor) => changing(bank, id, () => storeOf(bank).revoke(bank, id, actor)),
    changeAccounts: async (bank, id, change, actor) => {
      const { changeAccounts } = storeOf(bank);
      if (changeAccounts === undefined)
        throw new Refusal('accounts_unchangeable', 404, "The bank's own consent store keeps accounts as agreed.");
      return changing(bank, id, () => changeAccounts(bank, id, change, actor));
    },
    touch: (bank, id) => storeOf(bank).touch(bank, id),
    current: (bank, id) => {
      const key = keyOf(bank, id);
      const kept = cache.get(key, () => loading(bank, id));
      return kept === undefined ? current(key, bank, id) : consentAt(kept, clock.now());
    },
    onChange: (changed) => {
      listeners.push(changed);
    },
    noticeChange: async (bank, id) => {
      tell(bank, id);
      await answered(() => announceConsent(database, bank, id));
    },
    takeEndings: () => answered(() => takeDueEndings(database, clock.now(), ENDINGS_AT_ONCE)),
    unended: (bank, ids) => answered(() => findEndings(database, bank, ids)),
    ended: (bank, id) => answered(() => removeEnding(database, { bank, id })),
    close: async () => {
      await unlisten();
      for (const store of used) await store.close();
    },
  };
}

/** Bank ids have no line break, so that the key names one consent. */
function keyOf(bank: string, id: string): string {
  return `${bank}\n${id}`;
}

function receive(cache: Cache<Consent>, payload: string, tell: (bank: string, id: string) => void): void {
  const [bank, id] = parse(payload);
  if (typeof bank === 'string' && typeof id === 'string') tell(bank, id);
  else cache.clear();
}

function parse(payload: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(payload);
    return Array.isArray(value) ? value : [];
  } catch {
    // Something changed and nobody can say what: the caller drops everything.
    return [];
  }
}

async function load(
  store: ConsentStore,
  bank: string,
  id: string,
  { database, clock }: Pick<ConsentsOptions, 'database' | 'clock'>,
): Promise<Loaded<Consent>> {
  const asked = clock.now();
  const consent = await found(store, bank, id);
  // An unknown id is asked again every time: no answer about it is worth remembering.
  if (consent === undefined) return { value: undefined, validUntil: asked };
  const age = database.notificationsAlive() ? MAXIMUM_AGE_SECONDS : MAXIMUM_AGE_UNTOLD_SECONDS;
  // Its end needs no place here: whoever reads what is remembered reads it as of that moment.
  return { value: consent, validUntil: secondsAfter(asked, Math.min(age, store.maximumAgeSeconds ?? age)) };
}

/** @throws Refusal `consent_store_unavailable` 503 when the store fails or answers with another consent */
async function found(store: ConsentStore, bank: string, id: string): Promise<Consent | undefined> {
  try {
    const consent = await store.find(bank, id);
    if (consent !== undefined && (consent.id !== id || consent.bank !== bank))
      throw new Error('the consent store answered with another consent than it was asked for');
    return consent;
  } catch (cause) {
    throw cause instanceof Refusal ? cause : storeUnavailable(cause);
  }
}
