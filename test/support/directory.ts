import type { Actor } from '../../src/audit/index.ts';
import { createDirectory, type Directory, type NewParticipant } from '../../src/directory/index.ts';
import type { Database } from '../../src/platform/database.ts';
import { openPostgres } from '../../src/platform/postgres.ts';
import { sha256 } from '../../src/platform/random.ts';
import type { ClientCertificate } from '../../src/trust/index.ts';
import { openTestDatabase } from './database.ts';
import { createRecordingAudit } from './recording-audit.ts';

/** The moment test clocks start at. */
export const START = new Date('2026-03-01T12:00:00Z');

/** Somebody of the bank, with a reason. */
export const STAFF: Actor = { kind: 'staff', reference: 'staff-1', reason: 'test' };

/** A third party acting for itself. */
export const ITSELF: Actor = { kind: 'participant', reference: 'tpp-a' };

/** A clock that moves when told. */
export function testClock() {
  let now = START;
  return {
    now: () => now,
    forward: (seconds: number): void => {
      now = new Date(now.getTime() + seconds * 1000);
    },
  };
}

/** A database with directories on it: each as good as a process of its own where the database allows. */
export async function openDirectories() {
  const database = await openTestDatabase();
  const clock = testClock();
  const audit = createRecordingAudit();
  const closing: (() => Promise<void>)[] = [];
  const open = async (use: Database): Promise<Directory> => {
    const directory = await createDirectory({ database: use, audit, clock });
    closing.push(() => directory.close());
    return directory;
  };
  return {
    database,
    clock,
    events: audit.events,
    /** Whether the trail refuses to record. */
    refuse: (refusing: boolean): void => {
      audit.failure = refusing ? new Error('the trail cannot be written') : undefined;
    },
    directory: await open(database),
    /** Another node: with PostgreSQL it has its own connections. */
    another: async (): Promise<Directory> => {
      if (database.url === undefined) return open(database);
      const other = await openPostgres(database.url);
      closing.push(() => other.close());
      return open(other);
    },
    on: open,
    close: async (): Promise<void> => {
      // A directory was opened after its database: close the last first.
      for (const close of closing.reverse()) await close();
      await database.close();
    },
  };
}

/** A participant as it is entered; every call gives another id unless one is named. */
export function newParticipant(given: Partial<NewParticipant> = {}): NewParticipant {
  serial += 1;
  return {
    id: `tpp-${serial}`,
    name: 'Third Party Ltd',
    registrationNumber: `PSDXX-TEST-${serial}`,
    email: 'contact@third-party.example',
    roles: ['AISP', 'PISP'],
    status: 'approved',
    ...given,
  };
}

/** A certificate as trust hands it on, named by what its thumbprint is made of. */
export function certificateNamed(name: string, given: Partial<ClientCertificate> = {}): ClientCertificate {
  return {
    der: new Uint8Array(),
    pem: '',
    thumbprint: sha256(name),
    subject: `CN=${name}`,
    issuer: 'CN=Test Issuing CA',
    serial: Buffer.from(sha256(name)).toString('hex').slice(0, 20),
    notBefore: START,
    notAfter: new Date('2027-03-01T12:00:00Z'),
    dnsNames: [],
    uris: [],
    emails: [],
    ipAddresses: [],
    spkiSha256: sha256(`key of ${name}`),
    organizationIdentifier: undefined,
    commonName: name,
    roles: undefined,
    ...given,
  };
}

let serial = 0;
