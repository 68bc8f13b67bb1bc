import type { IncomingMessage, ServerResponse } from 'node:http';

/** Authentication context of a sign-in by user name and password, as `acr` in ID tokens. */
export const PASSWORD_ACR = 'urn:portcullis:acr:password';

/** What a page needs to know about the request that waits for the customer. */
export interface Interaction {
  readonly uid: string;
  readonly bank: string;
  /** Which page is due. */
  readonly prompt: 'sign-in' | 'consent';
  readonly client: string;
  readonly participant: { readonly id: string; readonly name: string };
  /** API scopes asked for, without `openid` and `offline_access`. */
  readonly scopes: readonly string[];
  /** Set once the customer signed in. */
  readonly customer: string | undefined;
  /** Set on the consent page: the Awaiting consent. */
  readonly consent: string | undefined;
  /** Where the answer will go: the page's form-action policy names its origin, as browsers apply that policy to redirects too. */
  readonly redirectUri: string;
  /** Set when the customer's answer is stored and the browser has not followed yet: the address that takes it on (SCR-08). */
  readonly resume?: string | undefined;
  /**
   * The third party's address with `access_denied`, its `state` and our `iss` (RFC 6749 §4.1.2.1, RFC 9207): where the customer goes
   * when the request ended unanswered (N-109). Undefined when the answer is wanted in another way than the query.
   */
  readonly unanswered?: string | undefined;
  /** When the interaction ends by itself. */
  readonly expiresAt: Date;
  /** The languages the TPP or browser asked for (`ui_locales`), may be empty. */
  readonly locales: readonly string[];
}

/**
 * The door between the pages and the engine. Each finishing call answers the browser with a 303 and must be the last thing
 * done with the response.
 */
export interface Interactions {
  /** @throws Refusal `interaction_expired` 400 when the browser's cookie does not belong to a waiting request */
  load(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
  signedIn(
    request: IncomingMessage,
    response: ServerResponse,
    customer: { id: string; acr: string; amr: readonly string[] },
  ): Promise<void>;
  /** Grant, then consent, in that order. @throws Refusal `consent_status_invalid` 400 when it was decided elsewhere; `account_not_in_consent` 400 */
  agreed(
    request: IncomingMessage,
    response: ServerResponse,
    decision: { accounts: readonly string[]; expiresAt: Date },
  ): Promise<void>;
  /** Rejects the consent and sends `access_denied` back. */
  cancelled(request: IncomingMessage, response: ServerResponse): Promise<void>;
}
