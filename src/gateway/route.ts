/** Which kind of access token a route takes: LAB-02, WSN-40. `any` decides by scope alone (Lab Bank). */
export type TokenKind = 'customer' | 'participant' | 'any';

/** What the gateway does once every check has passed. */
export type RouteAction =
  /** Streams to the bank's upstream. */
  | 'forward'
  /** Account id → vault token, answered here (Lab 03). */
  | 'tokenize'
  /** Vault token → account number, forwarded as a payment, answered masked (Lab 03). */
  | 'pay';

/** One row of a regime's route table. Path segments in braces are parameters; `{account}` is checked against the consent. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the bank's base address, such as `/accounts/{account}/balances`. */
  readonly path: string;
  readonly scope: string;
  readonly token: TokenKind;
  /** True: the route serves customer data and needs an authorised consent that covers the account. */
  readonly consent: boolean;
  readonly action: RouteAction;
}
