import type { Actor } from '../audit/index.ts';

/** What an access token says, whatever its format. */
export interface TokenFacts {
  readonly bank: string;
  readonly format: 'opaque' | 'jwt';
  /** `customer`: from the code grant, tied to a customer; `participant`: from client credentials, tied to the client alone. */
  readonly kind: 'customer' | 'participant';
  readonly client: string;
  readonly participant: string;
  /** The bank's own id of the customer; undefined for a participant token. */
  readonly customer: string | undefined;
  /** As the caller sees it: pairwise; the client id for a participant token. */
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly consent: string | undefined;
  readonly audience: string;
  /** `cnf.x5t#S256`; undefined when not bound. */
  readonly thumbprint: string | undefined;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** The answer to a token somebody presents. */
export type TokenResolution =
  | { readonly state: 'active'; readonly facts: TokenFacts }
  | { readonly state: 'expired' | 'revoked'; readonly facts: TokenFacts }
  | { readonly state: 'invalid'; readonly detail: string };

/** What to deny: all tokens that match every given member. */
export interface Denial {
  readonly bank: string;
  /** The token itself (its text or, for the engine, its id). */
  readonly token?: string;
  readonly consent?: string;
  readonly client?: string;
  readonly participant?: string;
  readonly customer?: string;
  /** Tokens bound to this certificate. */
  readonly thumbprint?: string;
}

/** Both formats of access token, kept by keyed hash, resolved to the same facts, denied at once. */
export interface Tokens {
  /** Keeps an issued token. `id` is the opaque token itself, or the `jti` of a JWT; `payload` is the engine's own (opaque only). */
  save(id: string, facts: TokenFacts, payload: Readonly<Record<string, unknown>> | undefined): Promise<void>;
  /** The engine's payload of a live opaque token by id; undefined when absent, denied or expired. */
  findPayload(bank: string, id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /**
   * Facts of a presented token; verified or looked up once, then cached by the token's hash, bounded, dropped when denied.
   * `issuer` is the bank's issuer, which a JWT must name. Never throws for a bad token.
   */
  resolve(bank: string, issuer: string, token: string): Promise<TokenResolution>;
  /** Denies tokens and gives how many were live. In force here at once, elsewhere by notification. */
  deny(denial: Denial, actor: Actor): Promise<number>;
  /** Live tokens, as metadata only. */
  list(filter: Omit<Denial, 'token'>): Promise<readonly TokenFacts[]>;
  /** Removes rows that expired, in bounded batches. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}
