import type { JSONWebKeySet, JWK, JWTPayload } from 'jose';
import type { Actor } from '../audit/index.ts';
import type { Statements } from '../platform/database.ts';

/** A sealed value as text: `v1.<keyId>.<wrapped data key>.<nonce>.<ciphertext>`. Only the vault reads it. */
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
  /** A value `aud` must contain; undefined: any audience. */
  readonly audience: string | undefined;
}

/** An account number that the vault holds for a customer, as portals may show it. */
export interface AccountToken {
  /**
   * From `tokenize`: the token itself (`vt_…`), the only time it is seen, because the vault keeps its hash alone.
   * From `listTokens`: a reference to the entry (`vr_…`) that `forgetToken` takes as well and `detokenize` does not.
   */
  readonly token: string;
  readonly bank: string;
  readonly customer: string;
  readonly account: string;
  /** `****1234` */
  readonly maskedNumber: string;
  readonly createdAt: Date;
}

/** An account number to be replaced by a token; with a participant, only that participant may use the token. */
export interface NewAccountToken {
  readonly bank: string;
  readonly customer: string;
  readonly account: string;
  readonly number: string;
  readonly consent: string | undefined;
  readonly participant: string | undefined;
}

/** What stands behind a token. */
export interface AccountNumber {
  readonly number: string;
  readonly customer: string;
  readonly account: string;
  readonly consent: string | undefined;
}

/**
 * The only holder of key material. What names a bank makes the bank's keys or secrets on first use, with statements of
 * its own: inside `database.transaction` call only what takes the transaction's statements.
 */
export interface Vault {
  /**
   * Seals octets under a fresh data key wrapped by the master key; `context` is bound in and must be given to open.
   * @throws Refusal `kms_unavailable` 503 when the master key's store refuses
   */
  seal(context: string, plaintext: Uint8Array): Promise<Sealed>;
  /** @throws Refusal `kms_unavailable` 503 when the master key's store refuses. @throws Error when altered or of another context. */
  open(context: string, sealed: Sealed): Promise<Uint8Array>;

  /** The bank's signing keys; made on first use. Reloaded by itself after a rotation, also by another process. */
  keyring(bank: string): Promise<Keyring>;
  /** Calls `changed` when the bank's published keys changed (rotated, here or elsewhere, or the overlap ended). */
  onRotation(changed: (bank: string) => void): void;
  /**
   * Makes new keys current; the old ones stay published until the overlap ends (`overlapSeconds`).
   * @throws Refusal `key_rotation_conflict` 409 when another process rotates at the same moment
   */
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
  /** Salted, slow hash of a client secret (LAB-08). @throws Refusal `secret_check_busy` 503 when too many wait */
  hashSecret(secret: string): Promise<string>;
  /** @throws Refusal `secret_check_busy` 503 when too many wait */
  verifySecret(secret: string, hash: string): Promise<boolean>;

  /**
   * Replaces an account number by a token that reveals nothing (LAB-29). The event is written in the transaction.
   * @throws Refusal `field_invalid` 400, `token_limit_reached` 409, `kms_unavailable` 503
   */
  tokenize(statements: Statements, entry: NewAccountToken, actor: Actor): Promise<AccountToken>;
  /** The account number behind a token, with an audited key use.
   *  @throws Refusal `not_found` 404; `participant_not_allowed` 403 when the token is limited to another participant; `kms_unavailable`, `audit_unavailable` 503 */
  detokenize(
    bank: string,
    token: string,
    actor: Actor & { participant: string; client: string },
  ): Promise<AccountNumber>;
  /** Makes a token, given itself or by its reference, useless; true when there was one. */
  forgetToken(bank: string, token: string, actor: Actor): Promise<boolean>;
  /** A customer's entries, newest first, by reference and masked. */
  listTokens(bank: string, customer: string): Promise<readonly AccountToken[]>;

  /** Stops listening and checking. */
  close(): Promise<void>;
}
