import pg from 'pg';
import type { Unlisten } from './database.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_DELAY_MS = 250;
/**
 * A network that swallows packets tells nobody: the connection is asked this often and must answer this soon, so that
 * notifications count as alive for three seconds at most after they stopped.
 */
const HEARTBEAT_MS = 1_000;
const ANSWER_LIMIT_MS = 2_000;

/** Who wants to know what is said on a channel, and when something may have been missed. */
export interface Subscription {
  readonly channel: string;
  readonly receive: (payload: string) => void;
  readonly lost: (() => void) | undefined;
}

/** One connection that listens; it comes back by itself and tells subscribers that they may have missed something. */
export class Notifications {
  readonly #connectionString: string;
  readonly #subscriptions = new Set<Subscription>();
  #client: pg.Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #alive = false;
  #closed = false;

  constructor(connectionString: string) {
    this.#connectionString = connectionString;
  }

  /** True while nothing that is said can be missed. */
  get alive(): boolean {
    return this.#alive;
  }

  /** @throws Error when the server cannot be reached */
  async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#connectionString,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: ANSWER_LIMIT_MS,
      keepAlive: true,
    });
    let over = false;
    let heartbeat: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearInterval(heartbeat);
      if (!over) this.#abandon(client);
      over = true;
    };
    client.on('error', end).on('end', end);
    client.on('notification', ({ channel, payload }) => this.#deliver(channel, payload ?? ''));
    try {
      await client.connect();
      // From here on `listen` reaches this connection by itself; the channels known so far follow now.
      this.#client = client;
      for (const channel of new Set([...this.#subscriptions].map((one) => one.channel)))
        await listenOn(client, channel);
    } catch (cause) {
      end();
      throw cause;
    }
    if (over) throw new Error('the connection was lost while it was made');
    heartbeat = setInterval(() => void client.query('SELECT 1').catch(end), HEARTBEAT_MS);
    heartbeat.unref();
    this.#alive = !this.#closed;
    if (this.#closed) end();
  }

  async listen(subscription: Subscription): Promise<Unlisten> {
    this.#subscriptions.add(subscription);
    if (this.#client !== undefined) await listenOn(this.#client, subscription.channel);
    return async () => {
      this.#subscriptions.delete(subscription);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#alive = false;
    clearTimeout(this.#retry);
    await this.#client?.end().catch(() => undefined);
  }

  /** Gives up a connection and plans the next one. */
  #abandon(client: pg.Client): void {
    client.removeAllListeners('notification');
    client.end().catch(() => undefined);
    if (this.#client === client) this.#client = undefined;
    this.#alive = false;
    if (this.#closed) return;
    this.#tellLost();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#reconnect(), RECONNECT_DELAY_MS);
    this.#retry.unref();
  }

  async #reconnect(): Promise<void> {
    try {
      await this.connect();
    } catch {
      // The next attempt is planned already.
      return;
    }
    // What was said while nobody listened is lost: drop again what may have been filled meanwhile.
    this.#tellLost();
  }

  #tellLost(): void {
    for (const { lost } of this.#subscriptions) lost?.();
  }

  #deliver(channel: string, payload: string): void {
    for (const one of this.#subscriptions) if (one.channel === channel) one.receive(payload);
  }
}

async function listenOn(client: pg.Client, channel: string): Promise<void> {
  await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
}
