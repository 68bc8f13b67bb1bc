import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Configuration,
  customFetch,
  discovery,
  dynamicClientRegistration,
  None,
  PrivateKeyJwt,
  TlsClientAuth,
} from 'openid-client';
import { readable, writeSecret } from '../authority/files.ts';
import type { Places } from '../places.ts';
import {
  type Authentication,
  clientFile,
  findRegistration,
  isKnown,
  metadataOf,
  parseRegistration,
  type Registration,
} from './registrations.ts';
import { type Exchange, fetchOver, openWire, transportIdentity, trustedRoot, type Wire } from './wire.ts';

/** A third party with its keys, certificates and connections. */
export interface ThirdParty {
  readonly name: string;
  /** With the transport certificate. */
  readonly wire: Wire;
  /** As a customer's browser: without one. */
  readonly browserWire: Wire;
  /** The client's stored registration at a bank, when the bank still knows it. */
  findRegistration(bank: string): Promise<Registration | undefined>;
  register(
    bank: string,
    issuer: string,
    authentication: Authentication,
    grantTypes?: readonly string[],
  ): Promise<Registration>;
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
  const root = await trustedRoot(places);
  const wire = openWire(root, await transportIdentity(places, name), listen);
  const browserWire = openWire(root, undefined, listen);
  const fetchOptions = { [customFetch]: fetchOver(wire) };
  return {
    name,
    wire,
    browserWire,
    findRegistration: async (bank) => {
      const registration = await findRegistration(places, name, bank);
      return registration !== undefined && (await isKnown(registration, wire)) ? registration : undefined;
    },
    register: async (bank, issuer, authentication, grantTypes) => {
      const metadata = await metadataOf(places, name, authentication, grantTypes);
      const config = await dynamicClientRegistration(new URL(issuer), metadata, None(), fetchOptions);
      const registration = parseRegistration(JSON.stringify(config.clientMetadata()));
      await writeSecret(clientFile(places, name, bank), readable(registration));
      return registration;
    },
    configure: async (issuer, registration) =>
      discovery(
        new URL(issuer),
        registration.client_id,
        { ...registration, use_mtls_endpoint_aliases: true },
        await authenticationOf(places, name, registration),
        fetchOptions,
      ),
    close: async () => {
      await Promise.all([wire.close(), browserWire.close()]);
    },
  };
}

async function authenticationOf(places: Places, name: string, registration: Registration) {
  if (registration.token_endpoint_auth_method === 'tls_client_auth') return TlsClientAuth();
  return PrivateKeyJwt(await signingKey(places, name));
}

/** The key with which a participant signs its client assertions. */
export async function signingKey(places: Places, name: string): Promise<{ key: CryptoKey; kid: string }> {
  const jwk = JSON.parse(await readFile(join(places.participants, name, 'signing.jwk.json'), 'utf8'));
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'RSA-PSS', hash: 'SHA-256' }, false, ['sign']);
  return { key, kid: jwk.kid };
}
