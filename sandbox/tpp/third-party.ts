import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ClientMetadata,
  type Configuration,
  customFetch,
  discovery,
  dynamicClientRegistration,
  None,
  PrivateKeyJwt,
  TlsClientAuth,
} from 'openid-client';
import { readable, readIfThere, writeSecret } from '../authority/files.ts';
import type { Places } from '../places.ts';
import type { Exchange } from './wire.ts';
import { fetchOver, openWire, transportIdentity, trustedRoot, type Wire } from './wire.ts';

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

/** A third party with its keys, certificates and connections. */
export interface ThirdParty {
  readonly name: string;
  /** With the transport certificate. */
  readonly wire: Wire;
  /** As a customer's browser: without one. */
  readonly browserWire: Wire;
  /** The client's stored registration at a bank, when the bank still knows it. */
  findRegistration(bank: string): Promise<Registration | undefined>;
  register(bank: string, issuer: string, authentication: Authentication): Promise<Registration>;
  /** The bank's metadata and this client, for openid-client. */
  configure(issuer: string, registration: Registration): Promise<Configuration>;
  close(): Promise<void>;
}

/** Opens a participant of the sandbox as a third party. */
export async function openThirdParty(
  places: Places,
  name: string,
  listen: (exchange: Exchange) => void,
): Promise<ThirdParty> {
  const directory = join(places.participants, name);
  const root = await trustedRoot(places);
  const wire = openWire(root, await transportIdentity(places, name), listen);
  const browserWire = openWire(root, undefined, listen);
  const fetchOptions = { [customFetch]: fetchOver(wire) };
  const clientFile = (bank: string) => join(directory, 'clients', `${bank}.json`);
  return {
    name,
    wire,
    browserWire,
    findRegistration: async (bank) => {
      const kept = await readIfThere(clientFile(bank));
      const registration = kept === undefined ? undefined : parseRegistration(kept);
      return registration !== undefined && (await isKnown(registration, wire)) ? registration : undefined;
    },
    register: async (bank, issuer, authentication) => {
      const statement = (await readFile(join(directory, 'software-statement.jwt'), 'utf8')).trim();
      const config = await dynamicClientRegistration(
        new URL(issuer),
        registrationOf(name, statement, authentication),
        None(),
        fetchOptions,
      );
      const registration = parseRegistration(JSON.stringify(config.clientMetadata()));
      await writeSecret(clientFile(bank), readable(registration));
      return registration;
    },
    configure: async (issuer, registration) =>
      discovery(
        new URL(issuer),
        registration.client_id,
        { ...registration, use_mtls_endpoint_aliases: true },
        await authenticationOf(directory, registration),
        fetchOptions,
      ),
    close: async () => {
      await Promise.all([wire.close(), browserWire.close()]);
    },
  };
}

function registrationOf(name: string, statement: string, authentication: Authentication): Partial<ClientMetadata> {
  return {
    software_statement: statement,
    token_endpoint_auth_method: authentication,
    ...(authentication === 'private_key_jwt'
      ? { token_endpoint_auth_signing_alg: 'PS256' }
      : { tls_client_auth_san_dns: `${name}.participants.portcullis.test` }),
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types: ['code'],
    id_token_signed_response_alg: 'PS256',
    tls_client_certificate_bound_access_tokens: true,
    use_mtls_endpoint_aliases: true,
  };
}

async function authenticationOf(directory: string, registration: Registration) {
  if (registration.token_endpoint_auth_method === 'tls_client_auth') return TlsClientAuth();
  const jwk = JSON.parse(await readFile(join(directory, 'signing.jwk.json'), 'utf8'));
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'RSA-PSS', hash: 'SHA-256' }, false, ['sign']);
  return PrivateKeyJwt({ key, kid: jwk.kid });
}

function parseRegistration(text: string): Registration {
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
async function isKnown(registration: Registration, wire: Wire): Promise<boolean> {
  const { registration_client_uri: address, registration_access_token: token } = registration;
  if (address === undefined || token === undefined) return true;
  const { status } = await wire.send(address, { headers: { authorization: `Bearer ${token}` } });
  return status === 200;
}
