import { join } from 'node:path';
import type { Places } from '../places.ts';
import { type Authority, keepIdentity } from './authority.ts';
import { alternativeNames, extendedKeyUsage, keyUsage, leafConstraints, type Purpose } from './extensions.ts';

/** Every door of the sandbox is on this machine. */
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '::1'];
/** By this name, and nothing else, the banks know the platform (N-04). */
export const gatewayIdentity = 'urn:portcullis:gateway';
/** Long enough to be left alone, short enough that renewal is not a rare event. */
const SERVER_DAYS = 397;

/** Server certificates for every door, and the identity by which the platform calls the banks. */
export async function keepIdentities(
  places: Places,
  authority: Authority,
  banks: readonly string[],
  now: Date,
): Promise<void> {
  await Promise.all([
    keepServer(join(places.platform, 'server'), 'Portcullis', authority, now),
    keepGateway(join(places.platform, 'gateway'), authority, now),
    keepServer(join(places.financroo, 'server'), 'Financroo', authority, now),
    ...banks.map((bank) => keepBankServer(join(places.banks, bank, 'server'), bank, authority, now)),
  ]);
}

/** A certificate from the issuing authority for a door that browsers and participants see. */
export function keepServer(path: string, commonName: string, authority: Authority, now: Date): Promise<boolean> {
  return keepIdentity(
    {
      path: `${path}.pem`,
      keyPath: `${path}.key`,
      // RSA: the cipher suites of FAPI 1.0 know nothing else (certificates.md §10.3).
      kind: 'rsa',
      subject: { country: 'XX', organisation: 'Portcullis Sandbox', commonName },
      extensions: leafExtensions('serverAuth', LOCAL_HOSTS, []),
      days: SERVER_DAYS,
      issuer: authority.issuing,
      chain: authority.issuingCertificate,
    },
    now,
  );
}

function keepBankServer(path: string, bank: string, authority: Authority, now: Date): Promise<boolean> {
  return keepIdentity(
    {
      path: `${path}.pem`,
      keyPath: `${path}.key`,
      kind: 'rsa',
      subject: { country: 'XX', organisation: 'Portcullis Sandbox', commonName: `${bank} core` },
      extensions: leafExtensions('serverAuth', LOCAL_HOSTS, []),
      days: SERVER_DAYS,
      issuer: authority.internal,
    },
    now,
  );
}

function keepGateway(path: string, authority: Authority, now: Date): Promise<boolean> {
  return keepIdentity(
    {
      path: `${path}.pem`,
      keyPath: `${path}.key`,
      kind: 'ec',
      subject: { country: 'XX', organisation: 'Portcullis Sandbox', commonName: 'Portcullis gateway' },
      extensions: leafExtensions('clientAuth', [], [gatewayIdentity]),
      days: SERVER_DAYS,
      issuer: authority.internal,
    },
    now,
  );
}

function leafExtensions(purpose: Purpose, hosts: readonly string[], uris: readonly string[]): readonly Uint8Array[] {
  return [
    leafConstraints(),
    keyUsage(['digitalSignature']),
    ...extendedKeyUsage([purpose]),
    ...alternativeNames({ hosts, uris }),
  ];
}
