import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Door, openLocalDoor } from '../platform/door.ts';
import { callLocal } from '../platform/fetch.ts';
import { readBody } from '../platform/form.ts';
import { isRecord } from '../platform/json.ts';
import type { CommandRequest, CommandResult } from './command.ts';
import { runCommand } from './commands.ts';
import type { Rooms } from './rooms.ts';
import type { Settings } from './settings.ts';

/** A command with a trusted list of the largest size in its file, quoted as JSON, stays below this. */
const MAXIMUM_COMMAND_BYTES = 20 * 1024 * 1024;

/**
 * The socket by which the command line reaches a running platform: the embedded database has one owner, so a second process
 * must ask it. Only this user may open it (mode 0600).
 */
export function openControl(path: string, rooms: Rooms, settings: Settings): Promise<Door> {
  return openLocalDoor(path, (request, response) => {
    answer(request, response, rooms, settings).catch(() => response.destroy());
  });
}

/** Hands a command to the running platform; undefined when none answers at this path. */
export async function askRunning(
  path: string,
  name: string,
  request: CommandRequest,
): Promise<CommandResult | undefined> {
  const answer = await callLocal(path, JSON.stringify({ name, request }));
  return answer === undefined ? undefined : resultOf(JSON.parse(answer));
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  rooms: Rooms,
  settings: Settings,
): Promise<void> {
  const body = new TextDecoder().decode(await readBody(request, MAXIMUM_COMMAND_BYTES));
  const asked = askedOf(JSON.parse(body));
  const result = asked === undefined ? { lines: ['malformed command'], status: 2 } : await run(asked, rooms, settings);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(result));
}

async function run(
  asked: { readonly name: string; readonly request: CommandRequest },
  rooms: Rooms,
  settings: Settings,
): Promise<CommandResult> {
  try {
    return await runCommand(asked.name, asked.request, rooms, settings);
  } catch (cause) {
    return { lines: [cause instanceof Error ? cause.message : 'the command failed'], status: 1 };
  }
}

function askedOf(value: unknown): { readonly name: string; readonly request: CommandRequest } | undefined {
  if (!isRecord(value) || typeof value.name !== 'string' || !isRecord(value.request)) return undefined;
  const { words, options, file } = value.request;
  if (!isTexts(words) || !isRecord(options)) return undefined;
  const texts = Object.entries(options).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    name: value.name,
    request: { words, options: Object.fromEntries(texts), file: typeof file === 'string' ? file : undefined },
  };
}

function resultOf(value: unknown): CommandResult {
  if (!isRecord(value) || !isTexts(value.lines) || typeof value.status !== 'number') {
    throw new Error('the running platform gave no answer this version understands');
  }
  return { lines: value.lines, status: value.status };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
