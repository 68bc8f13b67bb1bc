import type { Actor } from '../audit/index.ts';
import type { Rooms } from './rooms.ts';
import type { Settings } from './settings.ts';

/** What a command prints, and the process's exit status. */
export interface CommandResult {
  readonly lines: readonly string[];
  readonly status: number;
}

/** What the command line says after the name of a command. */
export interface CommandWords {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

/** A command as the command line reads it; files are read by the caller's process, so that paths mean what the caller sees. */
export interface CommandRequest extends CommandWords {
  /** The content of the file a command names. */
  readonly file: string | undefined;
}

/** One command of the command line. */
export interface Command {
  readonly usage: string;
  readonly summary: string;
  /** How many words after the command's own. */
  readonly words: number;
  readonly options: readonly string[];
  /** Reads the file that the words or options name, where they name one; absent: the command has none. */
  readonly read?: (asked: CommandWords) => Promise<string | undefined>;
  readonly run: (request: CommandRequest, rooms: Rooms, settings: Settings) => Promise<CommandResult>;
}

/** Staff at the command line. */
export function staff({ options: { by = 'command-line', reason } }: CommandRequest): Actor {
  return { kind: 'staff', reference: by, reason };
}
