import type { Audit } from '../audit/index.ts';
import type { BankConnector } from '../bank/index.ts';
import type { Consents } from '../consent/index.ts';
import type { Directory, ParticipantRegister } from '../directory/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { Tokens } from '../tokens/index.ts';
import type { SignedJwtExpectation, Trust } from '../trust/index.ts';
import type { Vault } from '../vault/index.ts';
import type { SecurityProfile } from './profile.ts';

/** What registration must know of the directory that signs software statements. */
export interface StatementSource {
  readonly issuer: string;
  /** Its public keys, from configuration alone (N-124). */
  readonly keys: SignedJwtExpectation['keys'];
  /** A statement older than this is stale, in seconds. */
  readonly maximumAgeSeconds: number;
}

/** A bank as the authorization server sees it: facts of the configuration, its regime and its security profile. */
export interface AuthorizationBank {
  readonly id: string;
  /** `https://host:port/{bank}`, no trailing slash. */
  readonly issuer: string;
  /** The same at the mTLS door: base of the aliases, and the audience of access tokens. */
  readonly mtlsBase: string;
  /** The same at the door without client certificates, for a baseline bank that has one. */
  readonly plainBase: string | undefined;
  readonly profile: SecurityProfile;
  readonly accessTokens: 'opaque' | 'jwt';
  /** API scopes of the regime. */
  readonly scopes: readonly string[];
  readonly rolesByScope: Readonly<Record<string, readonly string[]>>;
  readonly consentDays: number;
  /** A consent whose code was not redeemed within this time after the customer agreed ends (N-208). */
  readonly takeUpSeconds: number;
  /** What one caller may ask of the machines' endpoints in a minute, in this process. */
  readonly requestsPerMinute: number;
  /** True: a certificate without a PSD2 statement leaves the roles to the directory. Default false: it has none. */
  readonly rolesFromDirectory?: boolean | undefined;
  /** The competent authorities' register; undefined: this bank has none. */
  readonly register?: ParticipantRegister | undefined;
  /** The management API of this bank: its address, and the bank's own entry in the directory. Undefined: there is none. */
  readonly management?: { readonly audience: string; readonly participant: string } | undefined;
  /** Undefined: this bank takes no dynamic registration. */
  readonly statements: StatementSource | undefined;
  /** Redirect URIs to localhost and 127.0.0.1 are allowed: the sandbox only (N-129). */
  readonly allowLoopbackRedirects: boolean;
  /** Draws the error page of the authorization endpoint. */
  readonly renderError: (error: { code: string; description: string; trace: string; language: string }) => {
    html: string;
    headers: Readonly<Record<string, string>>;
  };
}

/** The rooms the authorization server asks. */
export interface AuthorizationRooms {
  readonly database: Database;
  readonly audit: Audit;
  readonly trust: Trust;
  readonly vault: Vault;
  readonly directory: Directory;
  readonly consents: Consents;
  readonly tokens: Tokens;
  readonly connector: BankConnector;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** For defects: what the caller must not see. */
  readonly report: (message: string, cause: unknown) => void;
}
