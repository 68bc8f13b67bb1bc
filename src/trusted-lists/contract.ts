import type { Actor } from '../audit/index.ts';
import type { AnchorChange, CertificateUse } from '../trust/index.ts';
import type { PinnedList, TrustedList } from './list.ts';

/** A list that a bank uses. */
export interface ConfiguredList extends PinnedList {
  /** Gets the document from where it is published. @throws Refusal or Error when there is none to be had */
  readonly obtain: (signal: AbortSignal) => Promise<Uint8Array>;
  /** How often it is looked for. */
  readonly refreshSeconds: number;
}

/** The lists of a bank, and what their anchors are for. */
export interface ListedBank {
  readonly bank: string;
  readonly use: CertificateUse;
  readonly lists: readonly ConfiguredList[];
}

/** How a configured list stands in this process. */
export interface ListState {
  readonly territory: string;
  /** The list that counts; its anchors end by themselves at its next update. Undefined: none, so nobody is trusted by it. */
  readonly list: TrustedList | undefined;
  /** Why there is none, or why the last attempt to get a newer one failed. */
  readonly problem: string | undefined;
}

/** One number for `/metrics`. */
export interface ListObservation {
  readonly bank: string;
  readonly territory: string;
  readonly outcome: 'imported' | 'unchanged' | 'refused' | 'unavailable';
}

/** National trusted lists: imported, kept, refreshed, turned into anchors. */
export interface TrustedLists {
  /**
   * Verifies a document and puts it in the place of the list at hand, in every process. Offering the list at hand again
   * changes nothing. @throws Refusal `trusted_list_refused` 400, its `detail` naming the check; `not_found` 404 for a bank
   * that uses no lists
   */
  importList(bank: string, document: Uint8Array, actor: Actor): Promise<TrustedList>;
  /** The lists of a bank, as configured. */
  statesOf(bank: string): readonly ListState[];
  /** The earliest moment at which a list ends; undefined when one is missing or none is configured. */
  endsAt(): Date | undefined;
  /** Takes over what other processes imported, and gets what is due. Never throws: it logs. */
  refresh(): Promise<void>;
  /** Does so from now on by itself. */
  start(): void;
  close(): Promise<void>;
}

/** Hands the anchors of a bank's lists to whoever judges by them. */
export type ApplyAnchors = (bank: string, change: AnchorChange) => void;
