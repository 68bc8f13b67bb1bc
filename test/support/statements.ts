import { randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose';

/** The directory that signs software statements in tests. */
export interface StatementSigner {
  readonly issuer: string;
  readonly publicKeys: JSONWebKeySet;
  readonly key: CryptoKey;
  sign(claims: JWTPayload): Promise<string>;
}

/** A directory with a fresh key. */
export async function newStatementSigner(issuer = 'Test Directory'): Promise<StatementSigner> {
  const { privateKey, publicKey } = await generateKeyPair('PS256');
  const kid = 'directory-1';
  return {
    issuer,
    key: privateKey,
    publicKeys: { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'PS256', use: 'sig' }] },
    sign: (claims) =>
      new SignJWT({ jti: randomUUID(), iss: issuer, iat: Math.floor(Date.now() / 1000), ...claims })
        .setProtectedHeader({ alg: 'PS256', kid, typ: 'JWT' })
        .sign(privateKey),
  };
}
