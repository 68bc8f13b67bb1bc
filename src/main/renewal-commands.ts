import { Refusal } from '../platform/refusal.ts';
import type { ClientCertificate } from '../trust/index.ts';
import { chainOf, readPemFile } from './certificate-commands.ts';
import { type CommandRequest, type CommandResult, type CommandWords, staff } from './command.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';

/** A day: long enough for every machine of a participant to get its new certificate. */
const OVERLAP_SECONDS = 86_400;

/** Staff enrol a participant's renewed certificate (CA-18). The client's own way is an update of its registration (RFC 7592). */
export const renewClient = {
  usage: 'client renew <bank> <client> <file> [--overlap <seconds>] [--reason <text>] [--by <name>]',
  summary:
    'Enrols a renewed certificate for a client; the one before goes on for the overlap (a day; 0 ends it and its tokens at once).',
  words: 3,
  options: ['overlap', 'reason', 'by'],
  read: ({ words: [, , path] }: CommandWords) => readPemFile(path),
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const [bankId = '', client = ''] = request.words;
    const bank = bankOf(settings, bankId);
    const overlap = overlapOf(request.options.overlap);
    const before = await rooms.directory.standing(bank.id, client);
    if (before === undefined) throw new Refusal('client_unknown', 404, `bank ${bank.id} has no client ${client}`);
    const certificate = await accepted(request, rooms, bank.id);
    checkOwner(certificate, before.participant.registrationNumber);
    const actor = staff(request);
    const bound = await rooms.directory.rebindCertificate(bank.id, client, certificate, overlap, actor);
    if (overlap === 0) {
      for (const { thumbprint } of before.certificates) {
        await rooms.tokens.deny({ bank: bank.id, client, thumbprint }, actor);
      }
    }
    const former =
      before.certificates.length === 0 || overlap === 0 ? '' : `; the one before goes on for ${overlap} seconds`;
    return { lines: [`client ${client} comes with certificate ${bound.thumbprint}${former}`], status: 0 };
  },
};

/** Staff close the window in which two certificates work (CA-18). */
export const finishRenewal = {
  usage: 'client finish-renewal <bank> <client> [--reason <text>] [--by <name>]',
  summary: 'Ends the certificate before a renewed one now instead of at the end of its overlap.',
  words: 2,
  options: ['reason', 'by'],
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const [bankId = '', client = ''] = request.words;
    const bank = bankOf(settings, bankId);
    const ended = await rooms.directory.finishRotation(bank.id, client, staff(request));
    return { lines: [ended ? `client ${client} has one certificate` : `client ${client} has no overlap`], status: 0 };
  },
};

/** The leaf of the file, judged as in a handshake. @throws Refusal with the reason it would be refused for */
async function accepted(request: CommandRequest, rooms: Rooms, bank: string): Promise<ClientCertificate> {
  const verdict = await rooms.trust.judge(chainOf(request.file ?? ''), bank);
  if (verdict.ok) return verdict.certificate;
  throw new Refusal(verdict.reason, 400, verdict.message, { detail: verdict.detail });
}

/** Whoever a client belongs to, its certificate says so: also when no certificate is in force that could be compared. */
function checkOwner({ organizationIdentifier }: ClientCertificate, owner: string): void {
  if (organizationIdentifier === owner) return;
  throw new Refusal(
    'authorisation_number_mismatch',
    403,
    `The certificate names ${organizationIdentifier ?? 'no organisation'}; the client belongs to ${owner}.`,
  );
}

function overlapOf(text: string | undefined): number {
  if (text === undefined) return OVERLAP_SECONDS;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Refusal('field_invalid', 400, 'the overlap is a whole number of seconds');
}
