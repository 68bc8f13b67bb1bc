import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';
import { invalid } from './participant-fields.ts';

/** Client ids are ours or a regime's (a UUID, a software id): visible ASCII that needs no escaping in a form or a path. */
const CLIENT_ID = /^[A-Za-z0-9._~:-]{1,255}$/;
const BANK_ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Software ids of known directories are at most 36 characters; twice that leaves room. */
const SOFTWARE_ID = /^[\x21-\x7e]{1,72}$/;
/** SHA-256 as unpadded base64url (RFC 8705 §3.1). */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;
/** Any salted hash in its text form; a secret of 256 bits as base64url has 43 characters and no `$` or `:`. */
const SECRET_HASH = /^(?=.*[$:.])[\x21-\x7e]{44,512}$/;
/** Metadata with a full inline JWKS stays below 20 KiB; an answer of 64 KiB per client is what the cache can bear. */
const MAXIMUM_METADATA_BYTES = 65_536;
/** Nesting of RFC 7591 metadata is 4 (jwks, keys, key, x5c); deeper is an attack on the parser. */
const MAXIMUM_METADATA_DEPTH = 16;
/** Longer than a month is no rotation but two certificates. */
const MAXIMUM_OVERLAP_SECONDS = 31 * 24 * 60 * 60;
/** What RFC 7591 answers carry and a store must not: the secret and the management token. */
const SECRET_MEMBERS = ['client_secret', 'registration_access_token'] as const;
/** Private and symmetric parameters of a JWK (RFC 7518 §6.2.2, §6.3.2, §6.4). */
const PRIVATE_JWK_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** @throws Refusal `field_invalid` 400 when bank or client id have no form of one */
export function checkClientId(bank: string, id: string): void {
  if (!BANK_ID.test(bank)) throw invalid('bank', 'must be the id of a bank.');
  if (!CLIENT_ID.test(id)) throw invalid('client_id', 'must be 1 to 255 letters, digits and . _ ~ : -');
}

/** Whether these can be the ids of a bank and a client at all; what cannot needs no look into the database. */
export function isClientId(bank: string, id: string): boolean {
  return BANK_ID.test(bank) && CLIENT_ID.test(id);
}

/** @throws Refusal `field_invalid` 400 */
export function checkSoftwareId(softwareId: string | undefined): void {
  if (softwareId !== undefined && !SOFTWARE_ID.test(softwareId))
    throw invalid('software_id', 'must be 1 to 72 visible characters.');
}

/** @throws Refusal `field_invalid` 400 when it is not a SHA-256 thumbprint (CA-14) */
export function checkThumbprint(thumbprint: string): void {
  if (!THUMBPRINT.test(thumbprint))
    throw invalid('thumbprint', 'must be the SHA-256 of the certificate as 43 base64url characters.');
}

/** @throws Error when the value is not the salted hash of a secret: a secret in the clear must never reach the store (LAB-08) */
export function checkSecretHash(secretHash: string): void {
  if (!SECRET_HASH.test(secretHash)) throw new Error('a client secret must arrive as its salted hash');
}

/** @throws Refusal `field_invalid` 400 */
export function checkOverlap(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAXIMUM_OVERLAP_SECONDS)
    throw invalid('overlapSeconds', `must be a whole number from 0 to ${MAXIMUM_OVERLAP_SECONDS}.`);
}

/**
 * Metadata as the text that is stored: keys sorted at every level, so that the same metadata always give the same bytes.
 * @throws Refusal `field_invalid` 400 when it is too large or carries a secret or private key
 */
export function metadataText(metadata: Readonly<Record<string, unknown>>): string {
  const secret = SECRET_MEMBERS.find((member) => metadata[member] !== undefined);
  if (secret !== undefined) throw invalid(secret, 'does not belong into metadata.');
  checkPublicKeys(metadata.jwks);
  const canonical = JSON.stringify(sorted(metadata, 0));
  if (Buffer.byteLength(canonical) > MAXIMUM_METADATA_BYTES)
    throw new Refusal('field_invalid', 400, `The metadata is larger than ${MAXIMUM_METADATA_BYTES} bytes.`);
  return canonical;
}

/** Metadata as it is handed out: frozen at every level, because one answer serves many requests. */
export function metadataValue(stored: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(stored, (_key, member: unknown) => Object.freeze(member));
  if (!isRecord(value)) throw new Error('stored client metadata is not an object');
  return value;
}

function checkPublicKeys(jwks: unknown): void {
  if (jwks === undefined) return;
  const keys = isRecord(jwks) ? jwks.keys : undefined;
  if (!Array.isArray(keys) || !keys.every(isRecord)) throw invalid('jwks', 'must be a JWK Set (RFC 7517 §5).');
  if (keys.some((key) => PRIVATE_JWK_MEMBERS.some((member) => Object.hasOwn(key, member))))
    throw invalid('jwks', 'must hold public keys only; replace the key that was sent, it is no longer private.');
}

function sorted(value: unknown, depth: number): unknown {
  if (depth > MAXIMUM_METADATA_DEPTH) throw invalid('metadata', `is nested deeper than ${MAXIMUM_METADATA_DEPTH}.`);
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1));
  if (!isRecord(value)) return value;
  const keys = Object.keys(value).sort();
  // No prototype: a member called __proto__ is data here, and nothing else.
  const result: Record<string, unknown> = Object.create(null);
  for (const key of keys) result[key] = sorted(value[key], depth + 1);
  return result;
}
