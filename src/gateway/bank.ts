import type { BankConnector } from '../bank/index.ts';
import type { ParticipantRegister } from '../directory/index.ts';
import type { Upstream } from '../platform/fetch.ts';
import type { Route } from './route.ts';

/** How refusals look on the wire; one entry in `error-format.ts` each. */
export type ErrorFormat = 'generic';

/** What the gateway reads of a bank's regime. */
export interface GatewayRegime {
  readonly routes: readonly Route[];
  /** Scopes the regime knows; a route that names another is refused at start (LAB-21). */
  readonly scopes: Readonly<Record<string, unknown>>;
  /** Roles that allow a scope; a scope that is not listed is allowed to nobody. */
  readonly rolesByScope: Readonly<Record<string, readonly string[]>>;
  readonly errorFormat: ErrorFormat;
}

/** A bank as the gateway sees it. */
export interface GatewayBank {
  readonly id: string;
  /** The issuer its access tokens name, and the issuer of the signed facts its upstream receives. */
  readonly issuer: string;
  /** The `aud` its access tokens must carry. */
  readonly audience: string;
  readonly regime: GatewayRegime;
  /** The bank's API behind us. */
  readonly upstream: Upstream;
  /** The full number of one of the customer's accounts, for the vault only. */
  readonly accountNumber: BankConnector['accountNumber'];
  /** True: a token without `cnf` is refused, and a client without an enrolled certificate as well. False: baseline only. */
  readonly requireBoundTokens: boolean;
  /** True: the routes take customer and participant tokens alike and decide by scope (Lab Bank, LAB-02). */
  readonly routesByScopeAlone: boolean;
  /** False: the door without client certificates may be used (LAB-31). The mTLS door always needs one. */
  readonly requireClientCertificate: boolean;
  /** True: a certificate without a PSD2 statement leaves the roles to the directory. Default false: it opens nothing (N-28). */
  readonly rolesFromDirectory?: boolean | undefined;
  /** The competent authorities' register; asked at calls when it says so. Undefined: this bank has none. */
  readonly register?: ParticipantRegister | undefined;
  /** True: calls that only read go on when no source of revocation answers. Default false: refused. */
  readonly readsWithoutRevocation?: boolean | undefined;
}
