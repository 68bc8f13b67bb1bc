import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Places } from '../places.ts';
import { openAuthority } from './authority.ts';
import { readIfThere } from './files.ts';
import { forgetAnswers, requirePlan, requireRunning } from './running.ts';
import { type IssuedBook, isRevocationReason, type RevocationReason, revocationReasons } from './status/issued.ts';

/** How it is asked for. */
export const REVOKE_USAGE = 'npm run participant -- revoke <name> [--reason keyCompromise] [--seal]';

/** Whose certificates are revoked, and why. */
export interface RevocationOrder {
  readonly name: string;
  readonly reason: RevocationReason;
  /** The seal too, whose key is another one. */
  readonly seal: boolean;
}

/** The order that a command line gives, behind the word `revoke`. @throws Error that says what to write instead */
export function revocationOf(words: readonly string[]): RevocationOrder {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { reason: { type: 'string', default: 'unspecified' }, seal: { type: 'boolean', default: false } },
  });
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new Error(`one name, please: ${REVOKE_USAGE}`);
  const { reason, seal } = values;
  if (isRevocationReason(reason)) return { name, reason, seal };
  throw new Error(`--reason takes one of ${Object.keys(revocationReasons).join(', ')}`);
}

/**
 * Revokes every transport certificate of a participant that still counts, and its seal where that is asked for: responder and list say so from now on, and the running platform
 * asks them anew. Gives the lines to print.
 * @throws Error for an unknown name, for one without a certificate that counts, and when the sandbox does not run
 */
export async function revokeParticipant(
  places: Places,
  { name, reason, seal }: RevocationOrder,
  now: Date,
): Promise<readonly string[]> {
  await requireRunning(places);
  const plan = await requirePlan(places, name);
  const { issuing } = await openAuthority(places.authority, now);
  const spared = seal ? undefined : await serialIn(join(places.participants, plan.entry.id, 'signing.pem'));
  const revoked: string[] = [];
  for (const serial of await issuing.book.issuedTo(plan.entry.id, now)) {
    if (serial === spared) continue;
    if (await issuing.book.revoke({ serial, at: now, reason })) revoked.push(serial);
  }
  if (revoked.length === 0) throw new Error(await alreadyRevoked(places, name, issuing.book));
  return [
    ...revoked.map((serial) => `${name}: the certificate with serial number ${serial} is revoked: ${reason}`),
    `the authority says so already: ${issuing.status?.ocsp}, ${issuing.status?.crl}`,
    await forgetAnswers(places),
    `new ones: npm run participant -- renew ${name}`,
  ];
}

async function alreadyRevoked(places: Places, name: string, book: IssuedBook): Promise<string> {
  const serial = await serialIn(join(places.participants, name, 'transport.pem'));
  const found = serial === undefined ? undefined : await book.findRevocation(serial);
  const since = found === undefined ? '' : ` (${found.reason}, ${found.at.toISOString()})`;
  return `every certificate of ${name} was revoked already${since}: npm run participant -- renew ${name} makes new ones`;
}

async function serialIn(path: string): Promise<string | undefined> {
  const pem = await readIfThere(path);
  return pem === undefined ? undefined : new X509Certificate(pem).serialNumber;
}
