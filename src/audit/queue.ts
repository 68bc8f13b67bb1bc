import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AuditEvent } from './event.ts';
import type { GroupWriter } from './group-writer.ts';
import { type NewRecord, normalise } from './record.ts';

/** Where the trail reports that it cannot write, and that it can again; pino's loggers fit. */
export interface AuditLog {
  error(details: Readonly<Record<string, unknown>>, message: string): void;
  info(details: Readonly<Record<string, unknown>>, message: string): void;
}

/**
 * Records waiting: what a busy gateway brings until a commit counts as stalled, about 20 MB. Beyond it requests are refused
 * rather than unrecorded.
 */
export const QUEUE_LIMIT = 20_000;
/** Room that `checkWritable` leaves for the records of requests already let through. */
export const QUEUE_RESERVE = 2_000;
/** How long the first record waits for company; with the commit it stays within the 50 ms of the design. */
const GROUP_DELAY_MS = 20;
/** Records of one statement. The embedded database holds this process meanwhile: 200 kB of text for some 10 ms. */
const GROUP_LIMIT: Readonly<Record<Database['kind'], number>> = { pglite: 250, postgres: 1_000 };
const RETRY_DELAY_MS = 250;
/** Attempts to commit what is left when the process ends. */
const CLOSE_ATTEMPTS = 3;

interface Flush {
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** The request path's way into the trail. It refuses when it cannot write, keeps what it has, and recovers by itself. */
export class Queue {
  readonly #writer: GroupWriter;
  readonly #clock: Clock;
  readonly #log: AuditLog | undefined;
  readonly #groupLimit: number;
  readonly #waiting: { readonly event: AuditEvent; readonly at: Date }[] = [];
  #flushes: Flush[] = [];
  /** The group that is being committed, or that failed and is tried again as it is. */
  #group: readonly NewRecord[] = [];
  #taken = 0;
  #committed = 0;
  #failure: unknown;
  #closed = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(writer: GroupWriter, clock: Clock, log: AuditLog | undefined, kind: Database['kind'] = 'pglite') {
    this.#groupLimit = GROUP_LIMIT[kind];
    this.#writer = writer;
    this.#clock = clock;
    this.#log = log;
  }

  /** @throws Refusal `audit_unavailable` 503; the event is kept all the same, unless the queue is full or closed */
  enqueue(event: AuditEvent): void {
    this.#checkRoom(QUEUE_LIMIT);
    this.#waiting.push({ event, at: this.#clock.now() });
    this.#taken += 1;
    if (this.#running === undefined) this.#timer ??= this.#wake(GROUP_DELAY_MS);
    this.#checkHealthy();
  }

  /** @throws Refusal `audit_unavailable` 503 */
  checkWritable(): void {
    this.#checkRoom(QUEUE_LIMIT - QUEUE_RESERVE);
    this.#checkHealthy();
  }

  /** Resolves when what was taken so far is committed. @throws Refusal `audit_unavailable` 503 when a commit fails */
  flush(): Promise<void> {
    if (this.#held() === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#flushes.push({ upTo: this.#taken, resolve, reject });
      void this.#run();
    });
  }

  /** @throws Error when records could not be committed */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.#flushAtEnd();
    } finally {
      clearTimeout(this.#timer);
    }
  }

  #held(): number {
    return this.#taken - this.#committed;
  }

  #checkRoom(limit: number): void {
    if (this.#closed) throw unavailable('closed');
    if (this.#held() >= limit) throw unavailable('queue_full');
  }

  #checkHealthy(): void {
    if (this.#failure !== undefined) throw unavailable('commit_failed', this.#failure);
    if (this.#writer.stalled()) throw unavailable('commit_stalled');
  }

  #wake(delay: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      void this.#run();
    }, delay);
  }

  #run(): Promise<void> {
    this.#running ??= this.#commitAll()
      .catch((cause: unknown) => this.#fail(cause))
      .finally(() => {
        this.#running = undefined;
        // What came between the last look and here found nobody to wake.
        if (this.#held() > 0) this.#timer ??= this.#wake(this.#flushes.length > 0 ? 0 : GROUP_DELAY_MS);
      });
    return this.#running;
  }

  /** One group, and more while somebody waits for them or they are full; a small one waits for company first. */
  async #commitAll(): Promise<void> {
    while (this.#held() > 0) {
      if (this.#group.length === 0) this.#group = this.#writer.link(this.#nextGroup());
      await this.#writer.write(this.#group);
      this.#committed += this.#group.length;
      this.#group = [];
      this.#succeed();
      if (!this.#isDue()) return;
    }
  }

  #isDue(): boolean {
    return this.#flushes.length > 0 || this.#waiting.length >= this.#groupLimit;
  }

  #nextGroup() {
    return this.#waiting.splice(0, this.#groupLimit).map(({ event, at }) => normalise(event, at));
  }

  #succeed(): void {
    if (this.#failure !== undefined) this.#log?.info({ waiting: this.#held() }, 'audit records are committed again');
    this.#failure = undefined;
    const done = this.#flushes.filter((flush) => flush.upTo <= this.#committed);
    this.#flushes = this.#flushes.filter((flush) => flush.upTo > this.#committed);
    for (const flush of done) flush.resolve();
  }

  #fail(cause: unknown): void {
    const details = { err: cause, waiting: this.#held() };
    if (this.#failure === undefined) this.#log?.error(details, 'audit records cannot be committed');
    this.#failure = cause;
    for (const flush of this.#flushes.splice(0)) flush.reject(unavailable('commit_failed', cause));
    clearTimeout(this.#timer);
    this.#timer = this.#wake(RETRY_DELAY_MS);
    // A process that nothing else keeps alive ends through close(), which reports what is lost.
    this.#timer.unref();
  }

  async #flushAtEnd(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.flush();
      } catch (cause) {
        const lost = `${this.#held()} audit records could not be committed`;
        if (attempt === CLOSE_ATTEMPTS) throw new Error(lost, { cause });
      }
    }
  }
}

function unavailable(detail: string, cause?: unknown): Refusal {
  const sentence = 'The request cannot be recorded at the moment, so it is refused. Try again later.';
  return new Refusal('audit_unavailable', 503, sentence, { detail, cause, headers: { 'Retry-After': '5' } });
}
