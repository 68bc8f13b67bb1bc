import { readFile } from 'node:fs/promises';
import type { AuditHead } from '../audit/index.ts';
import { Refusal } from '../platform/refusal.ts';
import type { CommandRequest, CommandResult, CommandWords } from './command.ts';
import type { Rooms } from './rooms.ts';

/** Prints what an operator keeps elsewhere: whoever can write the whole database cannot change what these lines say. */
export const printHeads = {
  usage: 'audit head',
  summary: 'Prints the last record of every hash chain; keep the lines elsewhere, for audit verify --from.',
  words: 0,
  options: [],
  run: async (_request: CommandRequest, rooms: Rooms): Promise<CommandResult> => {
    await rooms.audit.flush();
    const heads = await rooms.audit.heads();
    const title = `# audit heads ${rooms.clock.now().toISOString()}: chain, sequence, hash`;
    return { lines: [title, ...heads.map(({ chain, sequence, hash }) => `${chain} ${sequence} ${hash}`)], status: 0 };
  },
};

/** Checks the trail by itself and, with a file of heads, against what it was when they were printed. */
export const verifyAudit = {
  usage: 'audit verify [--from <file of audit head>]',
  summary: 'Checks every hash chain of the audit trail, and that kept heads still stand; names the first bad record.',
  words: 0,
  options: ['from'],
  read: async ({ options: { from } }: CommandWords) => (from === undefined ? undefined : readFile(from, 'utf8')),
  run: async (request: CommandRequest, rooms: Rooms): Promise<CommandResult> => {
    const heads = request.options.from === undefined ? [] : parseHeads(request.file ?? '');
    await rooms.audit.flush();
    const verdict = await rooms.audit.verify(heads);
    if (!verdict.intact)
      return { lines: [`${verdict.problem}: record ${verdict.sequence} of chain ${verdict.chain}`], status: 1 };
    const kept = heads.length === 0 ? '' : `; ${heads.length} kept heads stand`;
    return { lines: [`intact: ${verdict.records} records in ${verdict.chains} chains${kept}`], status: 0 };
  },
};

/** The trail by whom it concerns and when. */
export const searchAudit = {
  usage:
    'audit search [--bank <id>] [--participant <id>] [--client <id>] [--consent <id>] [--interaction <id>] [--since <time>] [--until <time>] [--limit <n>]',
  summary: 'Prints records as JSON lines, newest first; times as in 2026-05-01T10:00:00Z.',
  words: 0,
  options: ['bank', 'participant', 'client', 'consent', 'interaction', 'since', 'until', 'limit'],
  run: async (request: CommandRequest, rooms: Rooms): Promise<CommandResult> => {
    const { limit, since, until, ...filter } = request.options;
    const records = await search(rooms, {
      ...filter,
      limit: limitOf(limit),
      ...(since === undefined ? {} : { from: momentOf('since', since) }),
      ...(until === undefined ? {} : { to: momentOf('until', until) }),
    });
    return { lines: records.map((record) => JSON.stringify(record)), status: 0 };
  },
};

const DEFAULT_RECORDS = 100;
/** As the trail gives in one answer. */
const MAXIMUM_RECORDS = 1_000;

async function search({ audit }: Rooms, filter: Parameters<Rooms['audit']['search']>[0]) {
  // What was answered a moment ago must be found.
  await audit.flush();
  return audit.search(filter);
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? DEFAULT_RECORDS : Number(text);
  if (Number.isInteger(limit) && limit > 0 && limit <= MAXIMUM_RECORDS) return limit;
  throw new Refusal('field_invalid', 400, `limit: a whole number from 1 to ${MAXIMUM_RECORDS}`);
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

function momentOf(name: string, text: string): Date {
  const at = new Date(text);
  if (INSTANT.test(text) && !Number.isNaN(at.getTime())) return at;
  throw new Refusal('field_invalid', 400, `${name}: a moment with its zone, such as 2026-05-01T10:00:00Z`);
}

const HEAD = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (\d{1,15}) ([\w-]{43})$/;

/** @throws Refusal `field_invalid` 400 for a file that proves nothing: empty, or with a line that is no head, or a chain twice */
function parseHeads(file: string): readonly AuditHead[] {
  const lines = file.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  const heads = lines.map((line, index) => {
    const [, chain, sequence, hash] = HEAD.exec(line) ?? [];
    if (chain === undefined || sequence === undefined || hash === undefined)
      throw new Refusal('field_invalid', 400, `line ${index + 1} of the heads is none: chain, sequence, hash`);
    return { chain, sequence: Number(sequence), hash };
  });
  if (heads.length === 0) throw new Refusal('field_invalid', 400, 'the file holds no heads');
  if (new Set(heads.map(({ chain }) => chain)).size !== heads.length)
    throw new Refusal('field_invalid', 400, 'the file names a chain twice: give the lines of one audit head at a time');
  return heads;
}
