import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, secondsAfter } from '../../platform/clock.ts';
import type { Database } from '../../platform/database.ts';
import { randomToken } from '../../platform/random.ts';
import type { Vault } from '../../vault/index.ts';
import { addCookie, dropCookie, readCookie } from '../cookies.ts';
import { deleteSession, insertSession, type SessionKey, sweepSessions, useSession } from './session-store.ts';

/** A quarter of an hour without a request ends a session. */
export const IDLE_MINUTES = 15;
const IDLE_SECONDS = IDLE_MINUTES * 60;
/** A working day ends it in any case. */
const LONGEST_SECONDS = 8 * 3_600;
/** Rows removed in one statement: short enough never to be in the way. */
const SWEEP_BATCH = 1_000;
const VALUE = /^[A-Za-z0-9_-]{43}$/;

/** The sessions of one bank's customers, for all nodes together. */
export interface Sessions {
  /** The browser's cookie; a fresh one, of nobody, when it brought none that could be ours. */
  browserOf(request: IncomingMessage, response: ServerResponse): string;
  /** The customer of a session that is not over; using it keeps it alive. */
  find(browser: string): Promise<string | undefined>;
  /** Begins a session under a new value: whatever the browser brought along, planted or not, is dead (N-217). */
  begin(response: ServerResponse, browser: string, customer: string): Promise<void>;
  /** Ends the session, here and in the browser. */
  end(response: ServerResponse, browser: string): Promise<void>;
}

/** What sessions are kept with. */
export interface SessionRooms {
  readonly database: Database;
  readonly vault: Pick<Vault, 'hasher'>;
  readonly clock: Clock;
}

/** Opens the sessions of a bank. */
export function createSessions(bank: string, { database, vault, clock }: SessionRooms): Sessions {
  const cookie = { name: `__Host-portal-${bank}`, path: '/' };
  const keyOf = async (browser: string): Promise<SessionKey> => {
    const hash = await vault.hasher(bank, 'portal-session');
    return { bank, idHash: hash(browser) };
  };
  const renew = (response: ServerResponse): string => {
    const value = randomToken();
    addCookie(response, { ...cookie, value });
    return value;
  };
  return {
    browserOf: (request, response) => {
      const known = readCookie(request, cookie.name);
      return known !== undefined && VALUE.test(known) ? known : renew(response);
    },
    find: async (browser) => useSession(database, await keyOf(browser), ruleAt(clock.now())),
    begin: async (response, browser, customer) => {
      const [before, after] = [await keyOf(browser), await keyOf(renew(response))];
      await database.transaction(async (statements) => {
        await deleteSession(statements, before);
        await insertSession(statements, after, customer, clock.now());
      });
    },
    end: async (response, browser) => {
      await deleteSession(database, await keyOf(browser));
      dropCookie(response, cookie.name, cookie.path);
    },
  };
}

/** Removes sessions that are over, of all banks, in bounded batches. */
export async function sweepPortalSessions(database: Database, clock: Clock): Promise<void> {
  while ((await sweepSessions(database, ruleAt(clock.now()), SWEEP_BATCH)) === SWEEP_BATCH);
}

function ruleAt(now: Date) {
  return {
    now,
    usedAfter: secondsAfter(now, -IDLE_SECONDS),
    createdAfter: secondsAfter(now, -LONGEST_SECONDS),
  };
}
