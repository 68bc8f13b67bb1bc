/** A customer who signed in at the bank. */
export interface Customer {
  /** The bank's own id; opaque to us. */
  readonly id: string;
  readonly name: string;
}

/** An account as a consent page shows it. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly currency: string;
  /** `****1234` */
  readonly maskedNumber: string;
}

/** The bank behind us, as we need it. Every call has a time limit; a bank that is slow or wrong throws Refusal `upstream_unavailable` 502. */
export interface BankConnector {
  /** The customer, or undefined when the bank says no (it never says which factor failed). */
  signIn(username: string, password: string): Promise<Customer | undefined>;
  accounts(customer: string): Promise<readonly Account[]>;
  /** The full number of one of the customer's accounts, for the vault only; undefined when it is not theirs. */
  accountNumber(customer: string, account: string): Promise<string | undefined>;
}
