import { tokenIntrospection, tokenRevocation } from 'openid-client';
import type { BankClient } from './bank-client.ts';
import type { Logs } from './logs.ts';
import type { Recorder } from './messages.ts';
import { sentenceOf } from './problem.ts';
import type { Connection, Store } from './store.ts';

/** How giving a permission back went. */
export type Leaving =
  | { readonly state: 'confirmed' }
  /** The bank could not be asked: Financroo keeps the refresh token for this alone, and tries again. */
  | { readonly state: 'pending'; readonly problem: string; readonly nextTry: Date };

/** What happens to connections after they were made. */
export interface Connections {
  /** Keeps a new connection; an earlier one at the same bank is given back. */
  keep(connection: Connection): Promise<void>;
  /** The bank said that the permission is over: its tokens go. */
  end(connection: Connection): Promise<void>;
  /** Gives the permission back at the bank (N-119). */
  leave(connection: Connection): Promise<Leaving>;
  /** Where a connection that is `leaving` stands. */
  leaving(connection: Connection): Leaving | undefined;
  close(): void;
}

/** What connections need. */
export interface ConnectionParts {
  readonly store: Store;
  readonly clientOf: (bank: string) => BankClient | undefined;
  readonly recorder: Recorder;
  readonly logs: Logs;
  readonly now: () => Date;
}

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 15 * 60_000;

/** The connections of a store; those that were leaving when Financroo stopped are tried again. */
export function openConnections(parts: ConnectionParts): Connections {
  const { store, now } = parts;
  const pending = new Map<string, Leaving>();
  const timers = new Map<string, NodeJS.Timeout>();

  const attempt = async (connection: Connection, delay: number): Promise<Leaving> => {
    clearTimeout(timers.get(connection.id));
    const problem = await parts.recorder.within(parts.logs.of(connection), () => giveBack(connection, parts));
    if (problem === undefined) {
      pending.delete(connection.id);
      await store.remove(connection.id);
      return { state: 'confirmed' };
    }
    const leaving: Leaving = { state: 'pending', problem, nextTry: new Date(now().getTime() + delay) };
    pending.set(connection.id, leaving);
    const next = () => void attempt(connection, Math.min(delay * 2, LONGEST_RETRY_MS)).catch(() => undefined);
    timers.set(connection.id, setTimeout(next, delay).unref());
    return leaving;
  };
  const leave = async (connection: Connection): Promise<Leaving> => {
    const { tokens } = connection;
    if (tokens === undefined) {
      await store.remove(connection.id);
      return { state: 'confirmed' };
    }
    const left: Connection = { ...connection, standing: 'leaving', since: now().toISOString() };
    await store.save(left);
    return attempt(left, FIRST_RETRY_MS);
  };
  const connections: Connections = {
    keep: async (connection) => {
      const before = store.all().filter(({ user, bank }) => user === connection.user && bank === connection.bank);
      await store.save(connection);
      for (const old of before) await leave(old);
    },
    end: async (connection) => {
      const current = store.find(connection.id);
      if (current?.standing !== 'connected') return;
      const over = current.endsAt !== undefined && new Date(current.endsAt) <= now();
      const standing = over ? 'expired' : 'withdrawn';
      await store.save({ ...current, standing, since: now().toISOString(), tokens: undefined });
    },
    leave,
    leaving: ({ id }) => pending.get(id),
    close: () => {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
  for (const connection of store.all().filter(({ standing }) => standing === 'leaving')) {
    void parts
      .clientOf(connection.bank)
      ?.tried.then(() => attempt(connection, FIRST_RETRY_MS))
      .catch(() => undefined);
  }
  return connections;
}

/** Revokes the refresh token and asks whether it is dead. Gives what went wrong, in a sentence. */
async function giveBack(connection: Connection, { clientOf }: ConnectionParts): Promise<string | undefined> {
  const client = clientOf(connection.bank);
  const { tokens } = connection;
  if (client === undefined) return 'this bank is not in the list of banks any more.';
  if (tokens === undefined) return undefined;
  const token = tokens.refresh ?? tokens.access;
  try {
    const configuration = client.configuration();
    await tokenRevocation(configuration, token);
    // The answer to a revocation is the same for every token (RFC 7009 §2.2): only asking tells that it is dead.
    const { active } = await tokenIntrospection(configuration, token);
    return active ? `${client.bank.name} still says that the token is alive.` : undefined;
  } catch (cause) {
    return sentenceOf(cause, client.bank.name);
  }
}
