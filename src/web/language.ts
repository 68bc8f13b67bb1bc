import { isLanguage, type Language, languages, regions } from './messages/catalogue.ts';

/** Longer headers are cut: no browser sends more than a handful of languages. */
const MAXIMUM_ACCEPT_LANGUAGE = 512;

/**
 * The language of a page: what the customer chose on the page, else what the TPP asked for (`ui_locales`, OpenID Connect
 * Core §3.1.2.1), else what the browser prefers, else English.
 */
export function chooseLanguage(
  chosen: string | undefined,
  locales: readonly string[],
  acceptLanguage: string | undefined,
): Language {
  const wishes = [chosen ?? '', ...locales, ...preferred(acceptLanguage)];
  return wishes.map(primary).find(isLanguage) ?? languages[0];
}

/** `de-AT` → `de` */
function primary(tag: string): string {
  return tag.split('-', 1)[0]?.trim().toLowerCase() ?? '';
}

/** The tags of an `Accept-Language` header, best first (RFC 9110 §12.5.4); those with weight 0 are left out. */
function preferred(header: string | undefined): readonly string[] {
  return (header ?? '')
    .slice(0, MAXIMUM_ACCEPT_LANGUAGE)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((item) => item.trim());
      const weight = parameters.find((item) => item.startsWith('q='))?.slice(2);
      return { tag, weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ tag }) => tag);
}

/** A date in words, such as `31 December 2026`, in the bank's time zone. */
export function dateInWords(at: Date, language: Language, timeZone: string): string {
  return new Intl.DateTimeFormat(regions[language], {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone,
  }).format(at);
}

/** A time of day with its zone, such as `14:32 UTC`. */
export function timeInWords(at: Date, language: Language, timeZone: string): string {
  const parts = { hour: '2-digit', minute: '2-digit', timeZoneName: 'short', timeZone } as const;
  return new Intl.DateTimeFormat(regions[language], parts).format(at);
}
