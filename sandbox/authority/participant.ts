import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addressesOf, ownPorts } from '../configuration.ts';
import { ownPlaces, type Places } from '../places.ts';
import { platformCommand } from '../platform-command.ts';
import { readable, readIfThere, writePublic } from './files.ts';
import { isParticipantName, type ParticipantPlan, planParticipant, type Status } from './participants.ts';
import { addParticipant } from './register.ts';
import { RENEW_USAGE, renewalOf, renewParticipant } from './renew.ts';
import { REVOKE_USAGE, revocationOf, revokeParticipant } from './revoke.ts';
import { isRole, roleNames } from './roles.ts';

const USAGE = [
  'npm run participant -- <name> --roles AISP,PISP [--status approved] [--redirect-uri <uri>]…',
  REVOKE_USAGE,
  RENEW_USAGE,
].join('\n  ');
const STATUSES: readonly string[] = ['pending', 'approved', 'suspended', 'rejected'] satisfies readonly Status[];

/** The plan that a command line asks for. @throws Error that says what to write instead */
export function planOf(words: readonly string[]): ParticipantPlan {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      roles: { type: 'string' },
      status: { type: 'string', default: 'approved' },
      'redirect-uri': { type: 'string', multiple: true },
    },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new Error(`one name, please:\n  ${USAGE}`);
  if (!isParticipantName(name)) throw new Error(`${name}: a name has 2 to 31 lower-case letters, digits and hyphens`);
  const roles = (values.roles ?? '').split(',').filter((role) => role !== '');
  const unknown = roles.find((role) => !isRole(role));
  if (roles.length === 0 || unknown !== undefined) throw new Error(`--roles takes some of ${roleNames.join(',')}`);
  const { status } = values;
  if (!isStatus(status)) throw new Error(`--status takes one of ${STATUSES.join(', ')}`);
  const redirectUris = values['redirect-uri'] ?? [`${addressesOf(ownPorts()).financroo}/callback`];
  const wrong = redirectUris.find((uri) => URL.parse(uri)?.protocol !== 'https:');
  if (wrong !== undefined) throw new Error(`--redirect-uri ${wrong}: write an https address`);
  return planParticipant(name, [...new Set(roles.filter(isRole))], {
    status,
    redirectUris,
  });
}

function isStatus(text: string): text is Status {
  return STATUSES.includes(text);
}

/** Makes the participant's files and tells the platform, if there is one. Gives the lines to print. */
export async function createParticipant(places: Places, plan: ParticipantPlan, now: Date): Promise<readonly string[]> {
  const entry = await addParticipant(places, plan, now);
  const directory = join(places.participants, entry.id);
  const made = [`${entry.id} (${entry.roles.join(', ')}; ${entry.status}) is in ${directory}`];
  if ((await readIfThere(places.configuration)) === undefined) {
    return [...made, 'the platform hears of it at the first npm start'];
  }
  const file = join(directory, 'directory-entry.json');
  await writePublic(file, readable([entry]));
  const told = await platformCommand(places, ['participant', 'import', file]);
  if (told.status !== 0) throw new Error(`the platform did not take it: ${told.problem || told.output}`);
  return [...made, `the platform says: ${told.output}`];
}

/** What the command line asks for: another participant, or the end or renewal of one's certificates. Gives the lines to print. */
export function participantCommand(places: Places, words: readonly string[], now: Date): Promise<readonly string[]> {
  const [verb, ...rest] = words;
  if (verb === 'revoke') return revokeParticipant(places, revocationOf(rest), now);
  if (verb === 'renew') return renewParticipant(places, renewalOf(rest), now);
  return createParticipant(places, planOf(words), now);
}

if (import.meta.main) {
  try {
    console.log((await participantCommand(ownPlaces(), process.argv.slice(2), new Date())).join('\n'));
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause);
    process.exitCode = 1;
  }
}
