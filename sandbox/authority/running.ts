import type { Places } from '../places.ts';
import { platformCommand } from '../platform-command.ts';
import { findProcesses } from '../process-book.ts';
import type { ParticipantPlan } from './participants.ts';
import { findPlan } from './register.ts';

/** @throws Error when no sandbox runs here: nobody would answer for the authority, and no bank would hear of it */
export async function requireRunning(places: Places): Promise<void> {
  const { platform } = await findProcesses(places);
  if (platform !== undefined) return;
  throw new Error('the sandbox does not run here: npm start in another terminal first; nothing was changed');
}

/** A participant by name. @throws Error that names those there are */
export async function requirePlan(places: Places, name: string): Promise<ParticipantPlan> {
  const { plan, names } = await findPlan(places, name);
  if (plan !== undefined) return plan;
  throw new Error(`there is no participant ${name}; there are ${names.join(', ')}: nothing was changed`);
}

/** Lets the running platform forget what it knows of revocation, in the words it answers with. @throws Error when it does not */
export async function forgetAnswers(places: Places): Promise<string> {
  const told = await platformCommand(places, ['certificate', 'forget']);
  if (told.status === 0) return `the platform says: ${told.output}`;
  throw new Error(`the platform did not forget its answers, and will by itself: ${told.problem || told.output}`);
}
