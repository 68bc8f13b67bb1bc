import type { Route } from '../gateway/index.ts';

/** A market as one value: facts, no code. Chosen by name in a bank's configuration. */
export interface Regime {
  readonly id: string;
  /** API scopes with the words the consent page uses, by language; the first language is the fallback. */
  readonly scopes: Readonly<Record<string, ScopeWords>>;
  readonly routes: readonly Route[];
  /** Roles that allow a scope (WSN-17 and following). A scope that is not listed is allowed to nobody. */
  readonly rolesByScope: Readonly<Record<string, readonly string[]>>;
  /** Longest life of a consent, in days. */
  readonly consentDays: number;
  /** How a gateway refusal looks on the wire. */
  readonly errorFormat: 'generic';
}

/** What a scope lets a participant do, in words a customer understands. */
export interface ScopeWords {
  readonly title: Readonly<Record<string, string>>;
  readonly items: Readonly<Record<string, readonly string[]>>;
}
