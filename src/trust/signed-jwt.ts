import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../platform/clock.ts';
import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';

/** What a JWT signed by somebody else must be. */
export interface SignedJwtExpectation {
  /** Public keys of the signer. Keys inside the token are never used. */
  readonly keys: JSONWebKeySet;
  /** JWS algorithms that count; asymmetric ones only. */
  readonly algorithms: readonly string[];
  readonly issuer?: string | readonly string[] | undefined;
  readonly audience?: string | readonly string[] | undefined;
  /** `typ` of the header, with or without `application/`. */
  readonly type?: string | undefined;
  /** Greatest age by `iat`; `iat` is then required. Zero or absent: age does not matter. */
  readonly maximumAgeSeconds?: number | undefined;
  /** Tolerance for clocks that differ. Default 10 s. */
  readonly toleranceSeconds?: number | undefined;
  readonly requiredClaims?: readonly string[] | undefined;
  readonly clock: Clock;
  /** How the caller says no. Default: `invalid_request`, 400. */
  readonly refusal?: { readonly code: string; readonly status: number } | undefined;
}

/** Software statements with long key lists stay below; larger ones cost verification time for nothing. */
const MAXIMUM_CHARACTERS = 32 * 1024;
const DEFAULT_TOLERANCE_SECONDS = 10;
const ASYMMETRIC: ReadonlySet<string> = new Set([
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
]);
/** Header members that name a key of the sender's choice, or that change how a JWS is read (RFC 7515 §4.1). */
const REFUSED_MEMBERS = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip'];
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Claims of a compact JWT (RFC 7515, RFC 7519) that one of the given keys signed: software statements (RFC 7591 §2.3) and
 * requests of participants. Strict as RFC 8725 asks: no `none`, no HMAC, no key or extension named by the token itself.
 * @throws Refusal with the caller's code; the finer reason is its `detail`
 */
export async function verifySignedJwt(token: string, expected: SignedJwtExpectation): Promise<JWTPayload> {
  for (const algorithm of expected.algorithms) {
    if (!ASYMMETRIC.has(algorithm)) throw new Error(`algorithm ${algorithm} must not be accepted for a signature`);
  }
  checkForm(token, expected);
  const { issuer, audience, type, maximumAgeSeconds, requiredClaims, clock } = expected;
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(asymmetricOf(expected.keys)), {
      algorithms: [...expected.algorithms],
      currentDate: clock.now(),
      clockTolerance: expected.toleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS,
      requiredClaims: [...(requiredClaims ?? [])],
      ...(issuer === undefined ? {} : { issuer: listOf(issuer) }),
      ...(audience === undefined ? {} : { audience: listOf(audience) }),
      ...(type === undefined ? {} : { typ: type }),
      ...(maximumAgeSeconds ? { maxTokenAge: maximumAgeSeconds } : {}),
    });
    return payload;
  } catch (cause) {
    throw refusalOf(cause, expected);
  }
}

function listOf(value: string | readonly string[]): string[] {
  return typeof value === 'string' ? [value] : [...value];
}

function asymmetricOf(keys: JSONWebKeySet): JSONWebKeySet {
  return { keys: keys.keys.filter(({ kty, use }) => kty !== 'oct' && (use === undefined || use === 'sig')) };
}

function checkForm(token: string, expected: SignedJwtExpectation): void {
  if (token.length > MAXIMUM_CHARACTERS) throw refuse(expected, 'too_large', 'The signed message is too large.');
  if (!COMPACT.test(token)) throw refuse(expected, 'malformed', 'The signed message is not a compact JWS.');
  const header = headerOf(token.slice(0, token.indexOf('.')));
  if (header === undefined) throw refuse(expected, 'malformed', 'The header of the signed message cannot be read.');
  const member = REFUSED_MEMBERS.find((name) => Object.hasOwn(header, name));
  if (member !== undefined) {
    throw refuse(expected, `header_${member}`, `The header of the signed message must not have "${member}".`);
  }
}

function headerOf(part: string): object | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isRecord(header) ? header : undefined;
  } catch {
    // Whatever is not JSON is not a header: the caller refuses.
    return undefined;
  }
}

function refuse(expected: SignedJwtExpectation, detail: string, message: string, cause?: unknown): Refusal {
  const { code, status } = expected.refusal ?? { code: 'invalid_request', status: 400 };
  return new Refusal(code, status, message, { detail, cause });
}

/** Turns the library's errors into the caller's refusal; what is not about the token is a defect and stays one. */
function refusalOf(cause: unknown, expected: SignedJwtExpectation): unknown {
  if (cause instanceof errors.JWTExpired) {
    const detail = cause.claim === 'iat' ? 'stale' : 'expired';
    return refuse(expected, detail, 'The signed message is no longer valid.', cause);
  }
  if (cause instanceof errors.JWTClaimValidationFailed) {
    const detail = cause.reason === 'missing' ? 'claim_missing' : 'claim_invalid';
    return refuse(expected, `${detail}:${cause.claim}`, `The signed message lacks a valid "${cause.claim}".`, cause);
  }
  if (cause instanceof errors.JOSEAlgNotAllowed) {
    return refuse(expected, 'algorithm', 'The signature algorithm of the message is not accepted.', cause);
  }
  if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) {
    return refuse(
      expected,
      'key_unknown',
      'The key that signed the message is not known, or not named by "kid".',
      cause,
    );
  }
  if (cause instanceof errors.JOSEError) {
    return refuse(expected, 'signature_invalid', 'The signature of the message does not verify.', cause);
  }
  return cause;
}
