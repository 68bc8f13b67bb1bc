import {
  type CompactVerifyGetKey,
  type CryptoKey,
  compactVerify,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
} from 'jose';
import type { Exchange } from '../wire.ts';

/** A signature of a JWT that was sent or answered, and what became of it when it was checked. */
export interface Signature {
  /** The field the JWT stood in. */
  readonly name: string;
  readonly verdict: 'holds' | 'does not hold' | 'not checked';
  /** Why it does not hold, or could not be checked. */
  readonly why?: string;
  /** What the JWT says of itself (RFC 7515 §4.1). */
  readonly algorithm: string;
  readonly keyId: string | undefined;
  /** The key it was checked with, such as `RSA, 2048 bits`, when there was one. */
  readonly key?: string;
  /** Whose keys these are, and where they were found. */
  readonly source: string;
}

/** Whose keys a signature is checked with; `find` is one of jose's key sets. */
export interface KeySource {
  readonly source: string;
  readonly find: CompactVerifyGetKey<CryptoKey>;
}

/** Where the checker finds keys. */
export interface SignatureParts {
  /** Of Financroo: the keys its software statement names. */
  readonly own: KeySource;
  /** Of the directory, which signs software statements. */
  readonly directory: KeySource;
  /** `jwks_uri` of the bank with this issuer; undefined when it is none of Financroo's banks. */
  readonly jwksUriOf: (issuer: string) => string | undefined;
  readonly fetch: (url: string) => Promise<Response>;
}

/** Checks every JWT of an exchange. Gives what came of it, and nothing of the JWTs themselves; never throws. */
export type SignatureChecker = (exchange: Exchange) => Promise<readonly Signature[]>;

/** Only what needs a key pair: with a shared secret nobody could tell who signed, and `none` is no signature. */
const ALGORITHMS = ['PS256', 'PS384', 'PS512', 'RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** A bank that does not answer keeps nobody waiting for a page longer than this, in milliseconds. */
const KEYS_MS = 3_000;
/** A bank may have begun to sign with a new key a moment ago: an unknown key id is asked for again after this long. */
const KEYS_AGAIN_MS = 1_000;
const PATIENCE = { timeoutDuration: KEYS_MS, cooldownDuration: KEYS_AGAIN_MS };

/** A checker that keeps the banks' keys for a while, as jose does by itself. */
export function createSignatureChecker(parts: SignatureParts): SignatureChecker {
  const banks = new Map<string, KeySource>();
  const keysOf = (name: string, { iss }: JWTPayload): KeySource | undefined => {
    if (name === 'client_assertion') return parts.own;
    if (name === 'software_statement') return parts.directory;
    const address = iss === undefined ? undefined : parts.jwksUriOf(iss);
    if (address === undefined) return undefined;
    const known = banks.get(address) ?? remote(address, parts.fetch);
    banks.set(address, known);
    return known;
  };
  return async (exchange) =>
    Promise.all(jwtsIn(exchange).map(([name, token]) => check(name, token, (claims) => keysOf(name, claims))));
}

/** The keys that the bank publishes (OpenID Connect Discovery §3, RFC 8414 §2). */
function remote(address: string, fetch: SignatureParts['fetch']): KeySource {
  const find = createRemoteJWKSet(new URL(address), { ...PATIENCE, [customFetch]: fetch });
  return { source: `the bank’s keys at ${address}`, find };
}

async function check(
  name: string,
  token: string,
  keysOf: (claims: JWTPayload) => KeySource | undefined,
): Promise<Signature> {
  const said = { name, ...headerOf(token) };
  let source = 'nobody Financroo knows';
  try {
    const keys = keysOf(claimsOf(token));
    if (keys === undefined)
      return { ...said, source, verdict: 'not checked', why: 'its issuer is no bank of the list' };
    source = keys.source;
    const { key } = await compactVerify(token, keys.find, { algorithms: ALGORITHMS });
    return { ...said, source, key: describe(key.algorithm), verdict: 'holds' };
  } catch (cause) {
    return { ...said, source, ...failureOf(cause) };
  }
}

/** That no key could be had says nothing about the signature. */
function failureOf(cause: unknown): Pick<Signature, 'verdict' | 'why'> {
  if (cause instanceof errors.JWSSignatureVerificationFailed) {
    return { verdict: 'does not hold', why: 'it was not made with this key, or the JWT was changed since' };
  }
  if (cause instanceof errors.JWKSNoMatchingKey)
    return { verdict: 'does not hold', why: 'no published key has this id' };
  if (cause instanceof errors.JOSEAlgNotAllowed)
    return { verdict: 'does not hold', why: 'nobody may sign in this way' };
  return { verdict: 'not checked', why: cause instanceof Error ? cause.message : 'the keys could not be had' };
}

function describe(algorithm: CryptoKey['algorithm']): string {
  const { modulusLength, namedCurve } = { modulusLength: undefined, namedCurve: undefined, ...algorithm };
  if (modulusLength !== undefined) return `RSA, ${String(modulusLength)} bits`;
  return namedCurve === undefined ? algorithm.name : `EC, ${String(namedCurve)}`;
}

const COMPACT_JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

/** Fields of forms and JSON documents that hold a JWT, sent ones first. */
function jwtsIn({ requestBody, responseBody }: Exchange): readonly (readonly [name: string, token: string])[] {
  const fields = [requestBody ?? '', responseBody].flatMap(fieldsOf);
  return fields.filter(([, value]) => COMPACT_JWT.test(value));
}

function fieldsOf(body: string): readonly (readonly [string, string])[] {
  if (!body.startsWith('{')) return [...new URLSearchParams(body)];
  try {
    const value: unknown = JSON.parse(body);
    return Object.entries(value ?? {}).flatMap(([name, field]) =>
      typeof field === 'string' ? [[name, field] as const] : [],
    );
  } catch {
    return [];
  }
}

function headerOf(token: string): Pick<Signature, 'algorithm' | 'keyId'> {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return { algorithm: String(alg ?? 'not told'), keyId: typeof kid === 'string' ? kid : undefined };
  } catch {
    return { algorithm: 'not told', keyId: undefined };
  }
}

/** What a JWT says, unchecked; nothing when it is none. */
export function claimsOf(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}
