import { createHash, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import { type Authority, type CertificatePlan, keepCertificate, keepIdentity } from './authority.ts';
import { type DirectorySigner, signStatement, softwareIdOf } from './directory.ts';
import { alternativeNames, extendedKeyUsage, keyUsage, leafConstraints, participantStatements } from './extensions.ts';
import { readable, writePublic, writeSecret } from './files.ts';
import { openKey } from './keys.ts';
import type { CompetentAuthority, QcType, Role } from './roles.ts';

/** Standing of a participant in the directory. */
export type Status = 'pending' | 'approved' | 'suspended' | 'rejected' | 'removed';

/** A participant as the directory has it; the platform imports these. */
export interface DirectoryEntry {
  readonly id: string;
  readonly name: string;
  /** Authorisation number: `PSDXX-SANDBOX-…`. */
  readonly registrationNumber: string;
  readonly email: string;
  readonly phone: string;
  readonly roles: readonly Role[];
  readonly status: Status;
}

/** A participant to be equipped. */
export interface ParticipantPlan {
  readonly entry: DirectoryEntry;
  readonly clientName: string;
  readonly redirectUris: readonly string[];
}

/** Who equips participants, and where. */
export interface Equipment {
  /** The directory `participants/`. */
  readonly directory: string;
  readonly authority: Authority;
  readonly signer: DirectorySigner;
  readonly now: Date;
}

const COMPETENT_AUTHORITY: CompetentAuthority = { name: 'Portcullis Sandbox Authority', id: 'XX-SANDBOX' };
const PARTICIPANT_DAYS = 365;

/** Names become directories, host names and ids. */
const NAME = /^[a-z][a-z0-9-]{1,30}$/;

/** True for a name that a participant can have. */
export function isParticipantName(name: string): boolean {
  return NAME.test(name) && !name.endsWith('-');
}

/** By this name the demo third party stands in the directory. */
export const demoParticipant = 'financroo';

/** Where the demo third party takes customers back. */
export const defaultRedirectUri = 'https://localhost:8091/callback';

/** A participant by name, with everything else made up from it, always the same. */
export function planParticipant(
  name: string,
  roles: readonly Role[],
  options: { readonly status?: Status; readonly redirectUris?: readonly string[]; readonly title?: string } = {},
): ParticipantPlan {
  const title = options.title ?? name.charAt(0).toUpperCase() + name.slice(1);
  const number = createHash('sha256').update(name).digest().readUInt32BE(0) % 1_000_000;
  return {
    clientName: title,
    redirectUris: options.redirectUris ?? [defaultRedirectUri],
    entry: {
      id: name,
      name: `${title} Ltd`,
      registrationNumber: `PSDXX-SANDBOX-${String(number).padStart(6, '0')}`,
      email: `compliance@${name}.example`,
      phone: '+44 20 7946 0000',
      roles,
      status: options.status ?? 'approved',
    },
  };
}

/** By this name a bank itself stands in the directory: its own services and staff come with this entry's certificate. */
export function coreParticipantOf(bank: string): string {
  return `${bank}-core`;
}

/** A bank's own entry: role ASPSP, no customers are ever sent back to it. */
export function planBank(bank: string): ParticipantPlan {
  const title = `${bank.charAt(0).toUpperCase()}${bank.slice(1)} core services`;
  return planParticipant(coreParticipantOf(bank), ['ASPSP'], { title, redirectUris: [] });
}

/** The participants of a fresh sandbox (design §6). */
export const firstParticipants: readonly ParticipantPlan[] = [
  planParticipant(demoParticipant, ['AISP', 'PISP', 'CBPII']),
  planParticipant('paymate', ['PISP'], { title: 'PayMate' }),
  planParticipant('suspendedpay', ['AISP'], { title: 'SuspendedPay', status: 'suspended' }),
];

/**
 * Keys, certificates and a fresh software statement of a participant; keys stay, certificates that run out are made anew.
 * True when a transport certificate was replaced: the banks have to hear of it.
 */
export async function equipParticipant(plan: ParticipantPlan, equipment: Equipment): Promise<boolean> {
  const directory = join(equipment.directory, plan.entry.id);
  const renewed = await keepIdentity(
    {
      ...certificatePlan(plan, equipment, 'web', join(directory, 'transport.pem')),
      keyPath: join(directory, 'transport.key'),
      kind: 'rsa',
    },
    equipment.now,
  );
  const signing = await keepSigning(plan, equipment, directory);
  const statement = await signStatement(
    {
      id: softwareIdOf(plan.entry.id),
      clientName: plan.clientName,
      organisation: plan.entry.id,
      organisationName: plan.entry.name,
      roles: plan.entry.roles,
      redirectUris: plan.redirectUris,
      keys: [signing],
    },
    equipment.signer,
    equipment.now,
  );
  await writePublic(join(directory, 'software-statement.jwt'), `${statement}\n`);
  return renewed;
}

/** The signing key as PEM, certificate and private JWK; gives the public JWK. */
async function keepSigning(plan: ParticipantPlan, equipment: Equipment, directory: string): Promise<JWK> {
  const path = join(directory, 'signing.pem');
  const { privateKey, publicKey } = await openKey(join(directory, 'signing.key'), 'rsa');
  await keepCertificate(certificatePlan(plan, equipment, 'eseal', path), publicKey, equipment.now);
  const published = await publicJwk(publicKey);
  const secret = { ...(await exportJWK(privateKey)), kid: published.kid, use: 'sig', alg: published.alg };
  await writeSecret(join(directory, 'signing.jwk.json'), readable(secret));
  return published;
}

/** RSA with PS256: the algorithm that every profile knows. */
async function publicJwk(publicKey: KeyObject): Promise<JWK> {
  const jwk = await exportJWK(publicKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: 'PS256' };
}

/** What a participant's certificate is made of: `web` for the connection, `eseal` for signatures. */
export function certificatePlan(
  plan: ParticipantPlan,
  equipment: Equipment,
  type: QcType,
  path: string,
): CertificatePlan {
  const { entry } = plan;
  return {
    path,
    subject: {
      country: 'XX',
      organisation: entry.name,
      organisationIdentifier: entry.registrationNumber,
      commonName: entry.id,
    },
    extensions: [
      leafConstraints(),
      ...purposeOf(type, entry.id),
      participantStatements(type, entry.roles, COMPETENT_AUTHORITY),
    ],
    days: PARTICIPANT_DAYS,
    issuer: equipment.authority.issuing,
    chain: equipment.authority.issuingCertificate,
  };
}

/** A seal is no client certificate: it has no purpose and may sign lasting documents (certificates.md §8.5). */
function purposeOf(type: QcType, name: string): readonly Uint8Array[] {
  return type === 'web'
    ? [
        keyUsage(['digitalSignature']),
        ...extendedKeyUsage(['clientAuth']),
        ...alternativeNames({ hosts: [`${name}.participants.portcullis.test`], uris: [] }),
      ]
    : [keyUsage(['digitalSignature', 'nonRepudiation'])];
}
