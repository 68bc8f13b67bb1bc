import { stat } from 'node:fs/promises';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { sha256 } from '../platform/random.ts';
import { readAll } from './text-files.ts';

/** Files that belong together: what they are to the platform, and where they are. */
export interface FollowedFiles {
  /** Few values: a label of the metric. */
  readonly kind: 'anchors' | 'proxy' | 'certificate';
  /** For people: `anchors of bank gobank`. */
  readonly name: string;
  readonly paths: readonly string[];
}

/** Files as they were read, and how to hear of what they become. */
export interface Followed {
  readonly contents: readonly string[];
  /** `apply` is given every later content, in the order of the paths; what it throws keeps the former in force. */
  whenChanged(apply: (contents: readonly string[]) => void | Promise<void>): void;
}

/** Files of the configuration that are read again while the platform runs. */
export interface Reloads {
  /** Reads files now and follows them from that very content on. @throws Error when one cannot be read */
  follow(files: FollowedFiles): Promise<Followed>;
  /** Looks for changed files; never throws. What cannot be used is reported once, and the former content stays in force. */
  check(): Promise<void>;
  /** Reads all of them again, changed or not; one line each, and whether every one could be used. */
  reload(): Promise<{ readonly lines: readonly string[]; readonly ok: boolean }>;
}

interface Item extends FollowedFiles {
  apply: (contents: readonly string[]) => void | Promise<void>;
  /** Time, size and place of the files when they were last looked at. */
  seen: string;
  /** Hash of the content that was last tried. */
  tried: string;
}

type Outcome =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'reloaded' }
  | { readonly kind: 'failed'; readonly problem: string };

/** Follows nothing yet. */
export function createReloads({ log, metrics }: { readonly log: Log; readonly metrics: Metrics }): Reloads {
  const items: Item[] = [];
  const count = metrics.counter({
    name: 'portcullis_reloads_total',
    help: 'Files of the configuration that changed while running: taken over (reloaded), or kept as they were (failed).',
    labels: ['kind', 'outcome'],
  });
  let last: Promise<unknown> = Promise.resolve();

  async function look(item: Item, always: boolean): Promise<Outcome> {
    const { kind, name } = item;
    const outcome = await tryAgain(item, always);
    if (outcome.kind === 'unchanged') return outcome;
    count({ kind, outcome: outcome.kind });
    if (outcome.kind === 'reloaded') log.info({ name }, 'files were read again');
    if (outcome.kind === 'failed')
      log.error({ name, problem: outcome.problem }, 'changed files cannot be used: the former ones stay in force');
    return outcome;
  }

  /** One look at a time: a file must not be taken over twice, or the older content last. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  }

  return {
    follow: async (files) => {
      const seen = await lookAt(files.paths);
      const contents = await readAll(files.paths);
      const given = digestOf(contents);
      const item: Item = { ...files, apply: () => undefined, seen, tried: given };
      items.push(item);
      return {
        contents,
        whenChanged: (apply) => {
          item.apply = apply;
          // Read again before anybody was told: the next look takes it over.
          if (item.tried !== given) Object.assign(item, { seen: '', tried: given });
        },
      };
    },
    check: () =>
      inTurn(async () => {
        for (const item of items) await look(item, false);
      }),
    reload: () =>
      inTurn(async () => {
        const lines: string[] = [];
        let ok = true;
        for (const item of items) {
          const outcome = await look(item, true);
          ok &&= outcome.kind !== 'failed';
          lines.push(`${item.name}: ${outcome.kind === 'failed' ? `kept, ${outcome.problem}` : 'read again'}`);
        }
        return { lines, ok };
      }),
  };
}

async function tryAgain(item: Item, always: boolean): Promise<Outcome> {
  try {
    const seen = await lookAt(item.paths).catch(problemOf);
    if (seen === item.seen && !always) return { kind: 'unchanged' };
    item.seen = seen;
    const contents = await readAll(item.paths);
    const tried = digestOf(contents);
    if (tried === item.tried && !always) return { kind: 'unchanged' };
    item.tried = tried;
    await item.apply(contents);
    return { kind: 'reloaded' };
  } catch (cause) {
    return { kind: 'failed', problem: problemOf(cause) };
  }
}

function problemOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'they cannot be read';
}

async function lookAt(paths: readonly string[]): Promise<string> {
  const stats = await Promise.all(paths.map((path) => stat(path, { bigint: true })));
  return stats.map(({ mtimeNs, ctimeNs, size, ino, dev }) => [mtimeNs, ctimeNs, size, ino, dev].join(' ')).join('\n');
}

function digestOf(contents: readonly string[]): string {
  return sha256(contents.map(sha256).join());
}
