import pg from 'pg';
import type { Database } from './database.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS = 250;
/**
 * A network that swallows packets tells nobody: the connection is asked this often and must answer this soon, so that
 * notifications count as alive for three seconds at most after they stopped.
 */
const HEARTBEAT_MS = 1_000;
const ANSWER_LIMIT_MS = 2_000;

interface Subscription {
  readonly channel: string;
  readonly receive: (payload: string) => void;
  readonly lost: (() => void) | undefined;
}

/** The connection that listens. */
export interface Notifications {
  /** @throws Error when the server cannot be reached */
  connect(): Promise<void>;
  readonly listen: Database['listen'];
  readonly alive: () => boolean;
  close(): Promise<void>;
}

/** One connection that listens; it comes back by itself and tells subscribers that they may have missed something. */
export function createNotifications(connectionString: string): Notifications {
  const subscriptions = new Set<Subscription>();
  let current: pg.Client | undefined;
  let alive = false;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  const tellLost = (): void => {
    for (const { lost } of subscriptions) lost?.();
  };

  /** Gives up a connection, once, and plans the next one. */
  function abandon(client: pg.Client): void {
    client.removeAllListeners('notification');
    client.end().catch(() => undefined);
    if (current === client) current = undefined;
    alive = false;
    if (closed) return;
    tellLost();
    clearTimeout(retry);
    retry = setTimeout(() => void reconnect(), RECONNECT_DELAY_MS);
    retry.unref();
  }

  async function connect(): Promise<void> {
    const client = new pg.Client({
      connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: ANSWER_LIMIT_MS,
      keepAlive: true,
    });
    let over = false;
    let heartbeat: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearInterval(heartbeat);
      if (!over) abandon(client);
      over = true;
    };
    client.on('error', end).on('end', end);
    client.on('notification', ({ channel, payload }) => deliver(channel, payload ?? ''));
    try {
      await client.connect();
      // From here on `listen` reaches this connection by itself; the channels known so far follow now.
      current = client;
      for (const channel of new Set([...subscriptions].map((one) => one.channel))) await listenOn(client, channel);
    } catch (cause) {
      end();
      throw cause;
    }
    if (over) throw new Error('the connection was lost while it was made');
    heartbeat = setInterval(() => void client.query('SELECT 1').catch(end), HEARTBEAT_MS);
    heartbeat.unref();
    alive = !closed;
    if (closed) end();
  }

  async function reconnect(): Promise<void> {
    try {
      await connect();
    } catch {
      // The next attempt is planned already.
      return;
    }
    // What was said while nobody listened is lost: drop again what may have been filled meanwhile.
    tellLost();
  }

  function deliver(channel: string, payload: string): void {
    for (const one of subscriptions) if (one.channel === channel) one.receive(payload);
  }

  return {
    connect,
    alive: () => alive,
    listen: async (channel, receive, lost) => {
      const subscription = { channel, receive, lost };
      subscriptions.add(subscription);
      if (current !== undefined) await listenOn(current, channel);
      return async () => {
        subscriptions.delete(subscription);
      };
    },
    close: async () => {
      closed = true;
      alive = false;
      clearTimeout(retry);
      await current?.end().catch(() => undefined);
    },
  };
}

async function listenOn(client: pg.Client, channel: string): Promise<void> {
  await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
}
