import { type CommandRequest, type CommandResult, staff } from './command.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';

/** `client create`: a client with a secret at a baseline bank, shown once. */
export const createClientCommand = {
  usage: 'client create <bank> --participant <id> --scopes <a,b> [--id <client id>] [--redirect-uri <uri>]',
  summary: 'Makes a client with a generated secret at a baseline bank and prints both once.',
  words: 1,
  options: ['participant', 'scopes', 'id', 'redirect-uri', 'by', 'reason'],
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const bank = bankOf(settings, request.words[0] ?? '');
    const { participant, scopes, id, 'redirect-uri': redirectUri } = request.options;
    if (participant === undefined) return { lines: ['--participant is missing: whose client is it?'], status: 2 };
    // Loaded here: no other command needs the engine.
    const { openAuthorization, openConnector } = await import('./authorization.ts');
    const authorization = await openAuthorization(bank, settings, rooms, {
      connector: await openConnector(bank),
      renderError: () => {
        throw new Error('a command shows no pages');
      },
      report: () => undefined,
    });
    try {
      const created = await authorization.createClient(
        {
          id,
          participant,
          scopes: scopes === undefined ? [] : scopes.split(',').filter((scope) => scope !== ''),
          redirectUris: redirectUri === undefined ? [] : [redirectUri],
        },
        staff(request),
      );
      return { lines: [JSON.stringify(created)], status: 0 };
    } finally {
      authorization.close();
    }
  },
};
