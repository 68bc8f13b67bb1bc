import { isRecord } from '../platform/json.ts';

/** Characters of a presented token at most: one of ours is below 1,500, and headers end at 16,384. */
export const MAXIMUM_TOKEN = 8_192;
/** Characters of an opaque token or an id at most: the engine makes 43. */
const MAXIMUM_ID = 256;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** What a presented text can be; undefined when it can be no token of ours. */
export type Shape = 'opaque' | 'jwt' | undefined;

/**
 * Decides by form alone, strictly (N-40): base64url without padding (RFC 7515 §2), three parts or one; a part of a JWT
 * must be the one way to write its octets, so that no second text passes for the same token.
 */
export function shapeOf(token: string): Shape {
  if (token.length > MAXIMUM_TOKEN) return undefined;
  const parts = token.split('.');
  if (!parts.every((part) => BASE64URL.test(part))) return undefined;
  if (parts.length === 1) return token.length <= MAXIMUM_ID ? 'opaque' : undefined;
  return parts.length === 3 && parts.every(isCanonical) ? 'jwt' : undefined;
}

/** The claims as they stand in a JWT, believed by nobody yet; undefined when there are none. */
export function unverifiedClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return isRecord(claims) ? claims : undefined;
  } catch {
    // Not JSON: no claims, and the caller refuses.
    return undefined;
  }
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}
