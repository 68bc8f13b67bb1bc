import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueCertificate } from '../authority/certificate.ts';
import { newKeyPair, openKey, pemOfKey } from '../authority/keys.ts';
import { certificatePlan } from '../authority/participants.ts';
import { openEquipment } from '../authority/register.ts';
import { requirePlan } from '../authority/running.ts';
import type { Places } from '../places.ts';
import { type Identity, transportIdentity } from './wire.ts';

/** A certificate that no bank takes for a connection, and what it is refused for. */
export interface WrongCertificate {
  /** What is wrong with it, for the step's title. */
  readonly title: string;
  /** Undefined: no certificate at all. */
  readonly identity: Identity | undefined;
  readonly reason: string;
  /** What would have been right. */
  readonly remedy: string;
}

const DAY_MS = 86_400_000;

/** The mistakes of a first connection, made with the keys of a participant. */
export async function wrongCertificates(places: Places, name: string): Promise<readonly WrongCertificate[]> {
  return [
    {
      title: 'No certificate',
      identity: undefined,
      reason: 'certificate_missing',
      remedy: 'give the TLS client certificate and key: curl --cert transport.pem --key transport.key',
    },
    {
      title: 'A certificate the participant made itself',
      identity: await selfMade(name),
      reason: 'certificate_untrusted',
      remedy: 'use the one of the authority: it leads to a root that the bank trusts',
    },
    {
      title: 'A certificate whose time is over',
      identity: await expired(places, name),
      reason: 'certificate_expired',
      remedy: 'renew it: npm run participant -- renew <name>',
    },
    {
      title: 'The seal, which signs messages, instead of the transport certificate',
      identity: await seal(places, name),
      reason: 'certificate_wrong_purpose',
      remedy: 'use transport.pem: a seal never stands for a connection',
    },
  ];
}

async function selfMade(name: string): Promise<Identity> {
  const { privateKey, publicKey } = await newKeyPair('ec');
  const subject = { country: 'XX', organisation: `${name} Ltd`, commonName: name };
  const issuer = { subject, key: privateKey };
  const now = Date.now();
  const [notBefore, notAfter] = [new Date(now - DAY_MS), new Date(now + DAY_MS)];
  const certificate = issueCertificate({ subject, publicKey, issuer, notBefore, notAfter, extensions: [] });
  return { certificate, key: pemOfKey(privateKey) };
}

/** Over already when it is made: the authority's book has no use for it. */
async function expired(places: Places, name: string): Promise<Identity> {
  const now = new Date();
  const equipment = await openEquipment(places, now);
  const plan = certificatePlan(await requirePlan(places, name), equipment, 'web', '');
  const { privateKey, publicKey } = await openKey(join(places.participants, name, 'transport.key'), 'rsa');
  const [notBefore, notAfter] = [new Date(now.getTime() - 2 * DAY_MS), new Date(now.getTime() - DAY_MS)];
  const certificate = issueCertificate({ ...plan, publicKey, notBefore, notAfter });
  return { certificate: `${certificate}${plan.chain ?? ''}`, key: pemOfKey(privateKey) };
}

async function seal(places: Places, name: string): Promise<Identity> {
  const { certificate: transport } = await transportIdentity(places, name);
  const path = join(places.participants, name, 'signing');
  const [certificate, key] = await Promise.all([readFile(`${path}.pem`, 'utf8'), readFile(`${path}.key`, 'utf8')]);
  if (certificate === transport) throw new Error(`${path}.pem is the transport certificate`);
  return { certificate, key };
}
