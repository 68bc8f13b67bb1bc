import type { Language } from './messages/catalogue.ts';
import type { Words } from './page-bank.ts';

/** What a scope lets a participant do, in one language. */
export interface ScopeWords {
  readonly title: string;
  readonly items: readonly string[];
}

/** The regime's words for a scope, in the language or the first there is; undefined when it has none. */
export function findWords(
  words: Readonly<Record<string, Words>>,
  scope: string,
  language: Language,
): ScopeWords | undefined {
  const own = Object.hasOwn(words, scope) ? words[scope] : undefined;
  const title = own?.title[language] ?? Object.values(own?.title ?? {})[0];
  const items = own?.items[language] ?? Object.values(own?.items ?? {})[0];
  return title === undefined || items === undefined ? undefined : { title, items };
}
