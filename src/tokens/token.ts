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
