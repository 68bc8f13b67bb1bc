import { join } from 'node:path';
import { type Authority, keepIdentity } from '../authority/authority.ts';
import {
  alternativeNames,
  extendedKeyUsage,
  keyUsage,
  leafConstraints,
  type Purpose,
} from '../authority/extensions.ts';
import { gatewayIdentity } from '../authority/identities.ts';
import type { Places } from '../places.ts';
import type { Identities } from './callers.ts';

/** Where everything of a bank's consent store lies. */
export interface StoreFiles {
  readonly server: { readonly certificate: string; readonly key: string };
  /** As whom the store calls the platform back. */
  readonly callback: { readonly certificate: string; readonly key: string };
  /** As whom the bank's staff call the store. */
  readonly staff: { readonly certificate: string; readonly key: string };
  readonly consents: string;
}

/** The files of a bank's consent store. */
export function storeFilesOf(places: Places, bank: string): StoreFiles {
  const pair = (name: string) => ({
    certificate: join(places.banks, bank, `${name}.pem`),
    key: join(places.banks, bank, `${name}.key`),
  });
  return {
    server: pair('consent-store'),
    callback: pair('consent-callback'),
    staff: pair('staff'),
    consents: join(places.banks, bank, 'consents.sqlite'),
  };
}

/** The names by which the store knows its callers. */
export function identitiesOf(bank: string): Identities {
  return { platform: gatewayIdentity, bank: `urn:portcullis:bank:${bank}:staff` };
}

const LOCAL_HOSTS = ['localhost', '127.0.0.1', '::1'];
const DAYS = 397;

/** Certificates of the internal authority, which no participant's certificate leads to (N-04); what is there and good stays. */
export async function keepStoreIdentities(
  places: Places,
  bank: string,
  authority: Authority,
  now: Date,
): Promise<void> {
  const files = storeFilesOf(places, bank);
  const keep = (
    { certificate: path, key: keyPath }: StoreFiles['server'],
    commonName: string,
    purpose: Purpose,
    names: Parameters<typeof alternativeNames>[0],
  ) =>
    keepIdentity(
      {
        path,
        keyPath,
        kind: 'ec',
        subject: { country: 'XX', organisation: 'Portcullis Sandbox', commonName },
        extensions: [
          leafConstraints(),
          keyUsage(['digitalSignature']),
          ...extendedKeyUsage([purpose]),
          ...alternativeNames(names),
        ],
        days: DAYS,
        issuer: authority.internal,
      },
      now,
    );
  const uris = (...values: readonly string[]) => ({ hosts: [], uris: values });
  await keep(files.server, `${bank} consent store`, 'serverAuth', { hosts: LOCAL_HOSTS, uris: [] });
  await keep(files.callback, `${bank} consent store`, 'clientAuth', uris(`urn:portcullis:bank:${bank}:consent-store`));
  await keep(files.staff, `${bank} staff`, 'clientAuth', uris(identitiesOf(bank).bank));
}
