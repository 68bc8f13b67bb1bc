import { readIfThere, writeSecret } from '../../authority/files.ts';
import type { Keys } from './seal.ts';

/**
 * Where a connection stands. `leaving`: the customer has disconnected, and the bank has not confirmed it yet.
 * `withdrawn` and `expired` were learned from the bank.
 */
export type Standing = 'connected' | 'leaving' | 'withdrawn' | 'expired';

/** What a bank gave for a customer's yes. */
export interface Tokens {
  readonly access: string;
  readonly accessEndsAt: string;
  readonly refresh: string | undefined;
}

/** A customer's connection to a bank. */
export interface Connection {
  readonly id: string;
  /** Financroo's own user, not the bank's. */
  readonly user: string;
  readonly bank: string;
  readonly connectedAt: string;
  readonly standing: Standing;
  readonly since: string;
  readonly scope: string;
  /** The bank's id of the permission, where it tells one. */
  readonly consent: string | undefined;
  readonly endsAt: string | undefined;
  /** Gone as soon as they are of no use. */
  readonly tokens: Tokens | undefined;
}

/** All connections, kept in a sealed file. */
export interface Store {
  all(): readonly Connection[];
  find(id: string): Connection | undefined;
  /** Kept on disk before this returns. */
  save(connection: Connection): Promise<void>;
  remove(id: string): Promise<void>;
}

const PURPOSE = 'financroo connections';

/** Opens the store: sealed, because whoever has the refresh token and the certificate has the customer's accounts (N-118). */
export async function openStore(path: string, keys: Keys): Promise<Store> {
  const connections = new Map((await readConnections(path, keys)).map((connection) => [connection.id, connection]));
  let writing = Promise.resolve();
  const write = (): Promise<void> => {
    // One after the other, so that an older state never overwrites a newer one; a failed write does not block the next.
    const next = () => writeSecret(path, `${keys.seal(JSON.stringify([...connections.values()]), PURPOSE)}\n`);
    writing = writing.then(next, next);
    return writing;
  };
  return {
    all: () => [...connections.values()],
    find: (id) => connections.get(id),
    save: (connection) => {
      connections.set(connection.id, connection);
      return write();
    },
    remove: (id) => {
      connections.delete(id);
      return write();
    },
  };
}

async function readConnections(path: string, keys: Keys): Promise<readonly Connection[]> {
  const sealed = await readIfThere(path);
  if (sealed === undefined) return [];
  try {
    const list: unknown = JSON.parse(keys.open(sealed.trim(), PURPOSE));
    const entries: readonly unknown[] = Array.isArray(list) ? list : [];
    return entries.filter(isConnection);
  } catch (cause) {
    throw new Error(`${path} cannot be opened with Financroo's key: remove it to begin without connections`, { cause });
  }
}

/** Our own file, which nobody else can write: enough to notice another version's. */
function isConnection(value: unknown): value is Connection {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return ['id', 'user', 'bank', 'connectedAt', 'standing', 'since', 'scope'].every(
    (name) => typeof fields.get(name) === 'string',
  );
}
