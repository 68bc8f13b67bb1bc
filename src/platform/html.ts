const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** A symbol cannot come out of JSON or a form: whatever carries it was built here. */
const markup: unique symbol = Symbol('markup');

/** Markup that is safe to send: made by `html` alone. */
export interface Html {
  readonly [markup]: string;
  toString(): string;
}

/** What a template takes; text is escaped, lists are joined, what is absent or false leaves nothing. */
export type HtmlPart = Html | string | number | bigint | undefined | null | false | readonly HtmlPart[];

/**
 * Markup from a template. Every value is escaped for element content and for quoted attributes; write attributes in
 * double quotes, and never put a value into a script, a style or an event handler.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  const [first = '', ...rest] = strings;
  const text = rest.reduce((built, string, index) => built + render(parts[index]) + string, first);
  return Object.freeze({ [markup]: text, toString: () => text });
}

/** Text as it must stand in markup. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (character) => ESCAPES[character] ?? '');
}

function render(part: HtmlPart): string {
  if (part === undefined || part === null || part === false) return '';
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number' || typeof part === 'bigint') return String(part);
  if (isList(part)) return part.map(render).join('');
  return part[markup];
}

function isList(part: Html | readonly HtmlPart[]): part is readonly HtmlPart[] {
  return Array.isArray(part);
}
