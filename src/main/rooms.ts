import type { IncomingMessage } from 'node:http';
import { type Audit, createAudit } from '../audit/index.ts';
import { type Consents, createConsents } from '../consent/index.ts';
import { createDirectory, type Directory, type ParticipantRegister } from '../directory/index.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Log } from '../platform/log.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import { type Migration, migrate, readMigrations } from '../platform/migrate.ts';
import { openPglite } from '../platform/pglite.ts';
import { openPostgres } from '../platform/postgres.ts';
import { createTokens, type Tokens } from '../tokens/index.ts';
import { openSharing, type Sharing, type TrustRoom } from '../trust/index.ts';
import type { TrustedLists } from '../trusted-lists/index.ts';
import { createVault, openFileKeyStore, type Vault } from '../vault/index.ts';
import { openConsentStores } from './consent-stores.ts';
import { type Denials, openDenials } from './denials.ts';
import { openRegisters } from './registers.ts';
import { createReloads, type Reloads } from './reloads.ts';
import type { Settings } from './settings.ts';
import { openTrust, schemeIds } from './trust.ts';
import { openTrustedLists } from './trusted-lists.ts';

/** The core rooms, open and ready: what commands and the edges work on. */
export interface Rooms {
  readonly clock: Clock;
  /** The numbers of this process, for `/metrics`. */
  readonly metrics: Metrics;
  readonly database: Database;
  readonly migrations: readonly Migration[];
  readonly audit: Audit;
  readonly vault: Vault;
  readonly trust: TrustRoom;
  readonly trustedLists: TrustedLists;
  /** The other processes of the platform, as far as certificates are concerned. */
  readonly sharing: Sharing;
  readonly denials: Denials;
  /** Files that are read again while the platform runs. */
  readonly reloads: Reloads;
  /** Said of a request that came through the door behind a proxy. */
  readonly behindProxy: (request: IncomingMessage) => void;
  readonly directory: Directory;
  /** The competent authorities' registers, by bank; only of banks that have one. */
  readonly registers: ReadonlyMap<string, ParticipantRegister>;
  readonly consents: Consents;
  readonly tokens: Tokens;
  /** A customer as the audit trail names them. */
  readonly reference: (bank: string, customer: string) => string;
  /** Writes the end of consents that are over, in bounded batches; they read as Expired without it. */
  expireConsents(): Promise<number>;
  close(): Promise<void>;
}

const MIGRATIONS = new URL('../../migrations/', import.meta.url);

/** Where the database is: `DATABASE_URL` wins over the embedded directory. @throws Error when neither is given */
export async function openDatabase(settings: Settings, databaseUrl: string | undefined): Promise<Database> {
  if (databaseUrl !== undefined) return openPostgres(databaseUrl);
  const { directory } = settings.database;
  if (directory === undefined) throw new Error('database.directory: name a directory, or set DATABASE_URL');
  return openPglite(directory);
}

/** Where the state is and who watches. */
export interface RoomsOptions {
  readonly databaseUrl: string | undefined;
  readonly log: Log;
  readonly clock?: Clock;
  /** An open database instead; the rooms close it. */
  readonly database?: Database;
}

/** Opens the database, applies what is missing, and opens the core rooms in the order they need each other. */
export async function openRooms(settings: Settings, options: RoomsOptions): Promise<Rooms> {
  const clock = options.clock ?? systemClock;
  const { log } = options;
  const metrics = createMetrics();
  const database = options.database ?? (await openDatabase(settings, options.databaseUrl));
  try {
    const migrations = await readMigrations(MIGRATIONS.pathname);
    await migrate(database, migrations);
    const audit = await createAudit({ database, clock, log });
    const keyStore = await openFileKeyStore(settings.keys.directory);
    const vault = await createVault({ database, audit, clock, keyStore });
    const reference = await customerReferences(settings, vault);
    const sharing = await openSharing({ database, clock, log });
    const reloads = createReloads({ log, metrics });
    sharing.on('reload', () => void reloads.reload());
    const { trust, behindProxy } = await openTrust(settings, { clock, log, metrics, sharing, reloads });
    const trustedLists = await openTrustedLists(settings, { database, audit, clock, log, metrics, trust });
    const schemes = schemeIds(settings);
    const denials = await openDenials({ database, audit, clock, log, trust, sharing, schemes });
    const directory = await createDirectory({ database, audit, clock, log });
    const registers = await openRegisters(settings, { audit, clock, metrics, log });
    const stores = await openConsentStores(settings, { database, audit, clock, reference, log });
    const consents = await createConsents({ stores: stores.storeOf, database, clock });
    const tokens = await createTokens({ database, audit, vault, clock, log });
    const close = async () => {
      await trustedLists.close();
      await Promise.all([consents.close(), directory.close(), registers.close(), tokens.close(), trust.close()]);
      await sharing.close();
      await stores.close();
      await vault.close();
      await audit.close();
      await database.close();
    };
    return {
      clock,
      metrics,
      database,
      migrations,
      audit,
      vault,
      expireConsents: stores.expireDue,
      trust,
      trustedLists,
      sharing,
      denials,
      reloads,
      behindProxy,
      directory,
      registers: registers.byBank,
      consents,
      tokens,
      reference,
      close,
    };
  } catch (cause) {
    await database.close();
    throw cause;
  }
}

/** A customer in the audit trail is a keyed hash of the bank's id, so that the trail names nobody. */
async function customerReferences(
  settings: Settings,
  vault: Vault,
): Promise<(bank: string, customer: string) => string> {
  const hashers = new Map<string, (value: string) => string>();
  for (const bank of settings.banks) hashers.set(bank.id, await vault.hasher(bank.id, 'audit-subject'));
  return (bank, customer) => {
    const hash = hashers.get(bank);
    if (hash === undefined) throw new Error(`bank ${bank} is not configured`);
    return hash(customer);
  };
}
