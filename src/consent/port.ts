import type { Actor } from '../audit/index.ts';
import type { AccountChange, Authorisation, Consent, ConsentFilter, ConsentStep, NewConsent } from './consent.ts';
import type { Ending } from './ending-store.ts';

/**
 * Where consents are kept: the platform's database, or the bank's own service. Every change is one conditional step
 * (what was read may have changed), with its audit event in the same transaction where the store is ours.
 * A store that is slow, down or contradicts itself throws Refusal `consent_store_unavailable` 503: callers refuse.
 */
export interface ConsentStore {
  /** How long an answer may be believed without being told of changes, in seconds: for a store whose call-backs can be lost. */
  readonly maximumAgeSeconds?: number;
  /** Asking for the same again gives the waiting consent. @throws Refusal `field_invalid` 400; `consent_status_invalid` 400 when the id is taken */
  create(consent: NewConsent, actor: Actor): Promise<Consent>;
  find(bank: string, id: string): Promise<Consent | undefined>;
  /** Newest first, bounded. @throws Refusal `field_invalid` 400 when a member is blank: never a wildcard */
  list(filter: ConsentFilter): Promise<readonly Consent[]>;
  /** Oldest first. @throws Refusal `consent_missing` 404 */
  history(bank: string, id: string): Promise<readonly ConsentStep[]>;
  /**
   * What was agreed can only narrow what was asked. @throws Refusal `consent_status_invalid` 400 unless Awaiting and in time;
   * `consent_wrong_user` 403 when it was asked of another customer; `field_invalid` 400; `consent_missing` 404
   */
  authorise(bank: string, id: string, authorisation: Authorisation, actor: Actor): Promise<Consent>;
  /** @throws Refusal `consent_status_invalid` 400, `consent_missing` 404 */
  reject(bank: string, id: string, actor: Actor): Promise<Consent>;
  /** One conditional statement; exactly one caller wins. @throws Refusal `consent_status_invalid` 400 for the others */
  consume(bank: string, id: string, actor: Actor): Promise<Consent>;
  /** Revoking what is Revoked is the same answer again. @throws Refusal `consent_status_invalid` 400 for Rejected, Consumed, Expired; `consent_missing` 404 */
  revoke(bank: string, id: string, actor: Actor): Promise<Consent>;
  /**
   * The accounts of a consent that stands become others; the same again changes nothing. Absent where the store cannot.
   * @throws Refusal `consent_status_invalid` 400 unless Authorised and in time, or after too many changes; `consent_wrong_user`
   * 403; `field_invalid` 400; `consent_missing` 404
   */
  changeAccounts?(bank: string, id: string, change: AccountChange, actor: Actor): Promise<Consent>;
  /** Notes that data were fetched; coarse, batched, never in the way. */
  touch(bank: string, id: string): void;
  /** Writes what is still noted and lets go of what the store holds. */
  close(): Promise<void>;
}

/** The consent room as the other rooms see it: the bank's store, with a cache in front that revocation drops at once. */
export interface Consents extends ConsentStore {
  /** @throws Refusal those of the store; `accounts_unchangeable` 404 where it cannot */
  changeAccounts(bank: string, id: string, change: AccountChange, actor: Actor): Promise<Consent>;
  /** For the request path: cached until something changes the consent, one second at most when notifications are lost; given at once when at hand. */
  current(bank: string, id: string): Consent | undefined | Promise<Consent | undefined>;
  /** Calls `changed` after a consent changed or may have, here or elsewhere; perhaps more than once for one change. It must not throw. */
  onChange(changed: (change: { bank: string; id: string }) => void): void;
  /**
   * Somebody who may know says that a consent changed outside: the answer at hand is dropped here before this resolves, and
   * elsewhere by notification. @throws Refusal `consent_store_unavailable` 503 when the others cannot be told
   */
  noticeChange(bank: string, id: string): Promise<void>;
  /**
   * Revoked consents whose tokens nobody has reported dead, as far as they are due: taken by one process at a time, with
   * growing pauses, over restarts (N-201).
   */
  takeEndings(): Promise<readonly Ending[]>;
  /** Which of these consents are revoked while nobody has reported their tokens dead: show "being revoked". */
  unended(bank: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Reports that the tokens of a revoked consent are dead. */
  ended(bank: string, id: string): Promise<void>;
  /** Closes the stores that were used as well. */
  close(): Promise<void>;
}
