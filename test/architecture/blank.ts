/** A text without what is said rather than done. */
export interface Blanked {
  /** Comments, and the insides of strings, templates and regular expressions, are spaces; every position stays. */
  readonly code: string;
  /** The insides of strings and templates. */
  readonly strings: readonly string[];
}

/** How far the walk has come. */
interface Walk {
  readonly text: string;
  readonly out: string[];
  readonly strings: string[];
  /** For each open template, how many braces are open inside its current `${`. */
  readonly templates: number[];
  at: number;
}

/** What may stand before a slash that begins a regular expression: anything that does not end a value. */
const BEFORE_EXPRESSION =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|await|yield|delete|void|throw|else|new))$/;

/** Walks the text once; knows comments, strings, templates with code in them, and regular expressions. */
export function blank(text: string): Blanked {
  const walk: Walk = { text, out: [], strings: [], templates: [], at: 0 };
  while (walk.at < text.length) step(walk);
  return { code: walk.out.join(''), strings: walk.strings };
}

function step(walk: Walk): void {
  const { text, at } = walk;
  const here = text[at];
  if (text.startsWith('//', at)) hide(walk, indexOr(text, '\n', at));
  else if (text.startsWith('/*', at)) hide(walk, indexOr(text, '*/', at + 2) + 2);
  else if (here === "'" || here === '"') quoted(walk, here);
  else if (here === '`') template(walk);
  else if (here === '{' || here === '}') brace(walk, here);
  else if (here === '/' && BEFORE_EXPRESSION.test(lastWords(walk.out))) regularExpression(walk);
  else keep(walk);
}

function keep(walk: Walk): void {
  walk.out.push(walk.text[walk.at] ?? '');
  walk.at += 1;
}

function hide(walk: Walk, end: number): void {
  walk.out.push(walk.text.slice(walk.at, end).replaceAll(/[^\n]/g, ' '));
  walk.at = Math.min(end, walk.text.length);
}

/** The first position from `from` on where `ends` holds; a backslash hides what follows it. */
function find({ text }: Walk, from: number, ends: (at: number) => boolean): number {
  let at = from;
  while (at < text.length && !ends(at)) at += text[at] === '\\' ? 2 : 1;
  return Math.min(at, text.length);
}

function quoted(walk: Walk, quote: string): void {
  keep(walk);
  const end = find(walk, walk.at, (at) => walk.text[at] === quote || walk.text[at] === '\n');
  walk.strings.push(walk.text.slice(walk.at, end));
  hide(walk, end);
  keep(walk);
}

function template(walk: Walk): void {
  keep(walk);
  walk.templates.push(0);
  templateText(walk);
}

/** Up to the template's end, or to the code inside it. */
function templateText(walk: Walk): void {
  const end = find(walk, walk.at, (at) => walk.text[at] === '`' || walk.text.startsWith('${', at));
  walk.strings.push(walk.text.slice(walk.at, end));
  hide(walk, end);
  if (walk.text[end] === '`') walk.templates.pop();
  else keep(walk);
  keep(walk);
}

function brace(walk: Walk, here: '{' | '}'): void {
  const depth = walk.templates.at(-1);
  keep(walk);
  if (depth === undefined) return;
  if (here === '}' && depth === 0) templateText(walk);
  else walk.templates[walk.templates.length - 1] = depth + (here === '{' ? 1 : -1);
}

function regularExpression(walk: Walk): void {
  keep(walk);
  let inClass = false;
  const end = find(walk, walk.at, (at) => {
    if (walk.text[at] === '[') inClass = true;
    if (walk.text[at] === ']') inClass = false;
    return walk.text[at] === '\n' || (!inClass && walk.text[at] === '/');
  });
  hide(walk, end);
  keep(walk);
}

function indexOr(text: string, wanted: string, from: number): number {
  const found = text.indexOf(wanted, from);
  return found === -1 ? text.length : found;
}

/** The end of what was written so far: enough to hold the longest keyword. */
function lastWords(out: readonly string[]): string {
  let words = '';
  for (let index = out.length - 1; index >= 0 && words.trimEnd().length < 12; index -= 1)
    words = `${out[index]}${words}`;
  return words.trimEnd();
}
