import { createCache, type Loaded } from '../platform/cache.ts';
import { type Clock, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import { selectCertificates } from './certificate-store.ts';
import { isClientId } from './client-fields.ts';
import type { Standing } from './participant.ts';
import { type Change, selectClient, selectParticipant } from './store.ts';

/** Clients of one installation that are busy at the same time; 10 KiB each make 100 MiB at worst. */
const MAXIMUM_STANDINGS = 10_000;
/** Unknown ids have places of their own, so that inventing ids never pushes a real client out. */
const MAXIMUM_ABSENT = 1_000;
/** Also when no notification says otherwise: bounds what a connection that died silently can cost. */
const MAXIMUM_AGE_SECONDS = 10;
/** Without notifications (design §3 e), and for ids that nobody has. */
const UNTOLD_AGE_SECONDS = 1;

interface Kept {
  readonly standing: Standing;
  readonly loadedAt: Date;
}

/** The answers to "who is this client, and what may it do now". */
export interface Standings {
  /** At once when it is remembered. */
  find(bank: string, client: string): Standing | undefined | Promise<Standing | undefined>;
  drop(change: Change): void;
  clear(): void;
}

/** Answers from memory while they are fresh, else from the database; never from memory because the database is away. */
export function createStandings({ database, clock }: { database: Database; clock: Clock }): Standings {
  const known = createCache<Kept>({ maximum: MAXIMUM_STANDINGS, clock });
  const absent = createCache<true>({ maximum: MAXIMUM_ABSENT, clock });
  /** Grows with every drop: an absence found before a drop is not kept after it. */
  let generation = 0;

  function dropUntold(key: string): void {
    if (database.notificationsAlive()) return;
    const kept = known.get(key);
    if (kept !== undefined && secondsAfter(kept.loadedAt, UNTOLD_AGE_SECONDS) <= clock.now()) known.drop(key);
  }

  async function find(key: string, bank: string, client: string): Promise<Standing | undefined> {
    const before = generation;
    const kept = await known.load(key, () => load(database, bank, client, clock.now()));
    if (kept === undefined && before === generation) {
      const validUntil = secondsAfter(clock.now(), UNTOLD_AGE_SECONDS);
      await absent.load(key, async () => ({ value: true, validUntil }));
    }
    return kept?.standing;
  }

  return {
    find: (bank, client) => {
      if (!isClientId(bank, client)) return undefined;
      const key = keyOf(bank, client);
      if (absent.get(key) === true) return undefined;
      dropUntold(key);
      const kept = known.get(key, () => load(database, bank, client, clock.now()));
      return kept?.standing ?? find(key, bank, client);
    },
    drop: ({ participant, bank, client }) => {
      generation += 1;
      if (bank === undefined || client === undefined) {
        known.dropWhere((_key, kept) => kept?.standing.participant.id === participant);
        absent.clear();
      } else {
        known.drop(keyOf(bank, client));
        absent.drop(keyOf(bank, client));
      }
    },
    clear: () => {
      generation += 1;
      known.clear();
      absent.clear();
    },
  };
}

function keyOf(bank: string, client: string): string {
  return `${bank}/${client}`;
}

/** @throws Refusal `directory_unavailable` 503: nobody is let in because the directory cannot be asked (CA-15, N-285) */
async function load(database: Database, bank: string, client: string, now: Date): Promise<Loaded<Kept>> {
  try {
    return await read(database, bank, client, now);
  } catch (cause) {
    throw new Refusal('directory_unavailable', 503, 'The participant directory cannot be asked; try again later.', {
      cause,
    });
  }
}

async function read(database: Database, bank: string, client: string, now: Date): Promise<Loaded<Kept>> {
  const told = database.notificationsAlive();
  const stored = await selectClient(database, bank, client, now);
  // Absent answers are kept elsewhere: stale on arrival, this one takes no place.
  if (stored === undefined) return { value: undefined, validUntil: now };
  const [participant, certificates] = await Promise.all([
    selectParticipant(database, stored.client.participant),
    selectCertificates(database, bank, client, now),
  ]);
  if (participant === undefined) throw new Error(`client ${client} of bank ${bank} has no participant`);
  const ends = certificates.map(({ endsAt }) => endsAt).filter((end) => end !== undefined);
  if (stored.secretsChangeAt !== undefined) ends.push(stored.secretsChangeAt);
  const age = secondsAfter(now, told ? MAXIMUM_AGE_SECONDS : UNTOLD_AGE_SECONDS);
  const standing = Object.freeze({ client: stored.client, participant, certificates });
  return { value: { standing, loadedAt: now }, validUntil: earliest(age, ends) };
}

function earliest(first: Date, others: readonly Date[]): Date {
  return new Date(Math.min(first.getTime(), ...others.map((date) => date.getTime())));
}
