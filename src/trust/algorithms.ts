import { constants, createPublicKey, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto';
import { sha256 } from '../platform/random.ts';
import { contentOf, cursorOf, encodedOf, explicitTag, only, readDer, TAG } from './der.ts';
import { bitStringOctets, integerOctets, oidOf, smallInteger } from './der-values.ts';
import { Malformed } from './malformed.ts';

/** Which keys and signatures count (§7.2): a setting of the trust scheme. */
export interface AlgorithmPolicy {
  /** FAPI asks for 2048 at least; some European validators for 3000 since 2026. */
  readonly rsaMinimumBits: number;
  /** Ed25519, only where the scheme's profile lists it. */
  readonly ed25519: boolean;
}

/** What holds unless a scheme says otherwise. */
export const DEFAULT_ALGORITHM_POLICY: AlgorithmPolicy = { rsaMinimumBits: 2048, ed25519: false };

/** Larger moduli cost more time than a caller may have. */
const RSA_MAXIMUM_BITS = 8192;
/** Public exponents seen in the wild are 65537; the bound keeps verification cheap. */
const RSA_MAXIMUM_EXPONENT_OCTETS = 4;
const RSA_MINIMUM_EXPONENT = 65_537;

type KeyKind = 'rsa' | 'ec' | 'ed25519';
type Hash = 'sha256' | 'sha384' | 'sha512';

interface SignatureScheme {
  readonly key: KeyKind;
  readonly hash: Hash | undefined;
  readonly pss: boolean;
}

const SIGNATURES: Readonly<Record<string, SignatureScheme & { readonly parameters: 'null' | 'absent' | 'pss' }>> = {
  '1.2.840.113549.1.1.11': { key: 'rsa', hash: 'sha256', pss: false, parameters: 'null' },
  '1.2.840.113549.1.1.12': { key: 'rsa', hash: 'sha384', pss: false, parameters: 'null' },
  '1.2.840.113549.1.1.13': { key: 'rsa', hash: 'sha512', pss: false, parameters: 'null' },
  '1.2.840.113549.1.1.10': { key: 'rsa', hash: undefined, pss: true, parameters: 'pss' },
  '1.2.840.10045.4.3.2': { key: 'ec', hash: 'sha256', pss: false, parameters: 'absent' },
  '1.2.840.10045.4.3.3': { key: 'ec', hash: 'sha384', pss: false, parameters: 'absent' },
  '1.2.840.10045.4.3.4': { key: 'ec', hash: 'sha512', pss: false, parameters: 'absent' },
  '1.3.101.112': { key: 'ed25519', hash: undefined, pss: false, parameters: 'absent' },
};
const HASHES: Readonly<Record<string, Hash>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const HASH_OCTETS: Readonly<Record<Hash, number>> = { sha256: 32, sha384: 48, sha512: 64 };
/** Named curves with the octets of an uncompressed point. */
const CURVES: Readonly<Record<string, number>> = {
  '1.2.840.10045.3.1.7': 65,
  '1.3.132.0.34': 97,
  '1.3.132.0.35': 133,
};
const NULL_PARAMETERS = Buffer.from([0x05, 0x00]);

/** Why a key or an algorithm is not accepted; undefined when it is. */
export type PolicyProblem = string | undefined;

/** Reads an AlgorithmIdentifier of a signature; undefined when it is none that anybody accepts. */
function schemeOf(algorithm: Uint8Array): SignatureScheme | undefined {
  const cursor = cursorOf(readDer(algorithm, TAG.sequence));
  const scheme = SIGNATURES[oidOf(cursor.next(TAG.oid))];
  const parameters = cursor.more() ? encodedOf(cursor.any()) : undefined;
  cursor.end();
  if (scheme === undefined) return undefined;
  if (scheme.parameters === 'absent') return parameters === undefined ? scheme : undefined;
  if (parameters === undefined) return undefined;
  if (scheme.parameters === 'null') return Buffer.compare(parameters, NULL_PARAMETERS) === 0 ? scheme : undefined;
  const hash = pssHash(parameters);
  return hash === undefined ? undefined : { ...scheme, hash };
}

const MGF1 = '1.2.840.113549.1.1.8';

/** RSASSA-PSS-params (RFC 4055 §3.1): one hash in both places, salt as long as the hash, trailer left to its default. */
function pssHash(parameters: Uint8Array): Hash | undefined {
  const cursor = cursorOf(readDer(parameters, TAG.sequence));
  const hash = cursor.optional(explicitTag(0));
  const mask = cursor.optional(explicitTag(1));
  const salt = cursor.optional(explicitTag(2));
  if (cursor.more() || hash === undefined || mask === undefined || salt === undefined) return undefined;
  const name = hashOf(encodedOf(only(hash, TAG.sequence)));
  const generator = cursorOf(only(mask, TAG.sequence));
  if (oidOf(generator.next(TAG.oid)) !== MGF1) return undefined;
  const maskHash = hashOf(encodedOf(generator.next(TAG.sequence)));
  generator.end();
  const saltLength = smallInteger(only(salt, TAG.integer));
  return name !== undefined && maskHash === name && saltLength === HASH_OCTETS[name] ? name : undefined;
}

/** SHA-2 AlgorithmIdentifier, parameters absent or NULL (RFC 4055 §2.1). */
function hashOf(algorithm: Uint8Array): Hash | undefined {
  const cursor = cursorOf(readDer(algorithm, TAG.sequence));
  const hash = HASHES[oidOf(cursor.next(TAG.oid))];
  const parameters = cursor.optional(TAG.null);
  cursor.end();
  return parameters === undefined || contentOf(parameters).length === 0 ? hash : undefined;
}

/** Says whether a SubjectPublicKeyInfo is of a kind and strength that counts. */
export function keyProblem(publicKeyInfo: Uint8Array, policy: AlgorithmPolicy): PolicyProblem {
  return guarded(() => {
    const cursor = cursorOf(readDer(publicKeyInfo, TAG.sequence));
    const algorithm = cursorOf(cursor.next(TAG.sequence));
    const key = bitStringOctets(cursor.next(TAG.bitString));
    const id = oidOf(algorithm.next(TAG.oid));
    const parameters = algorithm.more() ? algorithm.any() : undefined;
    algorithm.end();
    if (id === '1.2.840.113549.1.1.1') {
      const isNull = parameters !== undefined && Buffer.compare(encodedOf(parameters), NULL_PARAMETERS) === 0;
      return isNull ? rsaProblem(key, policy) : 'RSA key with parameters';
    }
    if (id === '1.2.840.10045.2.1') return ecProblem(parameters?.tag === TAG.oid ? oidOf(parameters) : undefined, key);
    if (id !== '1.3.101.112' || parameters !== undefined) return 'a kind of key that is not accepted';
    return policy.ed25519 && key.length === 32 ? undefined : 'Ed25519 is not accepted here';
  });
}

function rsaProblem(key: Uint8Array, policy: AlgorithmPolicy): PolicyProblem {
  const cursor = cursorOf(readDer(key, TAG.sequence));
  const modulus = integerOctets(cursor.next(TAG.integer));
  const exponent = integerOctets(cursor.next(TAG.integer));
  cursor.end();
  const bits = bitLength(modulus);
  if (bits < policy.rsaMinimumBits) return `RSA key of ${bits} bits; at least ${policy.rsaMinimumBits} are required`;
  if (bits > RSA_MAXIMUM_BITS) return `RSA key of ${bits} bits; at most ${RSA_MAXIMUM_BITS} are accepted`;
  const [lowest = 0] = modulus.subarray(-1);
  if ((lowest & 1) === 0) return 'RSA key with an even modulus';
  const [sign = 0x80] = exponent;
  if (sign >= 0x80 || exponent.length > RSA_MAXIMUM_EXPONENT_OCTETS) return 'RSA exponent out of range';
  const value = exponent.reduce((sum, octet) => sum * 256 + octet, 0);
  return value % 2 === 1 && value >= RSA_MINIMUM_EXPONENT ? undefined : 'RSA exponent must be odd and at least 65537';
}

/** Bits of an INTEGER; zero when negative. */
function bitLength(octets: Uint8Array): number {
  const [first = 0, second = 0] = octets;
  if (first >= 0x80) return 0;
  return first === 0
    ? (octets.length - 2) * 8 + 32 - Math.clz32(second)
    : (octets.length - 1) * 8 + 32 - Math.clz32(first);
}

function ecProblem(curve: string | undefined, point: Uint8Array): PolicyProblem {
  const octets = curve === undefined ? undefined : CURVES[curve];
  if (octets === undefined) return 'an elliptic curve other than P-256, P-384 and P-521 by name';
  return point.length === octets && point[0] === 0x04 ? undefined : 'an elliptic curve point that is not uncompressed';
}

/** Says whether a signature algorithm counts. */
export function signatureProblem(algorithm: Uint8Array, policy: AlgorithmPolicy): PolicyProblem {
  return guarded(() => {
    const scheme = schemeOf(algorithm);
    if (scheme === undefined) return 'a signature algorithm that is not accepted';
    return scheme.key === 'ed25519' && !policy.ed25519 ? 'Ed25519 is not accepted here' : undefined;
  });
}

function guarded(examine: () => PolicyProblem): PolicyProblem {
  try {
    return examine();
  } catch (cause) {
    if (cause instanceof Malformed) return `a key or algorithm that cannot be read: ${cause.message}`;
    throw cause;
  }
}

/** Key objects are dear to make (100 µs); issuers are few. */
const MAXIMUM_KEYS = 1_000;
const keys = new Map<string, KeyObject | undefined>();

function keyOf(publicKeyInfo: Uint8Array): KeyObject | undefined {
  const id = sha256(publicKeyInfo);
  if (keys.has(id)) return keys.get(id);
  const key = importKey(publicKeyInfo);
  if (keys.size >= MAXIMUM_KEYS) keys.clear();
  keys.set(id, key);
  return key;
}

function importKey(publicKeyInfo: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
  } catch {
    // OpenSSL reports a point off its curve here; a key that cannot be imported verifies nothing.
    return undefined;
  }
}

/** True when OpenSSL accepts the key: a point on its curve. Dear, so asked once per certificate. */
export function isUsableKey(publicKeyInfo: Uint8Array): boolean {
  return importKey(publicKeyInfo) !== undefined;
}

/**
 * True when `signature` over `signed` was made with the key, by an algorithm that fits the key.
 * The caller has asked `signatureProblem` and `keyProblem` before: this function judges mathematics only.
 */
export function isSignedBy(
  publicKeyInfo: Uint8Array,
  algorithm: Uint8Array,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const fitting = fittingKey(publicKeyInfo, algorithm);
  return fitting !== undefined && verify(fitting.hash, signed, fitting.key, signature);
}

/** The same on another thread: for lists of many megabytes. */
export async function isSignedByAsync(
  publicKeyInfo: Uint8Array,
  algorithm: Uint8Array,
  signed: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const fitting = fittingKey(publicKeyInfo, algorithm);
  if (fitting === undefined) return false;
  return new Promise((resolve) => {
    // With an error nothing was verified, and `valid` is not there.
    verify(fitting.hash, signed, fitting.key, signature, (_error, valid) => resolve(Boolean(valid)));
  });
}

interface FittingKey {
  readonly hash: Hash | null;
  readonly key: VerifyKeyObjectInput;
}

function fittingKey(publicKeyInfo: Uint8Array, algorithm: Uint8Array): FittingKey | undefined {
  const scheme = readScheme(algorithm);
  const key = keyOf(publicKeyInfo);
  if (scheme === undefined || key === undefined || key.asymmetricKeyType !== scheme.key) return undefined;
  const hash = scheme.hash ?? null;
  if (!scheme.pss) return { hash, key: { key } };
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return { hash, key: { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } };
}

function readScheme(algorithm: Uint8Array): SignatureScheme | undefined {
  try {
    return schemeOf(algorithm);
  } catch (cause) {
    if (cause instanceof Malformed) return undefined;
    throw cause;
  }
}
