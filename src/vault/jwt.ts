import { sign, verify } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { type Clock, epochSeconds } from '../platform/clock.ts';
import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Keyrings } from './keyring.ts';
import type { SigningKey } from './signing-key.ts';
import type { OwnJwtExpectation } from './vault.ts';

/** Signing and verifying the banks' own JWTs. */
export interface OwnJwts {
  signJwt(bank: string, type: string, claims: JWTPayload): Promise<string>;
  verifyJwt(bank: string, token: string, expected: OwnJwtExpectation): Promise<JWTPayload>;
}

/** Our tokens are a tenth of this; header limits at the doors are of the same size. */
const MAXIMUM_LENGTH = 16_384;
/** How far ahead `nbf` may be: clocks of two nodes differ by less (FAPI 2.0 §5.3.2.1). */
const CLOCK_SKEW_SECONDS = 10;
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/** JWTs under the banks' keyrings, by the given clock. */
export function createOwnJwts(keyrings: Keyrings, clock: Clock): OwnJwts {
  return {
    signJwt: async (bank, type, claims) => {
      const ring = keyrings.fresh(bank) ?? (await keyrings.load(bank));
      const key = ring.current('ES256');
      const header = encode({ alg: key.algorithm, typ: type, kid: key.kid });
      const input = `${header}.${encode(claims)}`;
      return `${input}.${sign('sha256', Buffer.from(input), key.signing).toString('base64url')}`;
    },
    verifyJwt: async (bank, token, expected) => {
      const parsed = parse(token);
      const key = await keyOf(keyrings, bank, parsed.header.kid);
      checkSignature(parsed, key, expected.type);
      const claims = parseClaims(parsed.payload);
      checkClaims(claims, expected, epochSeconds(clock.now()));
      return claims;
    },
  };
}

interface Parsed {
  readonly header: { readonly alg: string; readonly kid: string; readonly typ: string };
  readonly payload: Buffer;
  readonly input: string;
  readonly signature: Buffer;
}

function parse(token: string): Parsed {
  const [, header, payload, signature] = (token.length > MAXIMUM_LENGTH ? null : COMPACT.exec(token)) ?? [];
  if (header === undefined || payload === undefined || signature === undefined) throw invalid('malformed');
  return {
    header: parseHeader(decode(header)),
    payload: decode(payload),
    input: `${header}.${payload}`,
    signature: decode(signature),
  };
}

/** Exactly the three members that we write: no key of the token's own, no `crit`, no `b64` (RFC 8725 §3). */
function parseHeader(octets: Buffer): Parsed['header'] {
  const header = parseObject(octets);
  const { alg, kid, typ, ...others } = header;
  if (typeof alg !== 'string' || typeof kid !== 'string' || typeof typ !== 'string') throw invalid('header');
  if (Object.keys(others).length > 0) throw invalid('header');
  return { alg, kid, typ };
}

async function keyOf(keyrings: Keyrings, bank: string, kid: string): Promise<SigningKey> {
  const ring = keyrings.fresh(bank) ?? (await keyrings.load(bank));
  const key = ring.byKid.get(kid) ?? (await keyrings.reload(bank)).byKid.get(kid);
  if (key === undefined) throw invalid('unknown_key');
  return key;
}

/** The key says which algorithm; the token must agree (RFC 8725 §3.1). */
function checkSignature({ header, input, signature }: Parsed, key: SigningKey, type: string): void {
  if (header.alg !== key.algorithm) throw invalid('algorithm');
  if (!verify('sha256', Buffer.from(input), key.verifying, signature)) throw invalid('signature');
  if (header.typ !== type) throw invalid('type');
}

function parseClaims(octets: Buffer): JWTPayload {
  const claims = parseObject(octets);
  if (!isPayload(claims)) throw invalid('claims');
  return claims;
}

function checkClaims(claims: JWTPayload, expected: OwnJwtExpectation, now: number): void {
  if (claims.iss !== expected.issuer) throw invalid('issuer');
  if (expected.audience !== undefined && ![claims.aud].flat().includes(expected.audience))
    throw new Refusal('wrong_audience', 401, 'The token was issued for another audience.');
  if (claims.exp === undefined) throw invalid('expiry_missing');
  if (claims.exp <= now) throw new Refusal('token_expired', 401, 'The token has expired. Obtain a new one.');
  if (claims.nbf !== undefined && claims.nbf > now + CLOCK_SKEW_SECONDS) throw invalid('not_yet_valid');
}

function isPayload(value: Readonly<Record<string, unknown>>): value is JWTPayload {
  const { iss, sub, jti, aud, exp, nbf, iat } = value;
  const textual = [iss, sub, jti].every((claim) => claim === undefined || typeof claim === 'string');
  const numeric = [exp, nbf, iat].every((claim) => claim === undefined || Number.isFinite(claim));
  const audiences = aud === undefined || [aud].flat().every((claim) => typeof claim === 'string');
  return textual && numeric && audiences;
}

function parseObject(octets: Buffer): Readonly<Record<string, unknown>> {
  const value = parseJson(octets);
  if (!isRecord(value)) throw invalid('malformed');
  return value;
}

function parseJson(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString('utf8'));
  } catch {
    // What the parser says quotes the token.
    throw invalid('malformed');
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Strict: one text for the same octets, so that an altered text is never the same token. */
function decode(part: string): Buffer {
  const octets = Buffer.from(part, 'base64url');
  if (octets.toString('base64url') !== part) throw invalid('malformed');
  return octets;
}

function invalid(detail: string): Refusal {
  return new Refusal('token_invalid', 401, 'The token is not a valid token of this bank.', { detail });
}
