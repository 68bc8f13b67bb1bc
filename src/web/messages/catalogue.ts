import { de } from './de.ts';
import { en, type MessageKey, type Messages } from './en.ts';

export type { MessageKey, Messages } from './en.ts';

/** The languages that are shipped, the fallback first. */
export const languages = ['en', 'de'] as const;
export type Language = (typeof languages)[number];

/** Which regional form dates and times take. */
export const regions: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de-DE' };

const shipped: Readonly<Record<Language, Messages>> = { en, de };

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

/** The values a text needs, read off the English text by the compiler. */
export type Values<Key extends MessageKey> = Readonly<Record<Placeholders<(typeof en)[Key]>, string>>;

/** Gives a text with its placeholders filled in: plain text, not yet escaped. */
export type Say = <Key extends MessageKey>(
  key: Key,
  ...values: [Placeholders<(typeof en)[Key]>] extends [never] ? [] : [Values<Key>]
) => string;

const PLACEHOLDER = /\{([a-zA-Z]+)\}/g;

/** The placeholders of a text, such as `bank` in `Sign in to {bank}`. */
export function placeholdersOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? ''));
}

/** True for the name of a text. */
export function isMessageKey(key: string): key is MessageKey {
  return Object.hasOwn(en, key);
}

/** True for a language that is shipped. */
export function isLanguage(language: string): language is Language {
  return languages.some((known) => known === language);
}

/** A bank's own wording, as configuration gives it: language, then the name of the text. */
export type OwnTexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The texts of a bank: those shipped, overridden by its own.
 * @throws Error naming the key's path when a text, a language or a placeholder does not exist.
 */
export function createCatalogue(path: string, own: OwnTexts = {}): (language: Language) => Say {
  for (const [language, texts] of Object.entries(own)) checkTexts(`${path}.${language}`, language, texts);
  const says = new Map(languages.map((language) => [language, say({ ...shipped[language], ...own[language] })]));
  return (language) => {
    const found = says.get(language);
    if (found === undefined) throw new Error(`no texts in ${language}`);
    return found;
  };
}

function checkTexts(path: string, language: string, texts: Readonly<Record<string, string>>): void {
  if (!isLanguage(language))
    throw new Error(`${path}: there are no pages in this language, only ${languages.join(', ')}`);
  for (const [key, text] of Object.entries(texts)) {
    if (!isMessageKey(key)) throw new Error(`${path}.${key}: there is no such text`);
    const known = placeholdersOf(en[key]);
    const unknown = [...placeholdersOf(text)].find((name) => !known.has(name));
    if (unknown !== undefined) throw new Error(`${path}.${key}: {${unknown}} is not known here`);
  }
}

function say(messages: Messages): Say {
  return (key, ...values) => fill(messages[key], values[0] ?? {});
}

/** One pass, so that a value that looks like a placeholder stays text. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(PLACEHOLDER, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the text "${text}" needs a value for {${name}}`);
    return value;
  });
}
