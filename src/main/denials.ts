import type { Actor, Audit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Log } from '../platform/log.ts';
import { Refusal } from '../platform/refusal.ts';
import {
  countDenied,
  type DeniedCertificate,
  type DeniedEntry,
  deleteDenied,
  denialId,
  insertDenied,
  listDenied,
  MAXIMUM_DENIED_ENTRIES,
  type Sharing,
  type TrustRoom,
} from '../trust/index.ts';
import { certificateAllowed, certificateDenied } from './events.ts';

/** In the place of a bank's id: all banks of the platform. */
export const ALL_BANKS = '*';

/** The deny list that commands keep, in force in every process at once; the configuration may deny more. */
export interface Denials {
  /** Gives false when it was denied before. @throws Refusal `field_invalid` 400 for an entry that says nothing, or one too many */
  deny(bank: string, denied: DeniedCertificate, actor: Actor): Promise<boolean>;
  /** Gives false when it was not denied. @throws Refusal `field_invalid` 400 */
  allow(bank: string, denied: DeniedCertificate, actor: Actor): Promise<boolean>;
  list(): Promise<readonly DeniedEntry[]>;
  /** Reads the list again. Never throws: without the database the last one known stays in force. */
  refresh(): Promise<void>;
}

interface DenialParts {
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly audit: Pick<Audit, 'record'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly trust: Pick<TrustRoom, 'replaceDenied'>;
  readonly sharing: Pick<Sharing, 'announce' | 'on'>;
  /** Every scheme of the platform, a bank's own and those beside it. */
  readonly schemes: readonly { readonly id: string; readonly bank: string }[];
}

/** Reads the list and keeps it in force. @throws Error when it cannot be read: nobody starts without it */
export async function openDenials(parts: DenialParts): Promise<Denials> {
  const { database, clock, log, sharing } = parts;
  let [begun, applied] = [0, 0];
  /** Of two readings the one that began later counts, whichever ends first: it may know what the other does not. */
  const read = async (): Promise<void> => {
    begun += 1;
    const own = begun;
    const entries = await listDenied(database);
    if (own < applied) return;
    applied = own;
    apply(parts, entries);
  };
  const refresh = (): Promise<void> =>
    read().catch((cause: unknown) => log.error({ cause }, 'the deny list cannot be read: the last one stays in force'));
  // First: what is told while the list is read may not be in it.
  sharing.on('denied', () => void refresh());
  await read();
  return {
    refresh,
    list: () => listDenied(database),
    deny: async (bank, denied, actor) => {
      const id = idOf(denied);
      const { reference: deniedBy, reason } = actor;
      const added = await database.transaction(async (statements) => {
        if ((await countDenied(statements)) >= MAXIMUM_DENIED_ENTRIES)
          throw new Refusal('field_invalid', 400, `at most ${MAXIMUM_DENIED_ENTRIES} certificates can be denied`);
        const entry = { bank, denied, reason, deniedBy, deniedAt: clock.now() };
        if (!(await insertDenied(statements, id, entry))) return false;
        await sharing.announce(statements, 'denied');
        await parts.audit.record(statements, certificateDenied(bank, denied, actor));
        return true;
      });
      await read();
      return added;
    },
    allow: async (bank, denied, actor) => {
      const id = idOf(denied);
      const removed = await database.transaction(async (statements) => {
        if (!(await deleteDenied(statements, bank, id))) return false;
        await sharing.announce(statements, 'denied');
        await parts.audit.record(statements, certificateAllowed(bank, denied, actor));
        return true;
      });
      await read();
      return removed;
    },
  };
}

function idOf(denied: DeniedCertificate): string {
  try {
    return denialId(denied);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : 'the entry cannot be read';
    throw new Refusal('field_invalid', 400, problem, { cause });
  }
}

/** One entry that somebody spoilt must not take the others out of force; it is reported. */
function apply({ schemes, trust, log }: DenialParts, entries: readonly DeniedEntry[]): void {
  const sound = entries.filter(({ denied }) => {
    try {
      denialId(denied);
      return true;
    } catch (cause) {
      log.error({ cause }, 'an entry of the deny list cannot be read and denies nothing');
      return false;
    }
  });
  for (const { id, bank } of schemes) {
    const own = sound.filter((entry) => entry.bank === bank || entry.bank === ALL_BANKS);
    trust.replaceDenied(
      id,
      own.map(({ denied }) => denied),
    );
  }
}
