import { Refusal } from '../platform/refusal.ts';
import type { DeniedCertificate } from '../trust/index.ts';
import { type CommandRequest, type CommandResult, staff } from './command.ts';
import { ALL_BANKS } from './denials.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';

const OPTIONS = ['issuer', 'serial', 'key', 'reason', 'by'] as const;

/** Takes a certificate or a key out of use, whatever its authority says. */
export const denyCertificate = {
  usage:
    'certificate deny <bank | all> (--issuer <name> --serial <hex> | --key <sha256>) [--reason <text>] [--by <name>]',
  summary: 'Refuses a certificate, or every certificate of a key, from the next request on, in all processes.',
  words: 1,
  options: OPTIONS,
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const bank = wordOf(request, settings);
    const denied = deniedOf(request);
    const added = await rooms.denials.deny(bank, denied, staff(request));
    return { lines: [`${textOf(denied)} is denied${added ? '' : ', as it was before'}`], status: 0 };
  },
};

/** Ends such a denial; those of the configuration stay. */
export const allowCertificate = {
  usage:
    'certificate allow <bank | all> (--issuer <name> --serial <hex> | --key <sha256>) [--reason <text>] [--by <name>]',
  summary: 'Ends a denial made by certificate deny; what the configuration denies stays denied.',
  words: 1,
  options: OPTIONS,
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const bank = wordOf(request, settings);
    const denied = deniedOf(request);
    if (await rooms.denials.allow(bank, denied, staff(request))) {
      return { lines: [`${textOf(denied)} is no longer denied`], status: 0 };
    }
    return { lines: [`${textOf(denied)} is not denied here by a command`], status: 1 };
  },
};

/** What commands have denied. */
export const listDenials = {
  usage: 'certificate denied',
  summary: 'Lists what certificate deny has denied, newest first; the configuration may deny more.',
  words: 0,
  options: [],
  run: async (_request: CommandRequest, rooms: Rooms): Promise<CommandResult> => {
    const entries = await rooms.denials.list();
    const lines = entries.map(({ bank, denied, reason, deniedBy, deniedAt }) => {
      const where = bank === ALL_BANKS ? 'all banks' : bank;
      return `${deniedAt.toISOString()} ${where} ${textOf(denied)} by ${deniedBy}${reason === undefined ? '' : `: ${reason}`}`;
    });
    return { lines: lines.length === 0 ? ['nothing is denied by a command'] : lines, status: 0 };
  },
};

/** Anchors, proxies' authorities and the doors' own certificates, as their files are now. */
export const reloadFiles = {
  usage: 'certificate reload',
  summary: "Reads anchors and the doors' own certificates again, in all processes; broken files change nothing.",
  words: 0,
  options: [],
  run: async (_request: CommandRequest, rooms: Rooms): Promise<CommandResult> => {
    const { lines, ok } = await rooms.reloads.reload();
    await rooms.sharing.announce(rooms.database, 'reload');
    return { lines, status: ok ? 0 : 1 };
  },
};

function wordOf(request: CommandRequest, settings: Settings): string {
  const [word = ''] = request.words;
  return word === 'all' ? ALL_BANKS : bankOf(settings, word).id;
}

function deniedOf({ options }: CommandRequest): DeniedCertificate {
  const { issuer, serial, key } = options;
  if (key !== undefined && issuer === undefined && serial === undefined) return { spkiSha256: key };
  if (key === undefined && issuer !== undefined && serial !== undefined) return { issuer, serial };
  throw new Refusal('field_missing', 400, 'say which: --issuer and --serial, or --key; certificate explain shows them');
}

function textOf(denied: DeniedCertificate): string {
  return 'spkiSha256' in denied ? `the key ${denied.spkiSha256}` : `serial ${denied.serial} of ${denied.issuer}`;
}
