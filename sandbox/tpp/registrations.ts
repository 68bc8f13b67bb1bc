import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientMetadata } from 'openid-client';
import { readable, readIfThere, writeSecret } from '../authority/files.ts';
import type { Places } from '../places.ts';
import { openWire, transportIdentity, trustedRoot, type Wire } from './wire.ts';

const FORGOTTEN = 'does not know {client} any more: it registers anew when it is used';
const UNREACHABLE = 'did not answer for {client}: it is asked again when it is used';

/** How a client proves that it is itself. */
export type Authentication = 'private_key_jwt' | 'tls_client_auth';

/** A registration as `clients/<bank>.json` has it. */
export interface Registration {
  readonly client_id: string;
  readonly token_endpoint_auth_method: Authentication;
  readonly registration_client_uri?: string;
  readonly registration_access_token?: string;
  readonly [member: string]: unknown;
}

/** Where a participant keeps its registration at a bank. */
export function clientFile(places: Places, name: string, bank: string): string {
  return join(places.participants, name, 'clients', `${bank}.json`);
}

/** The kept registration, whether the bank still knows it or not. */
export async function findRegistration(places: Places, name: string, bank: string): Promise<Registration | undefined> {
  const kept = await readIfThere(clientFile(places, name, bank));
  return kept === undefined ? undefined : parseRegistration(kept);
}

/**
 * Shows every bank the certificate its clients have now: a renewed one becomes the client's by an update of the registration
 * (RFC 7592 §2.2, CA-18), so that renewal loses none (N-277). A sandbox whose ports moved is asked where it is now (`mtls`).
 * Gives a note for each one that a bank does not know any more, or that could not be asked.
 */
export async function keepRegistrations(places: Places, mtls: string): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const name of await readdir(places.participants)) {
    const files = await readdir(join(places.participants, name, 'clients')).catch(() => []);
    if (files.length === 0) continue;
    const wire = openWire(await trustedRoot(places), await transportIdentity(places, name), () => undefined);
    try {
      for (const file of files.filter((candidate) => candidate.endsWith('.json'))) {
        const bank = file.slice(0, -'.json'.length);
        const keep = () => keepRegistration(places, name, bank, mtls, wire);
        // A platform that has just come up may be slow once.
        const problem = await keep()
          .catch(keep)
          .catch(() => UNREACHABLE);
        if (problem !== undefined) notes.push(`${bank} ${problem}`.replace('{client}', `the client of ${name}`));
      }
    } finally {
      await wire.close();
    }
  }
  return notes;
}

/** What is wrong with a registration; undefined when it stands. */
async function keepRegistration(
  places: Places,
  name: string,
  bank: string,
  mtls: string,
  wire: Wire,
): Promise<string | undefined> {
  const kept = await findRegistration(places, name, bank);
  if (kept === undefined) return undefined;
  const registration = await moved(places, name, bank, kept, mtls);
  if (await isKnown(registration, wire)) return undefined;
  const { registration_client_uri: address, registration_access_token: token, client_id } = registration;
  if (address === undefined || token === undefined) return FORGOTTEN;
  const metadata = await metadataOf(places, name, registration.token_endpoint_auth_method, grantTypesOf(registration));
  const answer = await wire.send(address, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...metadata, client_id }),
  });
  if (answer.status !== 200) return FORGOTTEN;
  // Members the answer leaves out have not changed.
  const renewed = parseRegistration(JSON.stringify({ ...registration, ...JSON.parse(answer.responseBody) }));
  await writeSecret(clientFile(places, name, bank), readable(renewed));
  return undefined;
}

/** The registration with its address at the sandbox's present port (ASK-03). */
async function moved(
  places: Places,
  name: string,
  bank: string,
  kept: Registration,
  mtls: string,
): Promise<Registration> {
  const address = kept.registration_client_uri === undefined ? null : URL.parse(kept.registration_client_uri);
  if (address === null || address.origin === mtls) return kept;
  const registration = { ...kept, registration_client_uri: `${mtls}${address.pathname}` };
  await writeSecret(clientFile(places, name, bank), readable(registration));
  return registration;
}

/** Of a third party that customers come to. */
const customersGrants: readonly string[] = ['authorization_code', 'refresh_token', 'client_credentials'];

/** A renewed client asks for what it had: a bank's own service has no customers. */
function grantTypesOf({ grant_types: kept }: Registration): readonly string[] {
  return Array.isArray(kept) ? kept.map(String) : customersGrants;
}

/** What a participant registers with: its software statement and how it will authenticate. */
export async function metadataOf(
  places: Places,
  name: string,
  authentication: Authentication,
  grantTypes: readonly string[] = customersGrants,
): Promise<Partial<ClientMetadata>> {
  const statement = await readFile(join(places.participants, name, 'software-statement.jwt'), 'utf8');
  return {
    software_statement: statement.trim(),
    token_endpoint_auth_method: authentication,
    ...(authentication === 'private_key_jwt'
      ? { token_endpoint_auth_signing_alg: 'PS256' }
      : { tls_client_auth_san_dns: `${name}.participants.portcullis.test` }),
    grant_types: [...grantTypes],
    response_types: grantTypes.includes('authorization_code') ? ['code'] : [],
    id_token_signed_response_alg: 'PS256',
    tls_client_certificate_bound_access_tokens: true,
    use_mtls_endpoint_aliases: true,
  };
}

/** A registration from JSON. @throws Error when it is none */
export function parseRegistration(text: string): Registration {
  const value: unknown = JSON.parse(text);
  if (isRegistration(value)) return value;
  throw new Error('the answer to the registration is no registration');
}

function isRegistration(value: unknown): value is Registration {
  return (
    typeof value === 'object' &&
    value !== null &&
    'client_id' in value &&
    typeof value.client_id === 'string' &&
    'token_endpoint_auth_method' in value &&
    (value.token_endpoint_auth_method === 'private_key_jwt' || value.token_endpoint_auth_method === 'tls_client_auth')
  );
}

/** A bank that lost its database has forgotten the client (N-281): RFC 7592 §2.1 tells. */
export async function isKnown(registration: Registration, wire: Wire): Promise<boolean> {
  const { registration_client_uri: address, registration_access_token: token } = registration;
  if (address === undefined || token === undefined) return true;
  const { status } = await wire.send(address, { headers: { authorization: `Bearer ${token}` } });
  return status === 200;
}
