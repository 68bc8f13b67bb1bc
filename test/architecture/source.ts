import { blank } from './blank.ts';

/** One `import … from`, `export … from`, `import '…'` or `import(…)`. */
export interface Import {
  readonly specifier: string;
  /** Names bound or passed on; `*` for a namespace, `default` for a default import. */
  readonly names: readonly string[];
  /** True when nothing of it exists at run time. */
  readonly typeOnly: boolean;
}

/** A source file as the rules look at it. */
export interface Source {
  /** From the root of the repository: `src/consent/store.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text with comments, and the insides of strings, templates and regular expressions, blanked; same positions. */
  readonly code: string;
  /** The insides of its strings and templates. */
  readonly strings: readonly string[];
  readonly imports: readonly Import[];
}

/** Reads a file's text into what the rules need. */
export function readSource(path: string, text: string): Source {
  const { code, strings } = blank(text);
  return { path, text, code, strings, imports: findImports(text, code) };
}

/** The longest function of a file, in lines; the file's own text does not count. */
export function longestFunction({ code }: Source): number {
  const open: number[] = [];
  let longest = 0;
  for (let at = 0; at < code.length; at += 1) {
    if (code[at] === '{') open.push(at);
    if (code[at] !== '}') continue;
    const start = open.pop();
    if (start === undefined || !opensFunction(code, start)) continue;
    longest = Math.max(longest, code.slice(start, at).split('\n').length);
  }
  return longest;
}

const CONTROL = /\b(?:if|for|while|switch|catch|with|await)\s*$/;
/** What stands before a brace that is no return type. */
const NO_TYPE = /[;=]|\b(?:interface|class|enum|else|try|finally|do|return|case|default|const|let|export|import)\b/;

/** A body follows `=>`, or the parenthesis of its parameters, with a return type between or not. */
function opensFunction(code: string, brace: number): boolean {
  const before = code.slice(Math.max(0, brace - 4_000), brace).trimEnd();
  if (before.endsWith('=>')) return true;
  const end = before.endsWith(')') ? before.length - 1 : parametersBefore(before);
  if (end === undefined) return false;
  const start = openingOf(before, end);
  return start !== undefined && !CONTROL.test(before.slice(0, start));
}

/** Where the parameters end before `): Type {`; undefined when what stands there is no return type. */
function parametersBefore(before: string): number | undefined {
  for (let at = before.length - 1; at > 0; at -= 1) {
    const here = before[at] ?? '';
    if (here === ':') {
      const parameters = before.slice(0, at).trimEnd();
      const type = before.slice(at + 1).replaceAll('=>', '');
      const isType = type.trim() !== '' && !NO_TYPE.test(type.replaceAll(/\{[^{}]*\}/g, ''));
      return parameters.endsWith(')') && isType ? parameters.length - 1 : undefined;
    }
    if (')]}'.includes(here)) at = openingOf(before, at) ?? 0;
  }
  return undefined;
}

/** Where the bracket that closes at `end` was opened. */
function openingOf(text: string, end: number): number | undefined {
  let depth = 0;
  for (let at = end; at >= 0; at -= 1) {
    const here = text[at] ?? '';
    if (')]}'.includes(here)) depth += 1;
    if ('([{'.includes(here)) depth -= 1;
    if (depth === 0) return at;
  }
  return undefined;
}

const FROM = /\b(?:import|export)\s+(type\s+)?((?:\*(?:\s+as\s+[\w$]+)?|[\w$]+)?\s*,?\s*(?:\{[^}]*\})?)\s*from\s*['"]/g;
const BARE = /\bimport\s*(?:\(\s*)?['"`]/g;
const COMPUTED = /\bimport\s*\(\s*(?!['"`])|\brequire\s*\(/g;

function findImports(text: string, code: string): readonly Import[] {
  const specifierAt = (end: number): string => text.slice(end, text.indexOf(text[end - 1] ?? '', end));
  const named = [...code.matchAll(FROM)].map((match) => {
    const [all, type, clause = ''] = match;
    const names = namesOf(clause);
    const typeOnly = type !== undefined || (names.length > 0 && names.every((name) => name.startsWith('type ')));
    const plain = names
      .filter((name) => typeOnly || !name.startsWith('type '))
      .map((name) => name.replace(/^type /, ''));
    return { specifier: specifierAt(match.index + all.length), names: plain, typeOnly };
  });
  const bare = [...code.matchAll(BARE)].map((match) => {
    return { specifier: specifierAt(match.index + match[0].length), names: ['*'], typeOnly: false };
  });
  const computed = [...code.matchAll(COMPUTED)].map(() => ({ specifier: '(computed)', names: ['*'], typeOnly: false }));
  return [...named, ...bare, ...computed];
}

function namesOf(clause: string): readonly string[] {
  const braces = /\{([^}]*)\}/.exec(clause);
  const inside = (braces?.[1] ?? '').split(',').map((name) => name.trim().replace(/\s+as\s+[\w$]+$/, ''));
  const outside = clause
    .replace(/\{[^}]*\}/, '')
    .split(',')
    .map((name) => name.trim());
  const words = outside.map((name) => (name.startsWith('*') ? '*' : name === '' ? '' : 'default'));
  return [...words, ...inside].filter((name) => name !== '');
}
