import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Clock, secondsAfter } from '../../platform/clock.ts';
import { answerFrom, keyOf, type Snapshot } from './authorisation.ts';
import { type EbaOptions, readEba } from './eba-format.ts';
import { readPlain } from './plain-format.ts';
import { type AuthorityRegister, RegisterUnavailable } from './register.ts';

/** The file is looked at again after this: far below the five minutes that a change may take. */
const LOOK_AGAIN_SECONDS = 15;
/** While a look is under way, answers go on from the snapshot before; after this they wait. Large files take seconds to read. */
const PATIENCE_SECONDS = 60;

/** Clocks differ; a snapshot from further ahead would be believed for too long. */
const CLOCK_TOLERANCE_SECONDS = 600;

/** A published register in a file. */
export interface SnapshotFileOptions {
  readonly path: string;
  readonly format: 'eba' | 'plain';
  /** A snapshot older than this, since it was published, has no answers any more. */
  readonly maximumAgeSeconds: number;
  readonly authorities?: EbaOptions['authorities'] | undefined;
  readonly clock: Clock;
  /** What operators should know: a file that cannot be read, and one that can again. */
  readonly report?: ((message: string, cause: unknown) => void) | undefined;
}

interface Look {
  readonly snapshot: Snapshot | undefined;
  /** Why the newest file did not count. */
  readonly problem: unknown;
}

/**
 * Answers from a file that is read again when it changes. A new file that cannot be read leaves the one before in force until
 * that one is too old. What the file says counts within 75 seconds of its being written, however seldom somebody asks.
 */
export function createSnapshotFile(options: SnapshotFileOptions): AuthorityRegister {
  const { clock } = options;
  let current: Look = { snapshot: undefined, problem: undefined };
  let version: string | undefined;
  let lookedAt: Date | undefined;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const begunAt = clock.now();
    try {
      const found = await stat(options.path, { bigint: true });
      const latest = versionOf(found);
      if (latest !== version) {
        // Remembered before it is read: a broken file is read once, not every quarter of a minute.
        version = latest;
        current = { snapshot: await read(options, found), problem: undefined };
      }
    } catch (cause) {
      // What cannot be opened now may be opened later without having changed.
      if (!(cause instanceof RegisterUnavailable)) version = undefined;
      if (String(cause) !== String(current.problem))
        options.report?.('the snapshot of the authority register cannot be read', cause);
      current = { ...current, problem: cause };
    }
    lookedAt = begunAt;
  }

  function lookOnce(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  /** A clock that was put back must not stretch the time. */
  function isWithin(seconds: number): boolean {
    const now = clock.now();
    return lookedAt !== undefined && lookedAt <= now && now < secondsAfter(lookedAt, seconds);
  }

  return {
    ask: (question) => {
      const answer = () => answerFrom(usable(current, options).authorisations.get(keyOf(question)), clock.now());
      if (!isWithin(PATIENCE_SECONDS)) return lookOnce().then(answer);
      const due = isWithin(LOOK_AGAIN_SECONDS) ? undefined : lookOnce();
      const known = isUsable(current, options) ? answer() : undefined;
      // Nobody is refused by what the file said before: a look costs less than the refusal.
      return known?.status === 'authorised' ? known : (due ?? lookOnce()).then(answer);
    },
    close: async () => {
      await looking;
    },
  };
}

function isUsable({ snapshot }: Look, { maximumAgeSeconds, clock }: SnapshotFileOptions): boolean {
  return snapshot !== undefined && clock.now() < secondsAfter(snapshot.publishedAt, maximumAgeSeconds);
}

function usable(look: Look, options: SnapshotFileOptions): Snapshot {
  const { snapshot, problem } = look;
  if (snapshot === undefined)
    throw new RegisterUnavailable(
      'register_unreadable',
      'there is no snapshot of the register that can be read',
      problem,
    );
  if (!isUsable(look, options))
    throw new RegisterUnavailable('register_stale', 'the snapshot of the register is too old', problem);
  return snapshot;
}

/** Changes with every write, also with one that leaves size and second as they were. */
function versionOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

async function read(options: SnapshotFileOptions, { size, mtimeMs }: BigIntStats): Promise<Snapshot> {
  const { path, format, authorities = {} } = options;
  const snapshot =
    format === 'plain'
      ? await readPlain(path, Number(size))
      : await readEba(path, { publishedAt: new Date(Number(mtimeMs)), size: Number(size), authorities });
  if (snapshot.publishedAt > secondsAfter(options.clock.now(), CLOCK_TOLERANCE_SECONDS))
    throw new RegisterUnavailable('register_malformed', 'the snapshot is from the future');
  return snapshot;
}
