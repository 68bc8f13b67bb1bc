import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { type Issuer, issueCertificate, type Subject } from './certificate.ts';
import { authorityConstraints, type KeyUsage, keyUsage, type StatusAddresses } from './extensions.ts';
import { readIfThere, writePublic } from './files.ts';
import { type KeyKind, openKey } from './keys.ts';
import { keepStatusOrigin, statusAddressesOf } from './status/addresses.ts';
import { type IssuedBook, openBook } from './status/issued.ts';

const DAY_MS = 86_400_000;
/** A certificate this near its end is made anew at the next start (N-277). */
export const RENEWAL_MS = 7 * DAY_MS;
/** Certificates begin a little before they are made, for machines whose clocks differ. */
const BACKDATE_MS = 3_600_000;
const ROOT_DAYS = 3_650;
const ISSUING_DAYS = 1_825;

/** An authority of the sandbox: it remembers what it issued. */
export interface SandboxIssuer extends Issuer {
  /** Of its files: `root`, `issuing`, `internal`. */
  readonly name: string;
  readonly book: IssuedBook;
}

/** The authorities: what participants and browsers trust, and what connects the platform with the banks behind it. */
export interface Authority {
  /** Issues to the issuing authority alone. */
  readonly root: SandboxIssuer;
  /** Issues to participants and for every door that a browser or participant sees. */
  readonly issuing: SandboxIssuer;
  /** The PEM that a server or participant sends along with its own certificate. */
  readonly issuingCertificate: string;
  /** Issues to the platform and the banks alone; no participant's certificate leads here (N-04). */
  readonly internal: SandboxIssuer;
}

/** What a certificate is made of, apart from its dates and issuer. */
export interface CertificatePlan {
  readonly path: string;
  readonly subject: Subject;
  readonly extensions: readonly Uint8Array[];
  readonly days: number;
  readonly issuer: SandboxIssuer;
  /** Written behind the certificate. */
  readonly chain?: string;
}

/**
 * Opens the authorities of a directory; what is missing or runs out is made, keys stay (N-277). `origin` is where the status of
 * certificates is answered; without it, where it was at the last start.
 */
export async function openAuthority(directory: string, now: Date, origin?: string): Promise<Authority> {
  const status = await keepStatusOrigin(directory, origin);
  const open = (name: string, commonName: string, parent?: SandboxIssuer) =>
    openIssuer({ directory, name, commonName, parent, status: statusAddressesOf(status, name) }, now);
  const root = await open('root', 'Portcullis Sandbox Root');
  const issuing = await open('issuing', 'Portcullis Sandbox Issuing CA', root.issuer);
  const internal = await open('internal', 'Portcullis Sandbox Internal CA');
  return {
    root: root.issuer,
    issuing: issuing.issuer,
    issuingCertificate: issuing.certificate,
    internal: internal.issuer,
  };
}

interface IssuerPlan {
  readonly directory: string;
  readonly name: string;
  readonly commonName: string;
  readonly parent: SandboxIssuer | undefined;
  readonly status: StatusAddresses;
}

interface OpenIssuer {
  readonly issuer: SandboxIssuer;
  readonly certificate: string;
}

async function openIssuer({ directory, name, commonName, parent, status }: IssuerPlan, now: Date): Promise<OpenIssuer> {
  const { privateKey, publicKey } = await openKey(join(directory, `${name}.key`), 'ec');
  const subject: Subject = { country: 'XX', organisation: 'Portcullis Sandbox', commonName };
  // A root says nothing about itself: whoever trusts it was told so by other means.
  const issuer: SandboxIssuer = { name, subject, key: privateKey, book: openBook(directory, name) };
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
  return { issuer: { ...issuer, status }, certificate };
}

/** Keeps a certificate for a key, or makes one; true when one was replaced that others may have taken note of. */
export async function keepCertificate(plan: CertificatePlan, publicKey: KeyObject, now: Date): Promise<boolean> {
  const kept = await readIfThere(plan.path);
  if (kept !== undefined && (await stays(kept, publicKey, plan.issuer, now))) {
    // The issuing certificate may have been renewed meanwhile: what is sent along follows it.
    const current = withChain(new X509Certificate(kept).toString(), plan);
    if (current !== kept) await writePublic(plan.path, current);
    return false;
  }
  await writePublic(plan.path, await issue(plan, publicKey, now));
  return kept !== undefined;
}

/** A new certificate with what is sent along behind it, entered in the issuer's book before anybody can use it. */
export async function issue(plan: CertificatePlan, publicKey: KeyObject, now: Date): Promise<string> {
  const certificate = issueCertificate({
    subject: plan.subject,
    publicKey,
    issuer: plan.issuer,
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + plan.days * DAY_MS),
    extensions: plan.extensions,
  });
  await plan.issuer.book.enter(certificate);
  return withChain(certificate, plan);
}

/** The key and certificate of a server or client, both kept beside each other; true when the certificate was replaced. */
export async function keepIdentity(
  plan: CertificatePlan & { readonly keyPath: string; readonly kind: KeyKind },
  now: Date,
): Promise<boolean> {
  const { publicKey } = await openKey(plan.keyPath, plan.kind);
  return keepCertificate(plan, publicKey, now);
}

/**
 * A certificate for this key from this issuer stays while it is valid for some days more, is in the issuer's book and says where
 * its status is answered now: one of an older sandbox, or of other ports, is made anew. A revoked one stays whatever it says: only
 * `participant -- renew` replaces it.
 */
async function stays(pem: string, publicKey: KeyObject, issuer: SandboxIssuer, now: Date): Promise<boolean> {
  const certificate = new X509Certificate(pem);
  const ours = certificate.publicKey.equals(publicKey) && certificate.verify(createPublicKey(issuer.key));
  if (!ours) return false;
  if ((await issuer.book.findRevocation(certificate.serialNumber)) !== undefined) return true;
  return (
    certificate.validFromDate <= now &&
    certificate.validToDate.getTime() - now.getTime() > RENEWAL_MS &&
    (issuer.status === undefined || (await isAnswered(certificate, issuer.book, issuer.status)))
  );
}

async function isAnswered(
  { raw, serialNumber }: X509Certificate,
  book: IssuedBook,
  { ocsp, crl }: StatusAddresses,
): Promise<boolean> {
  return raw.includes(ocsp) && raw.includes(crl) && (await book.knows(serialNumber));
}

function withChain(certificate: string, plan: CertificatePlan): string {
  return `${certificate.trimEnd()}\n${plan.chain ?? ''}`;
}
