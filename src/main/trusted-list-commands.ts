import { Refusal } from '../platform/refusal.ts';
import type { ListState, TrustedList } from '../trusted-lists/index.ts';
import { type CommandRequest, type CommandResult, type CommandWords, staff } from './command.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';
import { fetchList, readListFile } from './trusted-lists.ts';

/** An address instead of the path of a file. */
const ADDRESS = /^https?:\/\//;

/** Takes over a national list by hand: the same checks as the refresh, the same record. */
export const importTrustedList = {
  usage: 'trusted-list import <file | url> --bank <id> [--by <name>] [--reason <text>]',
  summary: 'Verifies a national trusted list and puts it in force for a bank, in all processes.',
  words: 1,
  options: ['bank', 'by', 'reason'],
  /** Nothing for an address, which the platform fetches itself. */
  read: async ({ words: [source] }: CommandWords) =>
    source === undefined || ADDRESS.test(source) ? undefined : new TextDecoder().decode(await readListFile(source)),
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const { bank: id } = request.options;
    if (id === undefined) throw new Refusal('field_missing', 400, 'say for which bank: --bank <id>');
    const bank = bankOf(settings, id);
    const [source = ''] = request.words;
    // The operator wrote the address at the command line: it may be one inside the house.
    const document = ADDRESS.test(source) ? await fetchList(source, true) : Buffer.from(request.file ?? '');
    const list = await rooms.trustedLists.importList(bank.id, document, staff(request));
    return { lines: [`in force for bank ${bank.id}:`, ...listLines(list)], status: 0 };
  },
};

/** What the lists in force say, and what is wrong with those that are not. */
export const showTrustedLists = {
  usage: 'trusted-list show [--bank <id>]',
  summary:
    'Prints signer, number, dates and services of every trusted list; status 1 when one is missing or has ended.',
  words: 0,
  options: ['bank'],
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const { bank } = request.options;
    const banks = bank === undefined ? settings.banks : [bankOf(settings, bank)];
    const now = rooms.clock.now();
    const states = banks.flatMap(({ id }) => rooms.trustedLists.statesOf(id).map((state) => ({ id, state })));
    if (states.length === 0) return { lines: ['no trusted list is configured'], status: 0 };
    const lines = states.flatMap(({ id, state }) => [`Bank ${id}, ${state.territory}:`, ...stateLines(state, now)]);
    const serving = states.every(({ state: { list } }) => list !== undefined && list.nextUpdate > now);
    return { lines, status: serving ? 0 : 1 };
  },
};

function stateLines({ list, problem }: ListState, now: Date): readonly string[] {
  const ended = list !== undefined && list.nextUpdate <= now ? ['  HAS ENDED: its authorities are refused'] : [];
  const own = list === undefined ? ['  MISSING: its authorities are refused'] : listLines(list);
  return [...own, ...ended, ...(problem === undefined ? [] : [`  problem      ${problem}`])];
}

function listLines(list: TrustedList): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['territory', list.territory],
    ['number', `${list.sequence} (version ${list.version})`],
    ['signer', list.signer],
    ['issued', list.issuedAt.toISOString()],
    ['next update', list.nextUpdate.toISOString()],
  ];
  const taken = list.services.map(({ subject, thumbprint, granted, root }) => {
    const open = (['transport', 'signature'] as const).filter((use) =>
      granted[use].some(({ until }) => until === undefined),
    );
    const what =
      open.length === 0 ? 'withdrawn' : open.map((use) => (use === 'transport' ? 'websites' : 'seals')).join(', ');
    return `  service      ${subject} (${thumbprint}): ${what}${root ? ', with authorities below it' : ''}`;
  });
  const left = Object.entries(list.skipped).map(([reason, count]) => `  left out     ${count}: ${reason}`);
  return [...rows.map(([name, value]) => `  ${name.padEnd(13)}${value}`), ...taken, ...left];
}
