import { createHmac } from 'node:crypto';
import { errors, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../src/platform/clock.ts';
import { Refusal } from '../../src/platform/refusal.ts';
import type { Vault } from '../../src/vault/index.ts';

/** What the room of tokens needs of a vault, with real signatures and without a database. */
export type SigningVault = Pick<Vault, 'signJwt' | 'verifyJwt' | 'hasher' | 'rotate'> & {
  /** How many JWTs were verified. */
  readonly verifications: () => number;
  /** While set, `verifyJwt` throws it. */
  failure: Error | undefined;
};

/** One ES256 key per bank at a time; the keys before stay good, as during the overlap of a rotation. */
export function createSigningVault(clock: Clock): SigningVault {
  const keys = new Map<string, Awaited<ReturnType<typeof makeKey>>[]>();
  let verifications = 0;
  const keysOf = async (bank: string) => {
    const known = keys.get(bank) ?? [await makeKey()];
    keys.set(bank, known);
    return known;
  };
  const vault: SigningVault = {
    failure: undefined,
    verifications: () => verifications,
    rotate: async (bank) => void (await keysOf(bank)).unshift(await makeKey()),
    hasher: async (bank, purpose) => (value) =>
      createHmac('sha256', `${bank} ${purpose}`).update(value).digest('base64url'),
    signJwt: async (bank, type, claims) => {
      const [current] = await keysOf(bank);
      if (current === undefined) throw new Error('no key');
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: type, kid: current.kid })
        .sign(current.privateKey);
    },
    verifyJwt: async (bank, token, { type, issuer, audience }) => {
      verifications += 1;
      if (vault.failure !== undefined) throw vault.failure;
      const known = await keysOf(bank);
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid }) => {
            const key = known.find((item) => item.kid === kid);
            if (key === undefined) throw new errors.JWKSNoMatchingKey();
            return key.publicKey;
          },
          {
            algorithms: ['ES256'],
            typ: type,
            issuer,
            currentDate: clock.now(),
            ...(audience === undefined ? {} : { audience }),
          },
        );
        return payload;
      } catch (cause) {
        throw new Refusal(cause instanceof errors.JWTExpired ? 'token_expired' : 'token_invalid', 401, 'no', { cause });
      }
    },
  };
  return vault;
}

async function makeKey() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { x } = await exportJWK(publicKey);
  return { kid: `key-${x}`, publicKey, privateKey };
}
