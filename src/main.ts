import { parseArgs } from 'node:util';
import { commands, readCommandFile, runCommand } from './main/commands.ts';
import { askRunning } from './main/control.ts';
import type { ServeRole } from './main/serve.ts';
import { checkSettings, Settings } from './main/settings.ts';
import { environment, loadConfiguration } from './platform/config.ts';
import { createLog } from './platform/log.ts';
import { regimes } from './regimes/index.ts';

const DEFAULT_CONFIGURATION = 'var/sandbox/portcullis.json';
const ROLES: readonly ServeRole[] = ['authorization', 'gateway', 'web'];
/** A stop that takes longer than this is a hang: end it. */
const SHUTDOWN_LIMIT_MS = 20_000;

function usage(): string {
  const lines = [...commands.values()].map((command) => `  ${command.usage}\n      ${command.summary}`);
  return [
    'usage: node src/main.ts <command> [--config <file>]',
    '  serve [--roles authorization,gateway,web]\n      Opens the doors of the configuration.',
    '  reference [--check]\n      Writes docs/reference, or tells what is out of step.',
    ...lines,
  ].join('\n');
}

async function readSettings(file: string): Promise<Settings> {
  const settings = await loadConfiguration(Settings, file);
  checkSettings(settings, regimes);
  return settings;
}

function rolesOf(text: string | undefined): ReadonlySet<ServeRole> {
  if (text === undefined) return new Set(ROLES);
  const named = text.split(',');
  const unknown = named.find((name) => !ROLES.some((role) => role === name));
  if (unknown !== undefined) throw new Error(`--roles: there is no role ${unknown}; there are ${ROLES.join(', ')}`);
  return new Set(ROLES.filter((role) => named.includes(role)));
}

/** Loaded when they are needed: a command that the running platform carries out needs none of them. */
const load = {
  rooms: () => import('./main/rooms.ts'),
  serve: () => import('./main/serve.ts'),
  reference: () => import('./main/reference.ts'),
};

async function runServe(file: string, roles: string | undefined): Promise<void> {
  const [{ openRooms }, { serve }] = await Promise.all([load.rooms(), load.serve()]);
  const settings = await readSettings(file);
  const log = createLog({ level: settings.log?.level ?? 'info' });
  const rooms = await openRooms(settings, { databaseUrl: environment().databaseUrl, log });
  const platform = await serve(settings, rooms, log, rolesOf(roles)).catch(async (cause: unknown) => {
    await rooms.close();
    throw cause;
  });
  log.info({ doors: [...platform.doors].map(([name, door]) => `${name} ${door.port}`) }, 'ready');
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), SHUTDOWN_LIMIT_MS).unref();
    platform.close().then(
      () => process.exit(0),
      (cause: unknown) => {
        log.error({ cause }, 'the stop was not orderly');
        process.exit(1);
      },
    );
  };
  process.on('SIGHUP', () => void rooms.reloads.reload());
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** Runs a command in the running platform when there is one, else on rooms of its own. */
async function runOnState(file: string, words: readonly string[], options: Record<string, string>): Promise<number> {
  const name = words.slice(0, 2).join(' ');
  if (!commands.has(name)) {
    process.stderr.write(`${usage()}\n`);
    return 2;
  }
  const request = { words: words.slice(2), options, file: await readCommandFile(name, words.slice(2), options) };
  const settings = await readSettings(file);
  const { control } = settings.doors;
  let result = control === undefined ? undefined : await askRunning(control, name, request);
  if (result === undefined) {
    const { openRooms } = await load.rooms();
    const rooms = await openRooms(settings, {
      databaseUrl: environment().databaseUrl,
      log: createLog({ level: 'warn' }),
    });
    try {
      result = await runCommand(name, request, rooms, settings);
    } finally {
      await rooms.close();
    }
  }
  const stream = result.status === 0 ? process.stdout : process.stderr;
  for (const line of result.lines) stream.write(`${line}\n`);
  return result.status;
}

const text = { type: 'string' } as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: text,
      roles: text,
      reason: text,
      by: text,
      participant: text,
      scopes: text,
      id: text,
      'redirect-uri': text,
      bank: text,
      consent: text,
      client: text,
      customer: text,
      status: text,
      from: text,
      since: text,
      until: text,
      interaction: text,
      limit: text,
      overlap: text,
      issuer: text,
      serial: text,
      key: text,
      check: { type: 'boolean' },
    },
  });
  const { config = DEFAULT_CONFIGURATION, roles, check = false, ...rest } = values;
  const [command] = positionals;
  if (command === 'serve') return runServe(config, roles);
  if (command === 'reference') {
    const { reference } = await load.reference();
    process.exitCode = await reference(check);
    return;
  }
  const given = Object.entries(rest).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  process.exitCode = await runOnState(config, positionals, Object.fromEntries(given));
}

main().catch((cause: unknown) => {
  process.stderr.write(`${cause instanceof Error ? cause.message : 'the start failed'}\n`);
  process.exitCode = 1;
});
