import { join } from 'node:path';
import { readable, readIfThere, writeSecret } from '../authority/files.ts';
import { defaultRedirectUri } from '../authority/participants.ts';
import type { Places } from '../places.ts';
import { platformCommand } from '../platform-command.ts';
import { openWire, trustedRoot, type Wire } from './wire.ts';

/** The lab's bank and whose clients it uses. */
export const LAB_BANK = 'labbank';
export const LAB_PARTICIPANT = 'financroo';

/** A client of Lab Bank with the secret that was shown once. */
export interface LabClient {
  readonly client_id: string;
  readonly client_secret: string;
}

interface LabClientPlan {
  readonly id: string;
  readonly options: readonly string[];
}

/** The machine client of the lab (LAB-07) and the app a customer uses in labs 1 and 2 (LAB-03). */
export const labClients = {
  machine: { id: 'openbanking-tpp-client', options: ['--scopes', 'payments.create'] },
  customer: { id: 'customer-app', options: ['--scopes', 'accounts', '--redirect-uri', defaultRedirectUri] },
} as const satisfies Readonly<Record<string, LabClientPlan>>;

/**
 * Makes the lab's clients where Lab Bank does not know them, at its first start or after its database was lost (N-281). The
 * secrets are kept in files that only the owner reads.
 */
export async function keepLabClients(places: Places, plainOrigin: string): Promise<void> {
  const wire = openWire(await trustedRoot(places), undefined, () => undefined);
  try {
    for (const plan of Object.values(labClients)) {
      const kept = await readIfThere(fileOf(places, plan.id));
      const known = kept !== undefined && (await isKnown(wire, plainOrigin, parseClient(kept)));
      if (!known) await makeLabClient(places, plan);
    }
  } finally {
    await wire.close();
  }
}

/** Revoking a token nobody has changes nothing, and is answered to a client that authenticates (RFC 7009 §2.2). */
async function isKnown(wire: Wire, plainOrigin: string, client: LabClient): Promise<boolean> {
  const { status } = await wire.send(`${plainOrigin}/${LAB_BANK}/revoke`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...client, token: 'nobody-has-this' }).toString(),
  });
  return status === 200;
}

/** The kept client. @throws Error when there is none */
export async function findLabClient(places: Places, plan: LabClientPlan): Promise<LabClient> {
  const kept = await readIfThere(fileOf(places, plan.id));
  if (kept === undefined) throw new Error(`${plan.id} is not there: start the sandbox once more`);
  return parseClient(kept);
}

/** Where a client's secret is kept. */
export function fileOf(places: Places, id: string): string {
  return join(places.sandbox, 'lab', `${id}.json`);
}

async function makeLabClient(places: Places, plan: LabClientPlan): Promise<void> {
  const words = ['client', 'create', LAB_BANK, '--participant', LAB_PARTICIPANT, '--id', plan.id, ...plan.options];
  const told = await platformCommand(places, words);
  if (told.status !== 0) throw new Error(`Lab Bank made no client ${plan.id}: ${told.output || told.problem}`);
  await writeSecret(fileOf(places, plan.id), readable(parseClient(told.output)));
}

function parseClient(text: string): LabClient {
  const value: unknown = JSON.parse(text);
  if (isClient(value)) return { client_id: value.client_id, client_secret: value.client_secret };
  throw new Error('the platform gave no client with a secret');
}

function isClient(value: unknown): value is LabClient {
  return (
    typeof value === 'object' &&
    value !== null &&
    'client_id' in value &&
    typeof value.client_id === 'string' &&
    'client_secret' in value &&
    typeof value.client_secret === 'string'
  );
}
