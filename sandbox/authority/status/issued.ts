import { X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readable, readIfThere, writeOnce, writePublic } from '../files.ts';

/** Reasons a certificate can be revoked for here, with their CRLReason numbers (RFC 5280 §5.3.1). Final ones only: no hold. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;

/** Why a certificate was revoked. */
export type RevocationReason = keyof typeof revocationReasons;

/** True for the name of a reason. */
export function isRevocationReason(name: unknown): name is RevocationReason {
  return typeof name === 'string' && Object.hasOwn(revocationReasons, name);
}

/** That a certificate was revoked. */
export interface Revocation {
  /** Upper-case hexadecimal. */
  readonly serial: string;
  readonly at: Date;
  readonly reason: RevocationReason;
}

/**
 * What one authority issued and revoked: a file for each certificate and one for each revocation, so that the running sandbox
 * and a command beside it never write over each other. Nothing is kept in memory: a revocation counts from the next question on.
 */
export interface IssuedBook {
  /** Enters a certificate, as PEM. */
  enter(certificate: string): Promise<void>;
  /** Was this serial number issued here? */
  knows(serial: string): Promise<boolean>;
  findRevocation(serial: string): Promise<Revocation | undefined>;
  /** False when it was revoked before: the first reason stays. @throws Error when it was not issued here */
  revoke(revocation: Revocation): Promise<boolean>;
  /** Every revocation, by serial number. */
  revocations(): Promise<readonly Revocation[]>;
}

/** Twenty octets and one for the sign (RFC 5280 §4.1.2.2): what a file's name may be made of. */
const SERIAL = /^[0-9A-F]{2,42}$/;

/** The book of an authority below the authority's directory. */
export function openBook(directory: string, authority: string): IssuedBook {
  const issued = join(directory, 'issued', authority);
  const revoked = join(directory, 'revoked', authority);
  const knows = async (serial: string) =>
    SERIAL.test(serial) && (await readIfThere(join(issued, `${serial}.json`))) !== undefined;
  const findRevocation = async (serial: string): Promise<Revocation | undefined> => {
    if (!SERIAL.test(serial)) return undefined;
    const text = await readIfThere(join(revoked, `${serial}.json`));
    return text === undefined ? undefined : { serial, ...parse(text) };
  };
  return {
    knows,
    findRevocation,
    enter: async (certificate) => {
      const { serialNumber, subject, validFrom, validTo } = new X509Certificate(certificate);
      const entry = { subject: subject.replaceAll('\n', ', '), validFrom, validTo };
      await writePublic(join(issued, `${serialNumber}.json`), readable(entry));
    },
    revoke: async ({ serial, at, reason }) => {
      if (!(await knows(serial))) throw new Error(`the authority ${authority} issued no certificate ${serial}`);
      return writeOnce(join(revoked, `${serial}.json`), readable({ at: at.toISOString(), reason }));
    },
    revocations: async () => {
      const serials = (await namesIn(revoked)).map((name) => name.slice(0, -'.json'.length));
      const found = await Promise.all(serials.filter((serial) => SERIAL.test(serial)).map(findRevocation));
      return found.filter((revocation) => revocation !== undefined);
    },
  };
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json')).toSorted();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw cause;
  }
}

/** @throws Error for a file somebody damaged: no answer is better than "good" */
function parse(text: string): Omit<Revocation, 'serial'> {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'at' in value && 'reason' in value) {
    const at = new Date(String(value.at));
    if (isRevocationReason(value.reason) && !Number.isNaN(at.getTime())) return { at, reason: value.reason };
  }
  throw new Error('a revocation that cannot be read');
}
