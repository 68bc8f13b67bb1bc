import type { Clock } from '../platform/clock.ts';
import type { Database, Statements } from '../platform/database.ts';
import { sha256, uuid } from '../platform/random.ts';
import type { TrustLog } from './observation.ts';
import {
  type AnswerProtocol,
  deleteAnswers,
  findAnswer,
  keepAnswer,
  type NewAnswer,
  sweepAnswers,
  TRUST_CHANNEL,
  tell,
} from './store.ts';

/** A request waits this long for the database before it asks the authority itself. */
const PATIENCE_MS = 500;
/** Nobody waits while an answer is left for others; a list has megabytes. */
const KEEP_LIMIT_MS = 10_000;
/** After a failure the database is left alone for this long: requests go on without it. */
const PAUSE_MS = 5_000;
/** Kept at most: responses of a kilobyte or two, and lists of some megabytes. */
const MAXIMUM_KEPT: Readonly<Record<AnswerProtocol, number>> = { ocsp: 10_000, crl: 100 };
/** A larger list is fetched by each process: through the database it would cost every one of them more than that. */
export const MAXIMUM_SHARED_OCTETS = 4 * 1024 * 1024;
const SWEEP_BATCH = 1_000;

/** An answer that another process left; not believed before it is verified. */
export interface LeftAnswer {
  readonly answer: Uint8Array | undefined;
  /** Given back with what is fetched instead; undefined when the database did not answer. */
  readonly generation: number | undefined;
}

/** What other processes of the platform do. */
export interface SharingListener {
  /** Everything known about revocation is to be forgotten. */
  readonly forget: () => void;
  /** Another process has a newer answer under this key, which says something else. */
  readonly renewed: (key: string) => void;
}

/** Answers about revocation, shared by the processes of one database. Nothing that comes from it is trusted. */
export interface Sharing {
  /** Never throws, and waits half a second at most: without the database each process asks for itself. */
  find(key: string): Promise<LeftAnswer>;
  /** Leaves a verified answer for the others, while nobody waits; when it says something new they are told. Never throws. */
  keep(answer: NewAnswer, generation: number | undefined, changed: boolean): void;
  /** Forgets every answer here and in all processes. @throws Error when the database cannot be reached */
  forgetAll(): Promise<void>;
  /** Removes what is of no use any more, a bounded batch. */
  sweep(): Promise<number>;
  listen(listener: SharingListener): void;
  /** Says that the deny list or files changed, within the caller's transaction. */
  announce(statements: Statements, what: 'denied' | 'reload'): Promise<void>;
  /** Called when another process, or this one, said so; also when something may have been missed. */
  on(what: 'denied' | 'reload', heard: () => void): void;
  close(): Promise<void>;
}

/** A process alone: nothing is shared. */
export const ALONE: Pick<Sharing, 'find' | 'keep' | 'forgetAll' | 'sweep' | 'listen'> = {
  find: async () => ({ answer: undefined, generation: undefined }),
  keep: () => undefined,
  forgetAll: async () => undefined,
  sweep: async () => 0,
  listen: () => undefined,
};

/** What shelves share answers through. */
export type AnswerSharing = Pick<Sharing, 'find' | 'keep'>;

/** The key of an answer: question and rules, as hash. */
export function answerKey(text: string): string {
  return sha256(text);
}

interface SharingParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log?: TrustLog | undefined;
}

/** Joins this process to the others that use the same database. */
export async function openSharing({ database, clock, log }: SharingParts): Promise<Sharing> {
  const origin = uuid();
  const listeners: SharingListener[] = [];
  const heard = { denied: new Set<() => void>(), reload: new Set<() => void>() };
  const guarded = createGuard(clock, log);
  const leaving = new Set<Promise<unknown>>();
  const everything = (): void => {
    for (const listener of listeners) listener.forget();
    for (const hear of heard.denied) hear();
  };
  const receive = (payload: string): void => {
    const [what = '', from, key] = payload.split(' ');
    if (what === 'denied' || what === 'reload') for (const hear of heard[what]) hear();
    else if (from === origin) return;
    else if (what === 'renewed' && key !== undefined) for (const listener of listeners) listener.renewed(key);
    else everything();
  };
  const unlisten = await database.listen(TRUST_CHANNEL, receive, everything);
  return {
    find: async (key) => (await guarded(PATIENCE_MS, () => findAnswer(database, key))) ?? NOTHING,
    keep: (answer, generation, changed) => {
      if (generation === undefined || answer.answer.length > MAXIMUM_SHARED_OCTETS) return;
      const rules = { generation, maximum: MAXIMUM_KEPT[answer.protocol], now: clock.now() };
      const leave = async (statements: Statements) => {
        const kept = await keepAnswer(statements, answer, rules);
        if (kept && changed) await tell(statements, `renewed ${origin} ${answer.key}`);
      };
      const call = guarded(KEEP_LIMIT_MS, () => database.transaction(leave)).finally(() => leaving.delete(call));
      leaving.add(call);
    },
    forgetAll: () =>
      database.transaction(async (statements) => {
        await deleteAnswers(statements);
        await tell(statements, `forget ${origin}`);
      }),
    sweep: () => sweepAnswers(database, clock.now(), SWEEP_BATCH),
    listen: (listener) => void listeners.push(listener),
    announce: (statements, what) => tell(statements, what),
    on: (what, hear) => void heard[what].add(hear),
    close: async () => {
      await unlisten();
      await Promise.all(leaving);
    },
  };
}

const NOTHING: LeftAnswer = { answer: undefined, generation: undefined };

/** Runs what the database is asked, or goes on without: an absent answer only means that the authority is asked. */
function createGuard(clock: Clock, log: TrustLog | undefined) {
  let pausedUntil = 0;
  return async <T>(limitMs: number, ask: () => Promise<T>): Promise<T | undefined> => {
    if (clock.now().getTime() < pausedUntil) return undefined;
    const { promise: late, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => resolve('late'), limitMs);
    const fail = (cause: unknown): undefined => {
      pausedUntil = clock.now().getTime() + PAUSE_MS;
      log?.warn({ event: 'trust.answers_not_shared', cause }, 'answers about revocation are not shared at the moment');
      return undefined;
    };
    try {
      const answer = await Promise.race([ask().catch((cause: unknown) => ({ failed: cause })), late]);
      if (answer === 'late') return fail('no answer in time');
      return isFailure(answer) ? fail(answer.failed) : answer;
    } finally {
      clearTimeout(timer);
    }
  };
}

function isFailure<T>(answer: T | { readonly failed: unknown }): answer is { readonly failed: unknown } {
  return typeof answer === 'object' && answer !== null && 'failed' in answer;
}
