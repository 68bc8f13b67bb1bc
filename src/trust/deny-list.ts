import { sha256 } from '../platform/random.ts';
import { nameKey } from './name.ts';
import { parseNameText } from './name-text.ts';
import { type Certificate, serialText } from './x509.ts';

/**
 * A certificate that never counts, whatever its authority says. By issuer and serial or by key, never by thumbprint: the
 * signature of an ECDSA certificate can be altered into another valid one (F7).
 */
export type DeniedCertificate =
  | { /** RFC 4514 text. */ readonly issuer: string /** Hexadecimal. */; readonly serial: string }
  | { /** SHA-256 of the SubjectPublicKeyInfo, base64url. */ readonly spkiSha256: string };

/** Keys of denied certificates. */
export type DenyList = ReadonlySet<string>;

const SERIAL = /^[0-9a-f]{1,40}$/;
const SPKI = /^[A-Za-z0-9_-]{43}$/;

/** @throws Error naming the entry that cannot be read: a denial that silently does nothing is worse than none */
export function compileDenyList(entries: readonly DeniedCertificate[]): DenyList {
  return new Set(
    entries.map((entry, index) => {
      try {
        return keyOf(entry);
      } catch (cause) {
        const problem = cause instanceof Error ? cause.message : 'it cannot be read';
        throw new Error(`trust scheme: denied ${index + 1}: ${problem}`, { cause });
      }
    }),
  );
}

/** One name for every way to write the same denial. @throws Error saying what is wrong with it */
export function denialId(entry: DeniedCertificate): string {
  return sha256(keyOf(entry));
}

function keyOf(entry: DeniedCertificate): string {
  if ('spkiSha256' in entry) {
    if (!SPKI.test(entry.spkiSha256)) throw new Error('spkiSha256 is not a SHA-256');
    return `key ${entry.spkiSha256}`;
  }
  const rdns = parseNameText(entry.issuer);
  const serial = normalSerial(entry.serial);
  if (rdns === undefined || !SERIAL.test(serial))
    throw new Error('issuer must be an RFC 4514 name and serial hexadecimal');
  return `serial ${nameKey(rdns)} ${serial}`;
}

/** True when both name the same certificates and keys. */
export function sameDenials(one: DenyList, other: DenyList): boolean {
  return one.size === other.size && [...one].every((key) => other.has(key));
}

/** As people copy serials: upper case, colons, leading zeros. */
function normalSerial(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[:\s]/g, '')
    .replace(/^0+(?=.)/, '');
}

/** True when the certificate, or its key, is denied. */
export function isDenied(list: DenyList, certificate: Certificate): boolean {
  if (list.size === 0) return false;
  const serial = normalSerial(serialText(certificate.serial));
  const byName = `serial ${nameKey(certificate.issuer.rdns)} ${serial}`;
  return list.has(byName) || list.has(`key ${certificate.spkiSha256}`);
}
