import { uuid } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { CommandRequest, CommandResult } from './command.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';

/** Asks the competent authorities' register about a participant, as registration would (CA-07, SCR-19). */
export const checkParticipant = {
  usage: 'participant check <bank> <id>',
  summary:
    "Asks the bank's register of competent authorities about a participant; status 1 when it does not confirm it.",
  words: 2,
  options: [],
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const [bank = '', id = ''] = request.words;
    const register = rooms.registers.get(bankOf(settings, bank).id);
    if (register === undefined) throw new Refusal('not_found', 404, `bank ${bank} has no register`);
    const participant = await rooms.directory.findParticipant(id);
    if (participant === undefined) throw new Refusal('participant_unknown', 404, `there is no participant ${id}`);
    const occasion = { certificate: undefined, roles: [], interaction: uuid() };
    try {
      const roles = await register.check(participant, occasion);
      const missing = participant.roles.filter((role) => !roles.includes(role));
      const difference = missing.length === 0 ? '' : `; the directory also has ${missing.join(', ')}`;
      return { lines: [`${id} is authorised: ${roles.join(', ')}${difference}`], status: 0 };
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      const finding = cause.detail === undefined ? '' : ` (${cause.detail})`;
      return { lines: [`${cause.code}${finding}: ${cause.message}`], status: 1 };
    }
  },
};
