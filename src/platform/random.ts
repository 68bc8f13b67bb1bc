import { hash, randomBytes, randomUUID } from 'node:crypto';

/** A value nobody can guess: `bytes` random octets as base64url (32 octets = 256 bits = 43 characters). */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/** A random UUID, version 4, as `x-fapi-interaction-id` and record ids use it. */
export function uuid(): string {
  return randomUUID();
}

/** SHA-256 of a text or octets as unpadded base64url: 43 characters, the form of `x5t#S256` (RFC 8705 §3.1). */
export function sha256(value: string | Uint8Array): string {
  return hash('sha256', value, 'base64url');
}
