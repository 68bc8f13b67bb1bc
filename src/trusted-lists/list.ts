import { Refusal } from '../platform/refusal.ts';
import type { CertificateUse, GrantedPeriod, XmlElement } from '../trust/index.ts';

export { MAXIMUM_XML_BYTES as MAXIMUM_LIST_BYTES } from '../trust/index.ts';

/** A service of a list that was granted, now or before, what somebody here may ask for. */
export interface ListedService {
  readonly provider: string;
  readonly name: string;
  /** Certificates of its one key, PEM. */
  readonly certificates: readonly string[];
  /** Subject and thumbprint of the first of them. */
  readonly subject: string;
  readonly thumbprint: string;
  /** It issues through authorities below it (RootCA-QC); else it vouches for what it issued itself. */
  readonly root: boolean;
  /** When it was granted the right to issue qualified certificates of a use. */
  readonly granted: Readonly<Record<CertificateUse, readonly GrantedPeriod[]>>;
}

/** Why a service of a list is not used. */
export type SkipReason =
  | 'another type of service'
  | 'never granted for websites or seals'
  | 'no certificate, only names or key identifiers'
  | 'a certificate that cannot be read'
  | 'a certificate that may not issue others'
  | 'certificates of different keys'
  | 'a critical extension that is not understood'
  | 'malformed';

/** Services that are not used, by reason. */
export type SkippedServices = Readonly<Partial<Record<SkipReason, number>>>;

/** A national trusted list whose signature and dates count (ETSI TS 119 612). */
export interface TrustedList {
  /** ISO 3166-1 code, with EL and UK as lists write them. */
  readonly territory: string;
  readonly version: number;
  readonly sequence: number;
  readonly issuedAt: Date;
  /** From here on the list grants nothing. */
  readonly nextUpdate: Date;
  /** Thumbprint of the pinned certificate that signed it. */
  readonly signer: string;
  readonly services: readonly ListedService[];
  readonly skipped: SkippedServices;
}

/** Who may sign the list of a territory. */
export interface PinnedList {
  readonly territory: string;
  /** Certificates, DER; several while the operator of the list changes them. */
  readonly signers: readonly Uint8Array[];
}

/** The one way this room says no; `detail` is the finer code. */
export function refusedList(detail: string, message: string, cause?: unknown): Refusal {
  return new Refusal('trusted_list_refused', 400, message, { detail, cause });
}

/** Elements of that name directly inside; `path` may go further down by slashes, through the first of each name. */
export function children(parent: XmlElement | undefined, path: string): readonly XmlElement[] {
  const [name = '', ...rest] = path.split('/');
  const found = parent?.children.filter((child) => child.name === name) ?? [];
  return rest.length === 0 ? found : children(found[0], rest.join('/'));
}

/** The text of the one element at the end of a path; undefined when there is none, or more than one. */
export function textAt(parent: XmlElement | undefined, path: string): string | undefined {
  const [only, ...more] = children(parent, path);
  return only === undefined || more.length > 0 || only.text === '' ? undefined : only.text;
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** A moment as lists write it; undefined for anything else. */
export function momentOf(text: string | undefined): Date | undefined {
  if (text === undefined || !MOMENT.test(text)) return undefined;
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}
