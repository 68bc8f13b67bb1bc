import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Places } from '../places.ts';
import { platformCommand } from '../platform-command.ts';
import { issue, type SandboxIssuer } from './authority.ts';
import { readIfThere, writePublic, writeSecret } from './files.ts';
import { type KeyPair, newKeyPair, openKey, pemOfKey } from './keys.ts';
import { certificatePlan, type Equipment, type ParticipantPlan } from './participants.ts';
import { openEquipment } from './register.ts';
import { forgetAnswers, requirePlan, requireRunning } from './running.ts';

/** How it is asked for. */
export const RENEW_USAGE = 'npm run participant -- renew <name> [--overlap <seconds> | --replace] [--new-key]';

/** Whose transport certificate is renewed, and what becomes of the one before. */
export interface RenewalOrder {
  readonly name: string;
  /** How long the banks take both, in seconds. */
  readonly overlapSeconds: number;
  /** The one before ends at once: revoked as superseded. */
  readonly replace: boolean;
  readonly newKey: boolean;
}

/** How somebody enrols it who registered without the sandbox's programs; `client list <bank>` tells the client. */
const BY_HAND = '  node_modules/.bin/node src/main.ts client renew <bank> <client> <path of transport.pem>';

/** A day: what the platform takes too when nobody says another time. */
const OVERLAP_SECONDS = '86400';

/** The order that a command line gives, behind the word `renew`. @throws Error that says what to write instead */
export function renewalOf(words: readonly string[]): RenewalOrder {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      overlap: { type: 'string' },
      replace: { type: 'boolean', default: false },
      'new-key': { type: 'boolean', default: false },
    },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new Error(`one name, please: ${RENEW_USAGE}`);
  const { overlap, replace, 'new-key': newKey } = values;
  if (replace && overlap !== undefined) throw new Error('--replace ends the certificate before at once: no --overlap');
  const seconds = overlap ?? OVERLAP_SECONDS;
  if (!/^[1-9]\d{0,6}$/.test(seconds)) throw new Error('--overlap takes a number of seconds, from 1 to 9999999');
  return { name, overlapSeconds: replace ? 0 : Number(seconds), replace, newKey };
}

/**
 * Issues a new transport certificate for a participant and has every bank enrol it where the participant has a client. The one
 * before goes on for the overlap, kept as `transport.previous.pem`; a key that was compromised never comes back, and a seal that was
 * revoked is issued anew too. Gives the lines to print. @throws Error for an unknown name, when a bank did not take it, and when the sandbox does not run
 */
export async function renewParticipant(places: Places, order: RenewalOrder, now: Date): Promise<readonly string[]> {
  await requireRunning(places);
  const plan = await requirePlan(places, order.name);
  const equipment = await openEquipment(places, now);
  const directory = join(places.participants, plan.entry.id);
  const { issuing } = equipment.authority;
  const former = await readFile(join(directory, 'transport.pem'), 'utf8');
  const stolen = (await issuing.book.findRevocation(serialOf(former)))?.reason === 'keyCompromise';
  const newKey = order.newKey || stolen;
  await replaceTransport(plan, equipment, directory, newKey);
  const lines = [`${order.name}: transport.pem is new, valid for a year${newKey ? ', with a new key' : ''}`];
  if (await renewSeal(plan, equipment, directory)) lines.push(`${order.name}: signing.pem was revoked and is new too`);
  lines.push(...(await enrolEverywhere(places, directory, order)));
  if (order.replace) {
    const serial = serialOf(former);
    const first = await issuing.book.revoke({ serial, at: now, reason: 'superseded' });
    lines.push(`the one before (serial number ${serial}) ${first ? 'is revoked: superseded' : 'was revoked already'}`);
    lines.push(await forgetAnswers(places));
  } else if (!(await isRevoked(former, issuing))) {
    lines.push('the one before is transport.previous.pem: it goes on until its end, or until it is revoked');
  }
  return [...lines, 'a program that has read the one before goes on with it until it is started again'];
}

/** Key first: a start that finds a certificate of another key makes a new one. */
async function replaceTransport(
  plan: ParticipantPlan,
  equipment: Equipment,
  directory: string,
  newKey: boolean,
): Promise<void> {
  const path = join(directory, 'transport.pem');
  const keyPath = join(directory, 'transport.key');
  const [former, formerKey] = await Promise.all([readFile(path, 'utf8'), readFile(keyPath, 'utf8')]);
  const pair: KeyPair = newKey ? await newKeyPair('rsa') : await openKey(keyPath, 'rsa');
  const certificate = await issue(certificatePlan(plan, equipment, 'web', path), pair.publicKey, equipment.now);
  await writePublic(join(directory, 'transport.previous.pem'), former);
  await writeSecret(join(directory, 'transport.previous.key'), formerKey);
  if (newKey) await writeSecret(keyPath, pemOfKey(pair.privateKey));
  await writePublic(path, certificate);
}

/** Its key is named in the participant's registrations, and stays. */
async function renewSeal(plan: ParticipantPlan, equipment: Equipment, directory: string): Promise<boolean> {
  const path = join(directory, 'signing.pem');
  const kept = await readIfThere(path);
  if (kept === undefined || !(await isRevoked(kept, equipment.authority.issuing))) return false;
  const { publicKey } = await openKey(join(directory, 'signing.key'), 'rsa');
  await writePublic(path, await issue(certificatePlan(plan, equipment, 'eseal', path), publicKey, equipment.now));
  return true;
}

async function isRevoked(pem: string, { book }: SandboxIssuer): Promise<boolean> {
  return (await book.findRevocation(serialOf(pem))) !== undefined;
}

/** Every bank where the participant registered; each one is told, whatever another says. */
async function enrolEverywhere(places: Places, directory: string, order: RenewalOrder): Promise<readonly string[]> {
  const files = (await namesIn(join(directory, 'clients'))).filter((file) => file.endsWith('.json'));
  if (files.length === 0) {
    return [
      `no client is noted in ${join(directory, 'clients')}: one that was registered by hand takes it with`,
      BY_HAND,
    ];
  }
  const lines: string[] = [];
  const problems: string[] = [];
  for (const file of files) {
    const bank = file.slice(0, -'.json'.length);
    const told = await enrol(places, directory, bank, order);
    // A bank that lost its database has forgotten the client (N-281): it registers anew when it is used.
    const taken = told.status === 0 || told.problem.startsWith('client_unknown');
    (taken ? lines : problems).push(`${bank} says: ${told.output || told.problem}`);
  }
  if (problems.length === 0) return lines;
  throw new Error([...lines, ...problems, 'the next npm start shows the banks the new certificate again'].join('\n'));
}

async function enrol(places: Places, directory: string, bank: string, { overlapSeconds }: RenewalOrder) {
  const client = clientOf(await readFile(join(directory, 'clients', `${bank}.json`), 'utf8'));
  const words = ['client', 'renew', bank, client, join(directory, 'transport.pem')];
  const renew = () =>
    platformCommand(places, [...words, '--overlap', String(overlapSeconds), '--by', 'sandbox', '--reason', 'renewal']);
  const told = await renew();
  if (told.status === 0 || !told.problem.startsWith('rotation_in_progress')) return told;
  // Two certificates at most (CA-02): the one before the last gives way.
  await platformCommand(places, ['client', 'finish-renewal', bank, client, '--by', 'sandbox']);
  return renew();
}

function clientOf(text: string): string {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'client_id' in value) return String(value.client_id);
  throw new Error('a registration without client_id');
}

function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw cause;
  });
}

function serialOf(pem: string): string {
  return new X509Certificate(pem).serialNumber;
}
