import type { OwnTexts } from './messages/catalogue.ts';

/** A user of the sandbox whose credentials the sign-in page may tell. */
export interface TestUser {
  readonly username: string;
  readonly password: string;
}

/** What a scope lets a participant do, in words a customer understands, by language; the first language is the fallback. */
export interface Words {
  readonly title: Readonly<Record<string, string>>;
  readonly items: Readonly<Record<string, readonly string[]>>;
}

/** What a consent is about, as its customer would sort it. */
export const CONSENT_KINDS = ['accounts', 'payments', 'funds'] as const;
export type ConsentKind = (typeof CONSENT_KINDS)[number];

/** A bank's logo: an SVG or PNG file, shown beside its name. */
export interface Logo {
  readonly type: 'image/svg+xml' | 'image/png';
  readonly bytes: Uint8Array;
}

/** A bank as its pages show it: facts of the configuration and the regime. */
export interface PageBank {
  readonly id: string;
  readonly name: string;
  /** `https://host:port/{bank}`, no trailing slash. */
  readonly issuer: string;
  /** `#rrggbb`; everything else is derived from it. */
  readonly colour: string;
  /** Undefined: the bank's initial on its colour. */
  readonly logo?: Logo | undefined;
  /** Postal address or legal line at the foot of each page. */
  readonly addressLine?: string | undefined;
  /** IANA name; `UTC` when undefined. */
  readonly timeZone?: string | undefined;
  /** Shown on the sign-in page: for the sandbox only. */
  readonly showTestUsers?: readonly TestUser[] | undefined;
  /** The regime's words for each API scope. */
  readonly words: Readonly<Record<string, Words>>;
  /** What each API scope is about; undefined: consents are not told apart. */
  readonly kinds?: Readonly<Record<string, ConsentKind>> | undefined;
  /** True when payments are started with stand-ins for account numbers, made under a consent for accounts. */
  readonly paysByStandIn?: boolean | undefined;
  /** How long a consent lasts. */
  readonly consentDays: number;
  /** Where customers stop sharing; undefined: they tell the bank. */
  readonly portalUrl?: string | undefined;
  /** Where customers report a problem with a consent, `https:` or `mailto:`; undefined: no link leads there. */
  readonly reportProblem?: string | undefined;
  /** True when customers may change the accounts of a consent that stands (N-207). */
  readonly accountChanges?: boolean | undefined;
  /** True when the bank keeps its consents itself, in its own service. */
  readonly ownConsentStore?: boolean | undefined;
  /** Failed sign-ins of one address within a quarter of an hour. */
  readonly failedSignInsPerSource?: number | undefined;
  /** The bank's own wording. */
  readonly texts?: OwnTexts | undefined;
}
