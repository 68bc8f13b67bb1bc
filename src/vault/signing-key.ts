import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  type SignKeyObjectInput,
  type VerifyKeyObjectInput,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import { sha256 } from '../platform/random.ts';

/** The algorithms the security profiles allow (FAPI 2.0 §5.4). */
export type SigningAlgorithm = 'ES256' | 'PS256';

/** Every generation has one key of each, in this order. */
export const SIGNING_ALGORITHMS: readonly SigningAlgorithm[] = ['ES256', 'PS256'];

/** A bank's signing key, ready for use. */
export interface SigningKey {
  readonly algorithm: SigningAlgorithm;
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
  readonly signing: SignKeyObjectInput;
  readonly verifying: VerifyKeyObjectInput;
}

const generate = promisify(generateKeyPair);
/** FAPI 2.0 §5.4.1: RSA keys of at least 2048 bits. */
const RSA_BITS = 2048;
/** RFC 7518 §3.5: the salt is as long as the hash. */
const PSS_SALT_BYTES = 32;

/** True for a text that names one of our algorithms. */
export function isSigningAlgorithm(value: string): value is SigningAlgorithm {
  return SIGNING_ALGORITHMS.some((algorithm) => algorithm === value);
}

/** A new key as PKCS #8. RSA takes a while: it is made off the main thread. */
export async function generateSigningKey(algorithm: SigningAlgorithm): Promise<Uint8Array> {
  const { privateKey } =
    algorithm === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: RSA_BITS });
  return privateKey.export({ format: 'der', type: 'pkcs8' });
}

/** The key of a PKCS #8 text. @throws Error when it is not a key for the algorithm */
export function parseSigningKey(algorithm: SigningAlgorithm, pkcs8: Uint8Array): SigningKey {
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  checkType(algorithm, privateKey);
  const kid = thumbprint(publicKey);
  const members = { alg: algorithm, use: 'sig', kid };
  return {
    algorithm,
    kid,
    privateJwk: { ...jwkOf(privateKey), ...members },
    publicJwk: { ...jwkOf(publicKey), ...members },
    signing: { key: privateKey, ...parametersOf(algorithm) },
    verifying: { key: publicKey, ...parametersOf(algorithm) },
  };
}

function checkType(algorithm: SigningAlgorithm, key: KeyObject): void {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const fits = algorithm === 'ES256' ? namedCurve === 'prime256v1' : modulusLength === RSA_BITS;
  if (!fits) throw new Error(`a sealed signing key is not one for ${algorithm}`);
}

function parametersOf(algorithm: SigningAlgorithm) {
  return algorithm === 'ES256'
    ? { dsaEncoding: 'ieee-p1363' as const }
    : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: PSS_SALT_BYTES };
}

function jwkOf(key: KeyObject): JWK {
  const { kty = '', crv, x, y, d, n, e, p, q, dp, dq, qi } = key.export({ format: 'jwk' });
  const members = { kty, crv, x, y, d, n, e, p, q, dp, dq, qi };
  return { kty, ...Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) };
}

/** RFC 7638 §3.2: the required members in the order of their names. */
function thumbprint(publicKey: KeyObject): string {
  const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' });
  return sha256(JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { e, kty, n }));
}
