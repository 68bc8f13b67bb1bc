import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Places } from '../places.ts';
import { authorisationsOf } from './authorisations.ts';
import { openAuthority } from './authority.ts';
import { openDirectorySigner } from './directory.ts';
import { readable, readIfThere, writePublic } from './files.ts';
import { keepIdentities } from './identities.ts';
import {
  type DirectoryEntry,
  defaultRedirectUri,
  demoParticipant,
  type Equipment,
  equipParticipant,
  firstParticipants,
  type ParticipantPlan,
  planBank,
} from './participants.ts';

/** What a start found or made. */
export interface Register {
  readonly entries: readonly DirectoryEntry[];
  /** Participants whose transport certificate was replaced because it ran out, or named another place to ask for its status. */
  readonly renewed: readonly string[];
}

/** The participants' plans beside their certificates: what `participants.json` does not tell. */
const PLAN_FILE = 'participant.json';

/**
 * Makes what is missing: authority, certificates of every door, the first participants. A second call changes no key.
 * `callback` is where the demo third party takes customers back: its software statement names this address. `status` is where
 * the sandbox answers about certificates; without it, where it did at the last start.
 */
export async function openRegister(
  places: Places,
  banks: readonly string[],
  now: Date,
  callback = defaultRedirectUri,
  status?: string,
): Promise<Register> {
  const equipment = await openEquipment(places, now, status);
  await keepIdentities(places, equipment.authority, banks, now);
  const kept = (await readPlans(places)).map((plan) =>
    plan.entry.id === demoParticipant ? { ...plan, redirectUris: [callback] } : plan,
  );
  // A bank that is new here gets its own entry in the directory.
  const missing = banks.map(planBank).filter(({ entry }) => !kept.some((plan) => plan.entry.id === entry.id));
  const plans = [...kept, ...missing];
  const renewed: string[] = [];
  for (const plan of plans) {
    if (await equip(plan, equipment)) renewed.push(plan.entry.id);
  }
  const entries = plans.map((plan) => plan.entry);
  await publish(places, entries, now);
  return { entries, renewed };
}

/** Adds a participant to an existing sandbox. @throws Error when the name is taken */
export async function addParticipant(places: Places, plan: ParticipantPlan, now: Date): Promise<DirectoryEntry> {
  const plans = await readPlans(places);
  const { id } = plan.entry;
  if (plans.some((known) => known.entry.id === id)) {
    throw new Error(`there is a participant ${id} already, in ${join(places.participants, id)}: choose another name`);
  }
  await equip(plan, await openEquipment(places, now));
  await publish(
    places,
    [...plans, plan].map((known) => known.entry),
    now,
  );
  return plan.entry;
}

/** A participant by name, and the names there are. */
export async function findPlan(places: Places, name: string) {
  const plans = await readPlans(places);
  return { plan: plans.find(({ entry }) => entry.id === name), names: plans.map(({ entry }) => entry.id) };
}

/** Authority and directory key, open. */
export async function openEquipment(places: Places, now: Date, status?: string): Promise<Equipment> {
  return {
    directory: places.participants,
    authority: await openAuthority(places.authority, now, status),
    signer: await openDirectorySigner(places.authority),
    now,
  };
}

/** The directory's list of participants, and what the competent authority publishes of them. */
async function publish(places: Places, entries: readonly DirectoryEntry[], now: Date): Promise<void> {
  await writePublic(places.authorityRegister, readable(authorisationsOf(entries, now)));
  await writePublic(places.directoryEntries, readable(entries));
}

async function equip(plan: ParticipantPlan, equipment: Equipment): Promise<boolean> {
  const renewed = await equipParticipant(plan, equipment);
  await writePublic(join(equipment.directory, plan.entry.id, PLAN_FILE), readable(plan));
  return renewed;
}

/** The participants of the last start; the first ones when there was none. */
async function readPlans(places: Places): Promise<readonly ParticipantPlan[]> {
  const kept = await readIfThere(places.directoryEntries);
  if (kept === undefined) return firstParticipants;
  const entries: unknown = JSON.parse(kept);
  if (!Array.isArray(entries))
    throw new Error(`${places.directoryEntries} holds no list: npm run reset makes a new one`);
  return Promise.all(entries.map((entry: unknown) => readPlan(places, entry)));
}

async function readPlan(places: Places, entry: unknown): Promise<ParticipantPlan> {
  if (typeof entry !== 'object' || entry === null || !('id' in entry) || typeof entry.id !== 'string') {
    throw new Error(`${places.directoryEntries} holds an entry without id`);
  }
  const path = join(places.participants, entry.id, PLAN_FILE);
  const plan: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (!isPlan(plan)) throw new Error(`${path} is not what this version writes: npm run reset makes new ones`);
  return plan;
}

/** Our own file, read back: enough to notice another version's. */
function isPlan(value: unknown): value is ParticipantPlan {
  return (
    typeof value === 'object' &&
    value !== null &&
    'entry' in value &&
    typeof value.entry === 'object' &&
    value.entry !== null &&
    'id' in value.entry &&
    'roles' in value.entry &&
    Array.isArray(value.entry.roles) &&
    'clientName' in value &&
    'redirectUris' in value &&
    Array.isArray(value.redirectUris)
  );
}
