import type { JSONWebKeySet, JWK, JWTPayload } from 'jose';
import type { Actor } from '../audit/index.ts';
import type { Statements } from '../platform/database.ts';

/** A sealed value as text: key id, wrapped data key, nonce and ciphertext. Only the vault reads it. */
export type Sealed = string;

/** A bank's signing keys at one moment: ES256 and PS256, newest first, older ones still published during the overlap. */
export interface Keyring {
  /** Private keys for the engine's `jwks`, current first. Never logged. */
  readonly privateKeys: readonly JWK[];
  readonly publicKeys: JSONWebKeySet;
}

/** What a JWT must be, beside correctly signed by the bank. */
export interface OwnJwtExpectation {
  readonly type: string;
  readonly issuer: string;
  readonly audience: string | undefined;
}

/** An account number that the vault holds for a customer, as portals may show it. */
export interface AccountToken {
  readonly token: string;
  readonly bank: string;
  readonly customer: string;
  readonly account: string;
  /** `****1234` */
  readonly maskedNumber: string;
  readonly createdAt: Date;
}

/** The only holder of key material. */
export interface Vault {
  /** Seals octets under a fresh data key wrapped by the master key; `context` is bound in and must be given to open. */
  seal(context: string, plaintext: Uint8Array): Promise<Sealed>;
  /** @throws Refusal `kms_unavailable` 503 when the master key's store refuses. @throws Error when altered or of another context. */
  open(context: string, sealed: Sealed): Promise<Uint8Array>;

  /** The bank's signing keys; made on first use. Reloaded by itself after a rotation, also by another process. */
  keyring(bank: string): Promise<Keyring>;
  /** Calls `changed` when the bank's keys were rotated, here or elsewhere. */
  onRotation(changed: (bank: string) => void): void;
  /** Makes new keys current; the old ones stay published until the overlap ends (`overlapSeconds`). */
  rotate(bank: string, actor: Actor): Promise<void>;

  /** Signs claims with the bank's current ES256 key (40 µs). `typ` and `kid` go into the header. */
  signJwt(bank: string, type: string, claims: JWTPayload): Promise<string>;
  /** Claims of a JWT that one of the bank's published keys signed. `exp`, `nbf` are checked by the vault's clock.
   *  @throws Refusal `token_invalid`, `token_expired`, `wrong_audience` 401 */
  verifyJwt(bank: string, token: string, expected: OwnJwtExpectation): Promise<JWTPayload>;

  /** 32 octets of the bank's own for one purpose (pairwise salt, cookie keys): made once, kept sealed. */
  secret(bank: string, purpose: string): Promise<Uint8Array>;
  /** A keyed hash (HMAC-SHA256, base64url) over values, under `secret(bank, purpose)`; synchronous after loading. */
  hasher(bank: string, purpose: string): Promise<(value: string) => string>;
  /** Salted, slow hash of a client secret (LAB-08). */
  hashSecret(secret: string): Promise<string>;
  verifySecret(secret: string, hash: string): Promise<boolean>;

  /** Replaces an account number by a token that reveals nothing (LAB-29). The event is written in the transaction. */
  tokenize(
    statements: Statements,
    entry: {
      bank: string;
      customer: string;
      account: string;
      number: string;
      consent: string | undefined;
      participant: string | undefined;
    },
    actor: Actor,
  ): Promise<AccountToken>;
  /** The account number behind a token, with an audited key use.
   *  @throws Refusal `not_found` 404; `participant_not_allowed` 403 when the token is limited to another participant; `kms_unavailable` 503 */
  detokenize(
    bank: string,
    token: string,
    actor: Actor & { participant: string; client: string },
  ): Promise<{
    readonly number: string;
    readonly customer: string;
    readonly account: string;
    readonly consent: string | undefined;
  }>;
  /** Makes a token useless; true when there was one. */
  forgetToken(bank: string, token: string, actor: Actor): Promise<boolean>;
  listTokens(bank: string, customer: string): Promise<readonly AccountToken[]>;
}
