import { readFile } from 'node:fs/promises';
import type { ParticipantStatus } from '../directory/index.ts';
import { Refusal } from '../platform/refusal.ts';
import { printHeads, searchAudit, verifyAudit } from './audit-commands.ts';
import { explainCertificate, forgetCertificates } from './certificate-commands.ts';
import { createClientCommand } from './client-command.ts';
import { type Command, type CommandRequest, type CommandResult, staff } from './command.ts';
import { listConsents, showConsent } from './consent-commands.ts';
import { allowCertificate, denyCertificate, listDenials, reloadFiles } from './denial-commands.ts';
import { listClients, showParticipant } from './directory-commands.ts';
import { checkParticipant } from './register-command.ts';
import { finishRenewal, renewClient } from './renewal-commands.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';
import { importTrustedList, showTrustedLists } from './trusted-list-commands.ts';

const STATUSES: Readonly<Record<string, ParticipantStatus>> = {
  approve: 'approved',
  suspend: 'suspended',
  reject: 'rejected',
  remove: 'removed',
};

/** Loaded when it is needed, with all that it is made of: a command that the running platform carries out does without. */
const loadWeb = () => import('../web/index.ts');

function done(...lines: readonly string[]): CommandResult {
  return { lines, status: 0 };
}

function word(request: CommandRequest, index: number): string {
  const value = request.words[index];
  if (value === undefined) throw new Refusal('field_missing', 400, 'a word is missing: see the usage');
  return value;
}

const endConsent: Command = {
  usage: 'consent revoke <bank> <id> [--reason <text>] [--by <name>]',
  summary: 'Ends a consent: access stops with the next call.',
  words: 2,
  options: ['reason', 'by'],
  run: async (request, rooms, settings) => {
    const [bank, { revokeConsent }] = [bankOf(settings, word(request, 0)), await loadWeb()];
    const { consent, tokens } = await revokeConsent(rooms, bank.id, word(request, 1), staff(request));
    const state = consent.revoking === true ? 'being revoked: not everything has confirmed its end yet' : consent.state;
    return done(`consent ${consent.id} is ${state}; ${tokens} access token(s) ended`);
  },
};

const OWNERS = ['consent', 'client', 'participant', 'customer'] as const;

const endTokens: Command = {
  usage: 'token revoke <bank> <--consent | --client | --participant | --customer> <id> [--reason <text>] [--by <name>]',
  summary: 'Ends every access and refresh token of one owner; consents stay as they are.',
  words: 1,
  options: [...OWNERS, 'reason', 'by'],
  run: async (request, rooms, settings) => {
    const bank = bankOf(settings, word(request, 0));
    const [kind, ...more] = OWNERS.filter((owner) => request.options[owner] !== undefined);
    const id = kind === undefined ? undefined : request.options[kind];
    if (kind === undefined || id === undefined || more.length > 0)
      throw new Refusal(
        'field_missing',
        400,
        `say whose tokens, once: ${OWNERS.map((name) => `--${name}`).join(', ')}`,
      );
    const { revokeTokens } = await loadWeb();
    const ended = await revokeTokens(rooms, bank.id, { kind, id }, staff(request));
    return done(`${ended} access token(s) of ${kind} ${id} ended, and every refresh token`);
  },
};

const rotateKeys: Command = {
  usage: 'keys rotate <bank>',
  summary: 'Makes new signing keys current; the old ones stay published for the overlap.',
  words: 1,
  options: ['by', 'reason'],
  run: async (request, rooms, settings) => {
    const bank = bankOf(settings, word(request, 0));
    await rooms.vault.rotate(bank.id, staff(request));
    const { publicKeys } = await rooms.vault.keyring(bank.id);
    return done(`bank ${bank.id} signs with new keys; published: ${publicKeys.keys.map((key) => key.kid).join(', ')}`);
  },
};

const importParticipants: Command = {
  usage: 'participant import <file>',
  summary: 'Enters participants of a JSON file that are not in the directory yet.',
  words: 1,
  options: ['by', 'reason'],
  read: async ({ words: [path] }) => (path === undefined ? undefined : readFile(path, 'utf8')),
  run: async (request, rooms) => {
    const parsed: unknown = JSON.parse(request.file ?? 'null');
    const entries = Array.isArray(parsed) ? parsed : [parsed];
    const entered = await rooms.directory.importParticipants(entries, staff(request));
    return done(entered.length === 0 ? 'nothing new' : `entered: ${entered.join(', ')}`);
  },
};

const listParticipants: Command = {
  usage: 'participant list',
  summary: 'Lists the directory.',
  words: 0,
  options: [],
  run: async (_request, rooms) => {
    const participants = await rooms.directory.listParticipants();
    return done(...participants.map((item) => `${item.id} ${item.status} ${item.roles.join(',')} ${item.name}`));
  },
};

const limitParticipant: Command = {
  usage: 'participant limit <id> <requests per minute | none>',
  summary: 'Sets how many requests a minute a participant may make.',
  words: 2,
  options: ['by', 'reason'],
  run: async (request, rooms) => {
    const text = word(request, 1);
    const limit = text === 'none' ? undefined : Number(text);
    if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
      throw new Refusal('field_invalid', 400, 'the limit is a whole number above zero, or none');
    }
    const changed = await rooms.directory.changeRateLimit(word(request, 0), limit, staff(request));
    return done(`${changed.id}: ${changed.requestsPerMinute ?? 'no limit'}`);
  },
};

function changeStatus(verb: string, status: ParticipantStatus): Command {
  return {
    usage: `participant ${verb} <id> [--reason <text>]`,
    summary: `Makes a participant ${status}; in force from the next request on.`,
    words: 1,
    options: ['by', 'reason'],
    run: async (request, rooms, settings) => {
      const [banks, { changeParticipantStatus }] = [settings.banks.map(({ id }) => id), await loadWeb()];
      const participant = await changeParticipantStatus(rooms, banks, word(request, 0), status, staff(request));
      return done(`${participant.id} is ${participant.status}`);
    },
  };
}

/** Every command that works on the platform's state, by its two words. */
export const commands: ReadonlyMap<string, Command> = new Map([
  ['consent revoke', endConsent],
  ['consent list', listConsents],
  ['consent show', showConsent],
  ['token revoke', endTokens],
  ['keys rotate', rotateKeys],
  ['audit head', printHeads],
  ['audit verify', verifyAudit],
  ['audit search', searchAudit],
  ['participant import', importParticipants],
  ['participant list', listParticipants],
  ['participant show', showParticipant],
  ['participant limit', limitParticipant],
  ['participant check', checkParticipant],
  ...Object.entries(STATUSES).map(([verb, status]) => [`participant ${verb}`, changeStatus(verb, status)] as const),
  ['client list', listClients],
  ['client create', createClientCommand],
  ['client renew', renewClient],
  ['client finish-renewal', finishRenewal],
  ['certificate explain', explainCertificate],
  ['certificate forget', forgetCertificates],
  ['certificate reload', reloadFiles],
  ['certificate deny', denyCertificate],
  ['certificate allow', allowCertificate],
  ['certificate denied', listDenials],
  ['trusted-list import', importTrustedList],
  ['trusted-list show', showTrustedLists],
]);

/** Runs a command on open rooms. A Refusal becomes its sentence and exit status 1. */
export async function runCommand(
  name: string,
  request: CommandRequest,
  rooms: Rooms,
  settings: Settings,
): Promise<CommandResult> {
  const command = commands.get(name);
  if (command === undefined) return { lines: [`there is no command ${name}`], status: 2 };
  const unknown = Object.keys(request.options).find((option) => !command.options.includes(option));
  if (request.words.length !== command.words || unknown !== undefined) {
    return { lines: [`usage: node src/main.ts ${command.usage}`], status: 2 };
  }
  try {
    return await command.run(request, rooms, settings);
  } catch (cause) {
    if (cause instanceof Refusal) return { lines: [`${cause.code}: ${cause.message}`], status: 1 };
    throw cause;
  }
}

/** The content of the file that a command names, where it names one. */
export async function readCommandFile(
  name: string,
  words: readonly string[],
  options: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  return commands.get(name)?.read?.({ words, options });
}
