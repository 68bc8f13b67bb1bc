import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere } from './authority/files.ts';
import type { Places } from './places.ts';
import { platformCommand } from './platform-command.ts';

const DAY_MS = 86_400_000;
/** From here on the start page warns (N-277). */
const WARNING_DAYS = 30;

/**
 * Tells the banks of renewed transport certificates, so that registrations are kept (N-277, CA-18). Gives a line per
 * participant for the start page.
 */
export async function rebindRenewed(places: Places, renewed: readonly string[]): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const participant of renewed) {
    const failures: string[] = [];
    const clients = await registeredClients(places, participant);
    for (const { bank, client } of clients) {
      const file = join(places.participants, participant, 'transport.pem');
      const told = await platformCommand(places, ['client', 'rebind', bank, client, file]);
      if (told.status !== 0) failures.push(`${bank}: ${told.problem || told.output}`);
    }
    notes.push(
      failures.length === 0
        ? `the certificates of ${participant} ran out and were renewed; ${clients.length} registration(s) kept`
        : `the certificates of ${participant} were renewed, but not every bank took note: ${failures.join('; ')}`,
    );
  }
  return notes;
}

/** A participant's registrations, as `clients/<bank>.json` have them. */
async function registeredClients(
  places: Places,
  participant: string,
): Promise<readonly { readonly bank: string; readonly client: string }[]> {
  const directory = join(places.participants, participant, 'clients');
  const files = await readdir(directory).catch(() => []);
  const read = files
    .filter((file) => file.endsWith('.json'))
    .map(async (file) => {
      const value: unknown = JSON.parse(await readFile(join(directory, file), 'utf8'));
      const known = typeof value === 'object' && value !== null && 'client_id' in value;
      return known && typeof value.client_id === 'string'
        ? [{ bank: file.slice(0, -'.json'.length), client: value.client_id }]
        : [];
    });
  return (await Promise.all(read)).flat();
}

/** A warning for every certificate that ends within thirty days. */
export async function expiryWarnings(places: Places, now: Date): Promise<readonly string[]> {
  const participants = await readdir(places.participants);
  const files = [
    join(places.platform, 'server.pem'),
    join(places.platform, 'gateway.pem'),
    ...participants.map((name) => join(places.participants, name, 'transport.pem')),
  ];
  const warnings = await Promise.all(files.map((file) => warningFor(file, now)));
  return warnings.filter((warning) => warning !== undefined);
}

async function warningFor(file: string, now: Date): Promise<string | undefined> {
  const pem = await readIfThere(file);
  if (pem === undefined) return undefined;
  const days = Math.floor((new X509Certificate(pem).validToDate.getTime() - now.getTime()) / DAY_MS);
  if (days >= WARNING_DAYS) return undefined;
  return `${file} ends in ${days} day(s); a start within the last seven days renews it`;
}
