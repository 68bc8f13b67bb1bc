import type { Audit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { type Certificates, createCertificates } from './certificates.ts';
import { type DirectoryLog, openChanges } from './changes.ts';
import { type Clients, createClients } from './clients.ts';
import type { Participant, Standing } from './participant.ts';
import { createParticipants, type Participants } from './participants.ts';
import { createRequestCounter } from './request-counter.ts';
import { createStandings } from './standing.ts';
import type { Change } from './store.ts';

/** Participants, their clients and certificates. */
export interface Directory extends Participants, Clients, Certificates {
  /**
   * Client, participant and certificates in force now; undefined when there is no such client. Cached, bounded, dropped by
   * notification; given at once when at hand. @throws Refusal `directory_unavailable` 503: the database cannot be asked, so nobody is let in
   */
  standing(bank: string, client: string): Standing | undefined | Promise<Standing | undefined>;
  /** Counts one request. Answers the seconds to wait when the participant is over its limit, else undefined. Never waits for the database. */
  takeRequest(participant: Participant): number | undefined;
  /**
   * Calls `changed` with a participant's id after its standing changed, here or elsewhere, at least once per change; and
   * `lost` when changes may have been missed: drop everything.
   */
  onChange(changed: (change: Change) => void, lost?: () => void): void;
  /** Tells the other nodes the requests counted last, and stops. */
  close(): Promise<void>;
}

/** What the directory needs; without `log` its failures show in refusals only. */
export interface DirectoryOptions {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log?: DirectoryLog;
}

/** Opens the directory on a migrated database. */
export async function createDirectory({ database, audit, clock, log }: DirectoryOptions): Promise<Directory> {
  const standings = createStandings({ database, clock });
  const changes = await openChanges({ database, audit, clock, log });
  changes.onChange(standings.drop, standings.clear);
  const requests = createRequestCounter({ database, clock, log });
  const { commit } = changes;
  return {
    ...createParticipants({ database, commit }),
    ...createClients({ database, audit, commit, now: () => clock.now() }),
    ...createCertificates({ audit, commit }),
    standing: standings.find,
    takeRequest: requests.take,
    onChange: changes.onChange,
    close: async () => {
      await changes.close();
      await requests.close();
    },
  };
}
