import { CONSENT_STATES } from '../consent/index.ts';
import { Refusal } from '../platform/refusal.ts';
import type { CommandRequest, CommandResult } from './command.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';

/** Consents by whom they concern. */
export const listConsents = {
  usage: 'consent list <bank> [--participant <id>] [--client <id>] [--customer <id>] [--status <state>]',
  summary: 'Lists consents, newest first.',
  words: 1,
  options: ['participant', 'client', 'customer', 'status'],
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const bank = bankOf(settings, request.words[0] ?? '');
    const { status, ...narrow } = request.options;
    const consents = await rooms.consents.list({
      bank: bank.id,
      ...narrow,
      ...(status === undefined ? {} : { state: stateOf(status) }),
    });
    const lines = consents.map(
      (consent) => `${consent.id} ${consent.state} ${consent.participant} until ${consent.expiresAt.toISOString()}`,
    );
    return { lines, status: 0 };
  },
};

/** One consent and its life. */
export const showConsent = {
  usage: 'consent show <bank> <id>',
  summary: 'Prints a consent and every step of its life as JSON.',
  words: 2,
  options: [],
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const bank = bankOf(settings, request.words[0] ?? '');
    const id = request.words[1] ?? '';
    const consent = await rooms.consents.find(bank.id, id);
    if (consent === undefined) throw new Refusal('consent_missing', 404, 'There is no consent with this id.');
    const history = await rooms.consents.history(bank.id, id);
    return { lines: [JSON.stringify({ consent, history }, undefined, 2)], status: 0 };
  },
};

function stateOf(text: string) {
  const state = CONSENT_STATES.find((known) => known === text);
  if (state !== undefined) return state;
  throw new Refusal('field_invalid', 400, `status: one of ${CONSENT_STATES.join(', ')}`);
}
