/** Only this file can make one, so whatever is of this type has been escaped. */
const made: unique symbol = Symbol('markup');

/** Markup that is safe to send. */
export interface Markup {
  readonly [made]: string;
}

/** What a template takes: texts are escaped, lists joined, nothing comes of what is absent or false. */
export type Part = Markup | string | number | undefined | false | readonly Part[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup from a template. Attributes stand in double quotes; no value goes into a script or a style. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const [first = '', ...rest] = strings;
  return { [made]: rest.reduce((built, string, index) => built + written(parts[index]) + string, first) };
}

/** The text to send. */
export function textOf(markup: Markup): string {
  return markup[made];
}

function written(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return part.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  if (typeof part === 'number') return String(part);
  return isList(part) ? part.map(written).join('') : part[made];
}

function isList(part: Markup | readonly Part[]): part is readonly Part[] {
  return Array.isArray(part);
}
