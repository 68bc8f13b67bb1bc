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
  /** Serial numbers of certificates with this common name that have not ended. */
  issuedTo(commonName: string, now: Date): Promise<readonly string[]>;
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
      const { serialNumber, subject, validToDate } = new X509Certificate(certificate);
      const [, commonName] = /^CN=(.+)$/m.exec(subject) ?? [];
      await writePublic(
        join(issued, `${serialNumber}.json`),
        readable({ commonName, notAfter: validToDate.toISOString() }),
      );
    },
    revoke: async ({ serial, at, reason }) => {
      if (!(await knows(serial))) throw new Error(`the authority ${authority} issued no certificate ${serial}`);
      return writeOnce(join(revoked, `${serial}.json`), readable({ at: at.toISOString(), reason }));
    },
    issuedTo: async (commonName, now) => {
      const serials = await serialsIn(issued);
      const texts = await Promise.all(serials.map((serial) => readIfThere(join(issued, `${serial}.json`))));
      return serials.filter((_, index) => isHeld(texts[index], commonName, now));
    },
    revocations: async () => {
      const found = await Promise.all((await serialsIn(revoked)).map(findRevocation));
      return found.filter((revocation) => revocation !== undefined);
    },
  };
}

function isHeld(entry: string | undefined, commonName: string, now: Date): boolean {
  const value: unknown = entry === undefined ? undefined : JSON.parse(entry);
  if (typeof value !== 'object' || value === null || !('commonName' in value) || !('notAfter' in value)) return false;
  return value.commonName === commonName && new Date(String(value.notAfter)) > now;
}

/** Drafts of files that are just being written are none. */
async function serialsIn(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory);
    const serials = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    return serials.filter((serial) => SERIAL.test(serial)).toSorted();
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
