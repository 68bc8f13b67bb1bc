import { openRooms, type Rooms } from '../../src/main/rooms.ts';
import { serve } from '../../src/main/serve.ts';
import type { Settings } from '../../src/main/settings.ts';
import type { Database } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { openPostgres } from '../../src/platform/postgres.ts';
import { call, type Received } from './http.ts';
import type { TestPlatform } from './platform.ts';
import { freePorts } from './ports.ts';
import type { ThirdParty } from './third-party.ts';

/** A second process of the same platform, as a load balancer would choose it: same name, same database and keys, memory of its own. */
export interface SecondNode {
  readonly rooms: Rooms;
  /** Calls a bank's API here under the platform's one name. */
  api(party: ThirdParty, bank: string, path: string, token: string, use?: ThirdParty['agent']): Promise<Received>;
  /** How often this node has asked the database about tokens, consents and participants. */
  lookups(): number;
  close(): Promise<void>;
}

const LOOKUP = /\bFROM (?:tokens|consent|directory)\./;

/** Starts it beside the first: with PostgreSQL over connections of its own, with PGlite over the one there is. */
export async function openSecondNode(platform: TestPlatform): Promise<SecondNode> {
  const { shared, close } = await reachAgain(platform.rooms.database);
  let lookups = 0;
  const database: Database = {
    ...shared,
    close: async () => undefined,
    // Both are read when they are asked for: a copy would say for ever how things stood at the start.
    notificationsAlive: () => shared.notificationsAlive(),
    query: (text, values) => {
      if (LOOKUP.test(text) && text.startsWith('SELECT')) lookups += 1;
      return shared.query(text, values);
    },
  };
  const settings = await elsewhere(platform.settings);
  const log = createLog({ level: process.env.PORTCULLIS_TEST_LOG ?? 'silent' });
  const rooms = await openRooms(settings, { databaseUrl: undefined, database, log });
  const node = await serve(settings, rooms, log);
  const host = new URL(settings.doors.mtls.origin).host;
  const port = node.doors.get('mtls')?.port ?? 0;
  return {
    rooms,
    api: (party, bank, path, token, use = party.agent) =>
      call(`https://localhost:${port}/${bank}${path}`, {
        headers: { host, authorization: `Bearer ${token}` },
        agent: use,
      }),
    lookups: () => lookups,
    close: async () => {
      await node.close();
      await close();
    },
  };
}

async function reachAgain(database: Database) {
  const url = 'url' in database ? database.url : undefined;
  if (typeof url !== 'string') return { shared: database, close: async () => undefined };
  const shared = await openPostgres(url);
  return { shared, close: () => shared.close() };
}

/** The same doors under the same names, on ports of this node. */
async function elsewhere(settings: Settings): Promise<Settings> {
  const [issuer = 0, mtls = 0, operators = 0] = await freePorts(3);
  const { doors } = settings;
  return {
    ...settings,
    doors: {
      issuer: { ...doors.issuer, port: issuer },
      mtls: { ...doors.mtls, port: mtls },
      operators: { ...doors.operators, port: operators },
    },
  };
}
