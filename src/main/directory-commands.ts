import { Refusal } from '../platform/refusal.ts';
import type { CommandRequest, CommandResult } from './command.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';

/** One participant as the directory has it. */
export const showParticipant = {
  usage: 'participant show <id>',
  summary: 'Prints a participant as JSON.',
  words: 1,
  options: [],
  run: async (request: CommandRequest, rooms: Rooms): Promise<CommandResult> => {
    const participant = await rooms.directory.findParticipant(request.words[0] ?? '');
    if (participant === undefined)
      throw new Refusal('participant_unknown', 404, 'There is no participant with this id in the directory.');
    return { lines: [JSON.stringify(participant, undefined, 2)], status: 0 };
  },
};

/** The clients of a bank; their secrets are not among what is kept. */
export const listClients = {
  usage: 'client list <bank> [--participant <id>]',
  summary: 'Lists registered clients with their participants.',
  words: 1,
  options: ['participant'],
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const bank = bankOf(settings, request.words[0] ?? '');
    const clients = await rooms.directory.listClients(bank.id, request.options.participant);
    const lines = clients.map(
      ({ id, participant, createdAt }) => `${id} ${participant} since ${createdAt.toISOString()}`,
    );
    return { lines, status: 0 };
  },
};
