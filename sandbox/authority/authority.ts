import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { type Issuer, issueCertificate, type Subject } from './certificate.ts';
import { authorityConstraints, type KeyUsage, keyUsage } from './extensions.ts';
import { readIfThere, writePublic } from './files.ts';
import { type KeyKind, openKey } from './keys.ts';

const DAY_MS = 86_400_000;
/** A certificate this near its end is made anew at the next start (N-277). */
export const RENEWAL_MS = 7 * DAY_MS;
/** Certificates begin a little before they are made, for machines whose clocks differ. */
const BACKDATE_MS = 3_600_000;
const ROOT_DAYS = 3_650;
const ISSUING_DAYS = 1_825;

/** The two authorities: what participants and browsers trust, and what connects the platform with the banks behind it. */
export interface Authority {
  /** Issues to participants and for every door that a browser or participant sees. */
  readonly issuing: Issuer;
  /** The PEM that a server or participant sends along with its own certificate. */
  readonly issuingCertificate: string;
  /** Issues to the platform and the banks alone; no participant's certificate leads here (N-04). */
  readonly internal: Issuer;
}

/** What a certificate is made of, apart from its dates and issuer. */
export interface CertificatePlan {
  readonly path: string;
  readonly subject: Subject;
  readonly extensions: readonly Uint8Array[];
  readonly days: number;
  readonly issuer: Issuer;
  /** Written behind the certificate. */
  readonly chain?: string;
}

/** Opens the authorities of a directory; what is missing or runs out is made, keys stay (N-277). */
export async function openAuthority(directory: string, now: Date): Promise<Authority> {
  const root = await openIssuer(directory, 'root', 'Portcullis Sandbox Root', now);
  const issuing = await openIssuer(directory, 'issuing', 'Portcullis Sandbox Issuing CA', now, root.issuer);
  const internal = await openIssuer(directory, 'internal', 'Portcullis Sandbox Internal CA', now);
  return {
    issuing: issuing.issuer,
    issuingCertificate: issuing.certificate,
    internal: internal.issuer,
  };
}

interface OpenIssuer {
  readonly issuer: Issuer;
  readonly certificate: string;
}

async function openIssuer(
  directory: string,
  name: string,
  commonName: string,
  now: Date,
  parent?: Issuer,
): Promise<OpenIssuer> {
  const { privateKey, publicKey } = await openKey(join(directory, `${name}.key`), 'ec');
  const subject: Subject = { country: 'XX', organisation: 'Portcullis Sandbox', commonName };
  const issuer: Issuer = { subject, key: privateKey };
  const usages: readonly KeyUsage[] = ['keyCertSign', 'cRLSign'];
  const plan: CertificatePlan = {
    path: join(directory, `${name}.pem`),
    subject,
    extensions: [authorityConstraints(parent === undefined && name === 'root' ? undefined : 0), keyUsage(usages)],
    days: parent === undefined ? ROOT_DAYS : ISSUING_DAYS,
    issuer: parent ?? issuer,
  };
  await keepCertificate(plan, publicKey, now);
  const certificate = await readIfThere(plan.path);
  if (certificate === undefined) throw new Error(`${plan.path} vanished while it was being made`);
  return { issuer, certificate };
}

/** Keeps a certificate for a key, or makes one; true when one was replaced that others may have taken note of. */
export async function keepCertificate(plan: CertificatePlan, publicKey: KeyObject, now: Date): Promise<boolean> {
  const kept = await readIfThere(plan.path);
  if (kept !== undefined && stillGood(kept, publicKey, plan.issuer, now)) {
    // The issuing certificate may have been renewed meanwhile: what is sent along follows it.
    const current = withChain(new X509Certificate(kept).toString(), plan);
    if (current !== kept) await writePublic(plan.path, current);
    return false;
  }
  const certificate = issueCertificate({
    subject: plan.subject,
    publicKey,
    issuer: plan.issuer,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + plan.days * DAY_MS),
    extensions: plan.extensions,
  });
  await writePublic(plan.path, withChain(certificate, plan));
  return kept !== undefined;
}

/** The key and certificate of a server or client, both kept beside each other; true when the certificate was replaced. */
export async function keepIdentity(
  plan: CertificatePlan & { readonly keyPath: string; readonly kind: KeyKind },
  now: Date,
): Promise<boolean> {
  const { publicKey } = await openKey(plan.keyPath, plan.kind);
  return keepCertificate(plan, publicKey, now);
}

/** Valid now and for the next days, for this key, from this issuer. */
function stillGood(pem: string, publicKey: KeyObject, issuer: Issuer, now: Date): boolean {
  const certificate = new X509Certificate(pem);
  return (
    certificate.validFromDate <= now &&
    certificate.validToDate.getTime() - now.getTime() > RENEWAL_MS &&
    certificate.publicKey.equals(publicKey) &&
    certificate.verify(createPublicKey(issuer.key))
  );
}

function withChain(certificate: string, plan: CertificatePlan): string {
  return `${certificate.trimEnd()}\n${plan.chain ?? ''}`;
}
